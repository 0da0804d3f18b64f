package batch_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func TestResize(t *testing.T) {
	t.Parallel()
	run := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}

	run("WhatIsBeingFilledFollowsAtOnce", func(t *testing.T) {
		var r recorder
		b := started(t, r.sink, batch.Config{MaxItems: 10, Linger: time.Hour})
		addN(t, b, 0, 5)
		require.NoError(t, b.Resize(batch.Limits{MaxItems: 4}))
		synctest.Wait()
		require.Equal(t, []int{5}, r.sizes(), "it has more than are allowed now")
		addN(t, b, 5, 9)
		synctest.Wait()
		require.Equal(t, []int{5, 4, 4}, r.sizes())
		require.NoError(t, b.Resize(batch.Limits{MaxItems: 6}))
		addN(t, b, 14, 5)
		synctest.Wait()
		require.Equal(t, []int{5, 4, 4, 6}, r.sizes(), "one was there already")
		stopped(t, b)
	})

	run("NoBundleKeepsRoomForMore", func(t *testing.T) {
		var r recorder
		hold := make(chan struct{})
		sink := func(ctx context.Context, items []int) error { <-hold; return r.sink(ctx, items) }
		b := started(t, sink, batch.Config{MaxItems: 16, Linger: time.Hour, Buffer: 1000})
		addN(t, b, 0, 16+9) // the room of the first is used again when it has landed
		require.NoError(t, b.Resize(batch.Limits{MaxItems: 10}))
		addN(t, b, 25, 1)
		close(hold)
		synctest.Wait()
		addN(t, b, 26, 30)
		synctest.Wait()
		require.Equal(t, []int{16, 10, 10, 10, 10}, r.sizes())
		stopped(t, b)
	})

	run("LingerThatIsOverNowEnds", func(t *testing.T) {
		var r recorder
		b := started(t, r.sink, batch.Config{Linger: time.Hour})
		addN(t, b, 0, 1)
		time.Sleep(time.Minute)
		require.NoError(t, b.Resize(batch.Limits{Linger: 2 * time.Minute}))
		time.Sleep(59 * time.Second)
		synctest.Wait()
		require.Empty(t, r.sizes())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{1}, r.sizes())

		addN(t, b, 1, 1)
		time.Sleep(time.Minute)
		require.NoError(t, b.Resize(batch.Limits{Linger: time.Second}))
		synctest.Wait()
		require.Equal(t, []int{1, 1}, r.sizes())

		addN(t, b, 2, 1)
		require.NoError(t, b.Resize(batch.Limits{Linger: time.Hour}))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []int{1, 1}, r.sizes())
		stopped(t, b)
	})

	run("ParallelGrowsAtOnceAndShrinksAsFlushesEnd", func(t *testing.T) {
		hold := make(chan struct{})
		b := started(t, func(context.Context, []int) error { <-hold; return nil }, batch.Config{MaxItems: 1, Buffer: 100})
		addN(t, b, 0, 20)
		synctest.Wait()
		require.Equal(t, 1, b.Stats().Slots)
		require.NoError(t, b.Resize(batch.Limits{Parallel: 5}))
		synctest.Wait()
		require.Equal(t, 5, b.Stats().Slots)
		require.NoError(t, b.Resize(batch.Limits{Parallel: 2}))
		for want := 4; want >= 2; want-- {
			hold <- struct{}{}
			synctest.Wait()
			require.Equal(t, want, b.Stats().Slots)
		}
		hold <- struct{}{}
		synctest.Wait()
		require.Equal(t, 2, b.Stats().Slots)
		close(hold)
		stopped(t, b)
	})

	run("BufferThatGrowsLetsInWhoWaits", func(t *testing.T) {
		hold := make(chan struct{})
		b := started(t, func(context.Context, []int) error { <-hold; return nil }, batch.Config{MaxItems: 2, Buffer: 4})
		var wg sync.WaitGroup
		for i := range 7 {
			wg.Go(func() { assert.NoError(t, b.Add(t.Context(), i)) })
		}
		synctest.Wait()
		require.Equal(t, 3, b.Stats().Waiting)
		require.NoError(t, b.Resize(batch.Limits{Buffer: 8}))
		wg.Wait()
		require.Equal(t, 7, b.Stats().Inside)
		require.NoError(t, b.Resize(batch.Limits{Buffer: 3}))
		require.ErrorIs(t, b.TryAdd(t.Context(), 7), batch.ErrFull)
		close(hold)
		synctest.Wait()
		require.NoError(t, b.TryAdd(t.Context(), 7))
		stopped(t, b)
	})

	run("WrongLimitsChangeNothing", func(t *testing.T) {
		var r recorder
		b := started(t, r.sink, batch.Config{MaxItems: 10, Buffer: 20})
		was := b.Limits()
		require.ErrorContains(t, b.Resize(batch.Limits{Parallel: 9, MaxItems: 21}), "batch orders: resize: buffer: is 20, less than max_items (21)")
		require.ErrorContains(t, b.Resize(batch.Limits{Parallel: 9, Linger: -1}), "linger: is -1ns")
		require.Equal(t, was, b.Limits())
		require.NoError(t, b.Resize(batch.Limits{MaxItems: 21, Buffer: 30}), "together they fit")
		stopped(t, b)
		require.ErrorIs(t, b.Resize(batch.Limits{MaxItems: 1}), batch.ErrClosed)
	})

	run("BeforeTheStartItHoldsFromThere", func(t *testing.T) {
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{MaxItems: 10, Linger: time.Hour})
		require.NoError(t, err)
		addN(t, b, 0, 3)
		require.NoError(t, b.Resize(batch.Limits{MaxItems: 2}))
		require.NoError(t, b.Start(t.Context()))
		synctest.Wait()
		require.Equal(t, []int{3}, r.sizes())
		stopped(t, b)
	})
}

