package journal_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// soon is what DoneSoon says it takes, and a little more.
const soon = 11 * time.Millisecond

func TestDoneSoon(t *testing.T) {
	t.Parallel()

	test := func(name string, run func(*testing.T, *journal.Keeper[order], slow)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j, err := journaltest.NewMemory(0).Open(t.Context(), "lane:orders")
				require.NoError(t, err)
				s := slow{j, make(chan int, 100), make(chan struct{})}
				run(t, keeper(t, slowOpener{s}, nil), s)
			})
		})
	}

	keep := func(t *testing.T, k *journal.Keeper[order], n int) []journal.Item[order] {
		items := orders(0, n)
		require.NoError(t, k.Keep(t.Context(), items))
		return items
	}

	test("ThreeAreLeftToTheFourth", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		items := keep(t, k, 10)
		for _, it := range items[:3] {
			k.DoneSoon(it.Seq)
		}
		assert.Equal(t, 10, k.Len())
		k.DoneSoon(items[3].Seq)
		assert.Equal(t, 6, k.Len())
		assert.Len(t, s.turns, 1)
		assert.Equal(t, 1, <-s.turns, "neighbours are one span")
	})

	test("NothingIsLeftIfNobodyIsAtWork", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		for range 3 {
			items := keep(t, k, 2)
			k.DoneSoon(items[0].Seq)
			assert.Equal(t, 2, k.Len())
			k.DoneSoon(items[1].Seq)
			assert.Zero(t, k.Len())
		}
	})

	test("WhatAReplayBringsIsAtWork", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		_, err := s.Append(t.Context(), journal.Entry{Codec: "json", Payload: []byte("{}")}, journal.Entry{Codec: "json", Payload: []byte("{}")})
		require.NoError(t, err)
		require.Len(t, left(t, k), 2)
		k.DoneSoon(1)
		assert.Equal(t, 2, k.Len())
		k.DoneSoon(2)
		assert.Zero(t, k.Len())
	})

	test("DoneTakesAlongWhatIsLeft", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		items := keep(t, k, 10)
		k.DoneSoon(items[0].Seq)
		k.Done(items[1].Seq)
		assert.Equal(t, 8, k.Len())
	})

	test("NothingIsLeftForLong", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		items := keep(t, k, 10)
		for i := range 3 { // the clock is set again
			k.DoneSoon(items[i].Seq)
			assert.Equal(t, 10-i, k.Len())
			time.Sleep(soon)
			assert.Equal(t, 9-i, k.Len())
		}
		before := time.Now()
		require.NoError(t, k.Close())
		assert.Zero(t, time.Since(before))
	})

	test("WhatIsLeftByOneWhoWritesIsNotLeftForLong", func(t *testing.T, k *journal.Keeper[order], s slow) {
		items := keep(t, k, 10)
		go k.Done(items[0].Seq)
		synctest.Wait()
		k.DoneSoon(items[1].Seq)
		close(s.let)
		synctest.Wait()
		assert.Equal(t, 9, k.Len())
		time.Sleep(soon)
		assert.Equal(t, 8, k.Len())
	})

	test("NoMoreThanSevenAreLeftToTheClock", func(t *testing.T, k *journal.Keeper[order], s slow) {
		items := keep(t, k, 100)
		k.DoneSoon(items[0].Seq)
		time.Sleep(soon) // the clock writes, and does not get on
		require.Len(t, s.turns, 1)
		var mu sync.Mutex
		returned := 1
		for _, it := range items[1:20] {
			go func() {
				k.DoneSoon(it.Seq)
				mu.Lock()
				defer mu.Unlock()
				returned++
			}()
		}
		synctest.Wait()
		mu.Lock()
		assert.Equal(t, 7, returned)
		mu.Unlock()
		close(s.let)
		time.Sleep(soon)
		assert.Equal(t, 80, k.Len())
	})

	test("CloseWritesWhatIsLeft", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		items := keep(t, k, 10)
		k.DoneSoon(items[0].Seq)
		k.DoneSoon(items[1].Seq)
		require.NoError(t, k.Close())
		assert.Len(t, s.turns, 1)
		k.DoneSoon(items[2].Seq)
		require.ErrorIs(t, k.Fault(), journal.ErrClosed)
	})

	test("CloseWaitsForTheClock", func(t *testing.T, k *journal.Keeper[order], s slow) {
		items := keep(t, k, 10)
		k.DoneSoon(items[0].Seq)
		time.Sleep(soon)
		k.DoneSoon(items[1].Seq) // the clock writes it, too, or Close does
		closed := make(chan error, 1)
		go func() { closed <- k.Close() }()
		synctest.Wait()
		assert.Empty(t, closed)
		close(s.let)
		require.NoError(t, <-closed)
		assert.Len(t, s.turns, 2)
		require.NoError(t, k.Fault())
	})

	test("ManyAtOnceLoseNothing", func(t *testing.T, k *journal.Keeper[order], s slow) {
		close(s.let)
		go func() {
			for range s.turns { // as many as they are
			}
		}()
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for range 500 {
					items := orders(0, 1)
					if k.Keep(t.Context(), items) == nil {
						k.DoneSoon(items[0].Seq)
					}
				}
			})
		}
		workers.Wait()
		assert.Zero(t, k.Len(), "without a wait: nobody is at work")
		close(s.turns)
	})
}

// given is a journal that is open already, and an opener of it.
type given struct{ journal.Journal }

func (g given) Open(context.Context, string) (journal.Journal, error) { return g, nil }

// TestWhatIsDoneMatchesTheJournal holds a keeper against a model: what is not
// done is in the journal, and of what is done no more than three are, and none
// when all is done.
func TestWhatIsDoneMatchesTheJournal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		// A failure of rapid's is a panic; it must leave the bubble empty.
		var failure any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }()
			checkAcks(t, rt)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

func checkAcks(t *testing.T, rt *rapid.T) {
	t.Helper()
	j, err := journaltest.NewMemory(0).Open(t.Context(), "lane:orders")
	require.NoError(rt, err)
	k := keeper(t, given{j}, nil)
	atWork := map[uint64]bool{}
	pick := func(rt *rapid.T) uint64 {
		if len(atWork) == 0 {
			rt.Skip("nobody is at work")
		}
		seq := rapid.SampledFrom(slices.Sorted(maps.Keys(atWork))).Draw(rt, "seq")
		delete(atWork, seq)
		return seq
	}
	look := func(most int) {
		again, rest := 0, maps.Clone(atWork)
		for e, err := range j.Replay(t.Context()) {
			require.NoError(rt, err)
			if !atWork[e.Seq] {
				again++
			}
			delete(rest, e.Seq)
		}
		require.Empty(rt, rest, "they would be lost")
		if len(atWork) == 0 {
			most = 0
		}
		require.LessOrEqual(rt, again, most)
	}
	rt.Repeat(map[string]func(*rapid.T){
		"keep": func(rt *rapid.T) {
			items := orders(0, rapid.IntRange(1, 5).Draw(rt, "n"))
			require.NoError(rt, k.Keep(t.Context(), items))
			for _, it := range items {
				atWork[it.Seq] = true
			}
		},
		"done": func(rt *rapid.T) {
			k.Done(pick(rt))
			look(0)
		},
		"done soon": func(rt *rapid.T) { k.DoneSoon(pick(rt)) },
		"wait": func(*rapid.T) {
			time.Sleep(soon)
			look(0)
		},
		"": func(*rapid.T) { look(3) },
	})
	require.NoError(rt, k.Close())
}
