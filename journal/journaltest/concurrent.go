package journaltest

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// allAtOnce appends, acknowledges and replays from many goroutines. Every
// writer keeps some of its entries; those and no others must be there at the
// end, in the order of their writer, and the groups together.
func allAtOnce(t *testing.T, s Store) {
	const writers, rounds = 8, 60
	h := newHouse(t, s)
	j := h.open("busy")
	kept := make([][]string, writers)
	var work, watch sync.WaitGroup
	stop := make(chan struct{})
	for w := range writers {
		work.Go(func() { kept[w] = write(t, j, w, rounds) })
	}
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				ordered(t, j)
			}
		}
	})
	work.Wait()
	close(stop)
	watch.Wait()

	check := func(j journal.Journal) {
		got := make([][]string, writers)
		for _, text := range payloads(replay(t, j)) {
			w, _, _ := strings.Cut(text, "/")
			n, err := strconv.Atoi(w)
			require.NoError(t, err)
			got[n] = append(got[n], text)
		}
		for w := range writers {
			require.Equal(t, kept[w], got[w], "writer %d", w)
		}
	}
	check(j)
	require.NoError(t, j.Close())
	check(h.open("busy"))
}

// write appends groups of one to five and acknowledges at random. It returns
// what it left.
func write(t *testing.T, j journal.Journal, w, rounds int) (kept []string) {
	random := rand.New(rand.NewPCG(uint64(w), 1))
	for round := range rounds {
		group := make([]journal.Entry, 1+random.IntN(5))
		for i := range group {
			text := fmt.Sprintf("%d/%d/%d/", w, round, i)
			group[i].Payload = []byte(text + strings.Repeat("x", random.IntN(3000)))
		}
		span, err := j.Append(t.Context(), group...)
		if !assert.NoError(t, err) || !assert.Equal(t, len(group), span.Len()) {
			return kept
		}
		for i := range group {
			seq := span.First + uint64(i)
			if random.IntN(4) > 0 {
				assert.NoError(t, j.Ack(t.Context(), journal.Span{First: seq, Last: seq}))
			} else {
				kept = append(kept, string(group[i].Payload))
			}
		}
	}
	return kept
}

// ordered holds one replay beside the writers to what it can promise.
func ordered(t *testing.T, j journal.Journal) {
	var last uint64
	for e, err := range j.Replay(t.Context()) {
		if !assert.NoError(t, err) || !assert.Greater(t, e.Seq, last) {
			return
		}
		last = e.Seq
	}
}
