package batch_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
)

func TestPause(t *testing.T) {
	t.Parallel()

	t.Run("FlushesWhatLingersAtOnceAndLingersAgainAfterwards", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{Linger: time.Minute}, batch.WithKey(func(i int) string { return fmt.Sprint(i) }))
			for round := range 3 {
				addN(t, b, 10*round, 10)
				began := time.Now()
				resume := b.Gate().Pause()
				synctest.Wait()
				assert.Zero(t, time.Since(began))
				assert.Len(t, r.items(), 10*round+10)
				assert.Zero(t, b.Gate().Ledger().Inside)
				assert.Equal(t, intake.Paused, b.Stats().State)
				require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrPaused)
				require.ErrorIs(t, b.TryAdd(t.Context(), 1), batch.ErrDraining)
				n, err := b.AddAll(t.Context(), upTo(3))
				require.ErrorIs(t, err, batch.ErrPaused)
				assert.Zero(t, n)
				resume()
			}
			addN(t, b, 30, 1)
			time.Sleep(time.Minute - time.Nanosecond)
			assert.Len(t, r.items(), 30, "it lingers")
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			assert.Len(t, r.items(), 31)
			assert.EqualValues(t, 30, b.Stats().Flushes.Drain)
			stopped(t, b)
		})
	})

	t.Run("RootWaitersAreRefusedAtOnceAndLineageWaitsOn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			slow := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				return r.sink(ctx, items)
			}
			b := started(t, slow, batch.Config{MaxItems: 1, Buffer: 1})
			request, lineage := intake.Mark(t.Context())
			defer lineage.End()
			addN(t, b, 0, 1)
			synctest.Wait()
			root, inside := make(chan error, 1), make(chan error, 1)
			go func() { inside <- b.Add(request, 1) }()
			synctest.Wait()
			go func() { root <- b.Add(t.Context(), 2) }()
			synctest.Wait()
			for range 2 { // of those who wait each pause finds the new ones
				resume := b.Gate().Pause()
				require.ErrorIs(t, <-root, batch.ErrPaused)
				assert.Equal(t, 1, b.Stats().Waiting)
				resume()
				go func() { root <- b.Add(t.Context(), 2) }()
				synctest.Wait()
				assert.Equal(t, 2, b.Stats().Waiting)
			}
			require.NoError(t, <-inside)
			require.NoError(t, <-root)
			stopped(t, b)
			assert.Equal(t, upTo(3), r.items())
		})
	})

	t.Run("LineageIsFlushedWithoutLinger", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{Linger: time.Hour})
			request, lineage := intake.Mark(t.Context())
			resume := b.Gate().Pause()
			require.NoError(t, b.Add(request, 0))
			synctest.Wait()
			assert.Equal(t, upTo(1), r.items())
			lineage.End()
			require.ErrorIs(t, b.Add(request, 1), batch.ErrPaused)
			resume()
			stopped(t, b)
		})
	})

	t.Run("DrainIsNotTakenBackByAResume", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{})
			resume := b.Gate().Pause()
			require.NoError(t, b.Drain(t.Context()))
			resume()
			require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrDraining)
			require.NotErrorIs(t, b.Add(t.Context(), 1), batch.ErrPaused)
			stopped(t, b)
		})
	})

	t.Run("HoldsAReplayUpAndLosesNothingOfIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(100)...)
			var r recorder
			var last batch.Replay
			slow := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				return r.sink(ctx, items)
			}
			b := started(t, slow, batch.Config{MaxItems: 5, Buffer: 10}, batch.WithJournal[int](s),
				batch.WithReplay[int](func(told batch.Replay) { last = told }))
			for range 3 {
				time.Sleep(3500 * time.Millisecond)
				resume := b.Gate().Pause()
				require.ErrorIs(t, b.Add(t.Context(), 100), batch.ErrPaused)
				time.Sleep(time.Minute)
				synctest.Wait()
				assert.Zero(t, b.Gate().Ledger().Inside)
				assert.False(t, last.Over)
				resume()
			}
			require.NoError(t, b.Add(t.Context(), 100))
			synctest.Wait()
			assert.True(t, last.Over)
			require.NoError(t, last.Err)
			finish(t, b)
			assert.Equal(t, upTo(101), r.items())
		})
	})

	t.Run("ReplayThatIsHeldUpEndsWithADrain", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := newStore(0)
			s.fill(t, upTo(100)...)
			var r recorder
			var last batch.Replay
			b, err := batch.New("orders", r.sink, batch.Config{}, batch.WithJournal[int](s),
				batch.WithReplay[int](func(told batch.Replay) { last = told }))
			require.NoError(t, err)
			resume := b.Gate().Pause()
			require.NoError(t, b.Start(t.Context()), "it can be started while it is paused")
			time.Sleep(time.Minute)
			synctest.Wait()
			assert.False(t, last.Over)
			b.Gate().Drain()
			resume()
			synctest.Wait()
			assert.True(t, last.Over)
			require.ErrorIs(t, last.Err, batch.ErrDraining)
			finish(t, b)
			assert.Empty(t, r.items())
			assert.Equal(t, upTo(100), s.inside(t, ordersJournal))
		})
	})
}