// TestCrowdMeetsResizes has the limits change all the time while producers,
// flushes and a stop go on.
func TestCrowdMeetsResizes(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]bool{"OneLine": false, "Keys": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opts []batch.Option[parcel]
			if keys { // the order of each key is kept in parallel flushes too
				opts = append(opts, batch.WithKey(func(it parcel) string { return strconv.Itoa(it.from) }))
			}
			cfg := batch.Config{MaxItems: 50, Buffer: 200}
			for range 5 {
				c := newCrowd(t, cfg, opts...)
				var wg sync.WaitGroup
				gone := make(chan struct{})
				wg.Go(func() {
					for {
						select {
						case <-gone:
							return
						default:
						}
						l := batch.Limits{MaxItems: 1 + rand.IntN(50), Linger: time.Duration(1 + rand.IntN(1e7)), Buffer: 50 + rand.IntN(150)}
						if keys {
							l.Parallel = 1 + rand.IntN(6)
						}
						if err := c.Resize(l); err != nil {
							assert.ErrorIs(t, err, batch.ErrClosed)
						}
						runtime.Gosched()
					}
				})
				c.meetStop(cfg)
				close(gone)
				wg.Wait()
			}
		})
	}
}

func TestStatsSayWhyFlushesPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		sink := func(context.Context, []int) error {
			if down.Load() {
				return batch.Unavailable(errors.New("no route to the database"))
			}
			return nil
		}
		b := started(t, sink, batch.Config{MaxItems: 2, Retry: batch.Retry{InitialDelay: time.Minute, MaxDelay: time.Minute}})
		addN(t, b, 0, 2)
		synctest.Wait()
		s := b.Stats()
		require.Equal(t, 1, s.Pausing)
		require.Equal(t, "unavailable: no route to the database", s.Trouble)
		down.Store(false)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		s = b.Stats()
		require.Zero(t, s.Pausing)
		require.Empty(t, s.Trouble)
		stopped(t, b)
	})
}

func TestStatsInJSONAreReadable(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(batch.Stats{Name: "orders", Oldest: 1500 * time.Millisecond, Limits: batch.Limits{MaxItems: 3, Linger: time.Second}})
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, "open", got["state"])
	require.Equal(t, "1.5s", got["oldest"])
	require.Equal(t, map[string]any{"max_items": 3.0, "linger": "1s", "parallel": 0.0, "buffer": 0.0}, got["limits"])
}
