package pool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestSubmitBesideStop stops a lane while others submit to it, again and
// again: what Submit has said yes to is done once, or is in the journal.
func TestSubmitBesideStop(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		store := journaltest.NewMemory(0)
		policy := pool.Policy(random.IntN(2)) // block or abort
		p, err := pool.New("test", pool.Config{Workers: 2, Queue: 1 + random.IntN(20), Policy: policy})
		require.NoError(t, err)
		var mu sync.Mutex
		state := map[int]string{}
		set := func(id int, s string) {
			mu.Lock()
			defer mu.Unlock()
			state[id] += s
		}
		l, err := pool.NewLane(p, "lane", func(_ context.Context, id int) error { set(id, "d"); return nil }, always, pool.WithJournal[int](store))
		require.NoError(t, err)
		if round%10 > 0 {
			require.NoError(t, p.Start(t.Context()))
		}
		require.NoError(t, l.Start(t.Context()))
		patience, enough := context.WithCancel(t.Context())
		var submitters sync.WaitGroup
		for s := range 4 {
			submitters.Go(func() {
				for id := s; ; id += 4 {
					err := l.Submit(patience, id)
					if err == nil {
						set(id, "a")
					} else if !errorIsAny(err, pool.ErrFull) {
						return
					}
				}
			})
		}
		stopped, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(2000))*time.Microsecond)
		if random.IntN(2) == 0 {
			<-stopped.Done() // let them begin
		}
		allowed := []string{"ad", "da", "aj"}
		if _, err = l.Stop(stopped); err != nil { // a machine so busy that the grace was short
			require.ErrorIs(t, err, pool.ErrStopped)
			allowed = append(allowed, "adj", "daj", "ajd")
		}
		require.NoError(t, l.Save(t.Context()))
		submitters.Wait()
		enough()
		cancel()
		_, _ = p.Stop(stopped)

		ledger := l.Gate().Ledger()
		require.True(t, ledger.Balanced(), "%s", ledger)
		require.Zero(t, ledger.Inside+ledger.Lost, "%s", ledger)
		k, err := journal.NewKeeper("lane:lane", store, journal.JSON[int](), nil)
		require.NoError(t, err)
		require.NoError(t, k.Open(t.Context()))
		require.EqualValues(t, ledger.Saved, k.Len())
		for it, err := range k.Replay(t.Context()) {
			require.NoError(t, err)
			set(it.Value, "j")
		}
		require.NoError(t, k.Close())
		accepted := 0
		for id, s := range state {
			require.Contains(t, allowed, s, "item %d", id)
			accepted++
		}
		require.EqualValues(t, accepted, ledger.Accepted)
	}
}

const childVar = "LASTCALL_POOL_CHILD"

// child is a service with one lane that is always written down. It says
// "accepted N" when Submit has returned nil, and "done N" in the handler.
// Asked to finish, it takes nothing new and ends when nothing is left.
func child(dir string) error {
	d, err := filejournal.Open(filejournal.Config{Dir: dir, SegmentBytes: 64 << 10, MaxBytes: 64 << 20})
	if err != nil {
		return err
	}
	p, err := pool.New("child", pool.Config{Workers: childWorkers, Queue: 64})
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	l, err := pool.NewLane(p, "lane", func(_ context.Context, item string) error {
		say("done", item)
		return nil
	}, always, pool.WithJournal[string](d))
	if err != nil {
		return err
	}
	ctx := context.Background()
	_ = p.Start(ctx)
	if err := l.Start(ctx); err != nil {
		return err
	}
	say("ready", "")
	if os.Getenv(childVar+"_FINISH") != "" {
		if err := l.Submit(ctx, "last"); err != nil { // when the replay is over
			return err
		}
		if _, err := l.Stop(ctx); err != nil {
			return err
		}
		return l.Save(ctx)
	}
	for n := 0; ; n++ {
		item := fmt.Sprintf("%d-%d-%s", os.Getpid(), n, strings.Repeat("x", random.IntN(400)))
		if err := l.Submit(ctx, item); err != nil {
			return err
		}
		say("accepted", item)
	}
}

const childWorkers = 4

// say writes a line with one call: it is there or not.
func say(what, item string) { _, _ = os.Stdout.WriteString(what + " " + item + "\n") }

// TestKill kills a service when it has accepted so many items more, so while it
// replays, takes work and does it. Whatever it had accepted is done in the end.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 15
	if os.Getenv("LONG_TESTS") != "" {
		kills = 1000
	}
	dir := t.TempDir()
	accepted, done := map[string]bool{}, map[string]int{}
	life := func(finish string, after int) {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childVar+"="+dir, childVar+"_FINISH="+finish)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewReader(out)
		if finish == "" && after == 0 { // it has just said that it is ready
			_, err = lines.ReadString('\n')
			require.NoError(t, err)
			require.NoError(t, cmd.Process.Kill())
		}
		for {
			line, err := lines.ReadString('\n')
			if errors.Is(err, io.EOF) && line == "" {
				break
			}
			require.NoError(t, err, "half a line: %q", line)
			what, item, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch what {
			case "accepted":
				accepted[item] = true
				if after--; after == 0 && finish == "" {
					require.NoError(t, cmd.Process.Kill())
				}
			case "done":
				done[item]++
			case "error":
				t.Errorf("the child: %s", item)
			}
		}
		err = cmd.Wait()
		if finish != "" {
			require.NoError(t, err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		life("", max(0, random.IntN(500)-50))
	}
	life("yes", 0)
	require.NotEmpty(t, accepted)
	twice := 0
	for item := range accepted {
		require.Positive(t, done[item], "lost: %.20s", item)
	}
	for _, n := range done {
		twice += n - 1
	}
	t.Logf("kills %d, accepted %d, lost 0, done again %d", kills, len(accepted), twice)
	assert.Less(t, twice, len(accepted), "a replay does not repeat everything")
}
