package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
)

func exitGoroutine() { runtime.Goexit() }

func TestDrain(t *testing.T) {
	t.Parallel()

	t.Run("DrainOfTheGateAloneFlushesWithoutLinger", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			b := started(t, r.sink, batch.Config{Linger: time.Hour}, batch.WithKey(func(i int) string { return fmt.Sprint(i) }))
			addN(t, b, 0, 10)
			began := time.Now()
			b.Gate().Drain()
			synctest.Wait()
			assert.Zero(t, time.Since(began))
			assert.Len(t, r.items(), 10)
			assert.Zero(t, b.Gate().Ledger().Inside)
			require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrDraining)
			stopped(t, b)
			require.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrClosed)
		})
	})

	t.Run("LineageIsAdmittedAndFlushedWithoutLinger", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			slow := func(ctx context.Context, items []int) error {
				time.Sleep(time.Second)
				return r.sink(ctx, items)
			}
			b := started(t, slow, batch.Config{Linger: time.Hour})
			request, lineage := intake.Mark(t.Context())
			began := time.Now()
			b.Gate().Drain()
			synctest.Wait()
			require.NoError(t, b.Add(request, 0))
			synctest.Wait()
			for i := range 3 {
				require.NoError(t, b.Add(request, i+1))
			}
			lineage.End()
			require.ErrorIs(t, b.Add(request, 9), batch.ErrDraining)
			require.NoError(t, b.Drain(t.Context()))
			assert.Equal(t, []int{1, 3}, r.sizes(), "what came during the first flush went together")
			assert.Equal(t, 2*time.Second, time.Since(began))
			stopped(t, b)
		})
	})

	t.Run("FlushContextCarriesLineageWhileItRunsAndOnlyThen", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			audit := intake.New("audit")
			audit.Drain()
			var flush context.Context
			b := started(t, func(ctx context.Context, _ []int) error {
				flush = ctx
				return audit.Admit(ctx)
			}, batch.Config{Retry: batch.Retry{MaxAttempts: 1}})
			addN(t, b, 0, 1)
			require.NoError(t, b.Flush(t.Context()))
			require.ErrorIs(t, audit.Admit(flush), intake.ErrDraining)
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
			go func() { assert.ErrorIs(t, b.Add(t.Context(), 1), batch.ErrDraining) }()
			go func() { assert.NoError(t, b.Add(request, 2)) }()
			synctest.Wait()
			b.Gate().Drain()
			synctest.Wait()
			assert.Equal(t, 1, b.Stats().Waiting)
			require.NoError(t, b.Drain(t.Context()))
			stopped(t, b)
			assert.Equal(t, []int{0, 2}, r.items())
		})
	})

	t.Run("DrainThatRunsOutOfTimeSaysHowManyAreInside", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := started(t, func(context.Context, []int) error { time.Sleep(time.Minute); return nil }, batch.Config{})
			addN(t, b, 0, 7)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			assert.EqualError(t, b.Drain(ctx), "batch orders: drain: 7 items: still inside: context deadline exceeded")
			stopped(t, b)
		})
	})
}

func TestStop(t *testing.T) {
	t.Parallel()

	t.Run("StopBudgetBoundsItWithinItsContext", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := started(t, func(ctx context.Context, _ []int) error { <-ctx.Done(); return ctx.Err() },
				batch.Config{StopBudget: 2 * time.Second})
			addN(t, b, 0, 3)
			began := time.Now()
			left, err := b.Stop(context.Background())
			require.ErrorIs(t, err, batch.ErrStopped)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Len(t, left, 3)
			assert.Equal(t, 2*time.Second, time.Since(began))
		})
	})

	t.Run("NeverStartedHandsEverythingBack", func(t *testing.T) {
		t.Parallel()
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{})
		require.NoError(t, err)
		addN(t, b, 0, 3)
		left, err := b.Stop(context.Background())
		require.ErrorIs(t, err, batch.ErrStopped)
		assert.ErrorContains(t, err, "never started")
		assert.Equal(t, []int{0, 1, 2}, left)
		require.ErrorIs(t, b.Start(t.Context()), batch.ErrClosed)

		again, err := b.Stop(context.Background())
		require.ErrorIs(t, err, batch.ErrStopped)
		assert.Equal(t, left, again)
		assert.Equal(t, 3, b.Stats().Left)
	})

	t.Run("CutFlushesAreLeftOverNotFailed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var m morgue
			var cause error
			sink := func(ctx context.Context, _ []int) error {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return ctx.Err()
			}
			b := started(t, sink, batch.Config{MaxItems: 2, Retry: batch.Retry{MaxAttempts: 1}}, m.option())
			addN(t, b, 0, 5)
			flushed := make(chan error, 1)
			go func() { flushed <- b.Flush(context.Background()) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			left, err := b.Stop(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, batch.ErrHung)
			assert.EqualError(t, err, "batch orders: stop: 5 items: left over: the time to stop was up before everything was flushed (context deadline exceeded)")
			assert.Equal(t, []int{0, 1, 2, 3, 4}, left)
			require.ErrorIs(t, cause, batch.ErrStopped)
			assert.Empty(t, m.letters)
			require.ErrorIs(t, <-flushed, batch.ErrStopped)
			assert.EqualValues(t, 5, b.Gate().Ledger().Inside)
		})
	})

	t.Run("SinkThatIgnoresItsContextDoesNotHoldTheStop", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := started(t, func(context.Context, []int) error { time.Sleep(time.Hour); return nil }, batch.Config{MaxItems: 2})
			addN(t, b, 0, 3)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			left, err := b.Stop(ctx)
			assert.Equal(t, 1100*time.Millisecond, time.Since(began))
			require.ErrorIs(t, err, batch.ErrHung)
			assert.ErrorContains(t, err, "flushes: 1 did not return")
			assert.Equal(t, []int{0, 1, 2}, left)
			time.Sleep(2 * time.Hour) // the sink returns at last
			assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Inside: 3}, b.Gate().Ledger(), "and changes nothing")
		})
	})

	t.Run("DeadLettersNotToldBeforeTheCutAreLeftOver", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sink := func(_ context.Context, items []int) error {
				errs := batch.ItemErrors{}
				for i := range items {
					errs[i] = batch.Permanent(errors.New("malformed"))
				}
				return errs
			}
			var told []int
			b := started(t, sink, batch.Config{}, batch.WithDeadLetter(func(ctx context.Context, l batch.DeadLetter[int]) {
				told = append(told, l.Item)
				<-ctx.Done()
			}))
			addN(t, b, 0, 3)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			left, err := b.Stop(ctx)
			require.ErrorIs(t, err, batch.ErrStopped)
			assert.Equal(t, []int{0}, told)
			assert.Equal(t, []int{1, 2}, left)
			assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Failed: 1, Inside: 2}, b.Gate().Ledger())
		})
	})

	t.Run("LineageThatStillWaitsForRoomIsRefusedAtTheEnd", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := started(t, func(ctx context.Context, _ []int) error { <-ctx.Done(); return ctx.Err() }, batch.Config{MaxItems: 1, Buffer: 1})
			request, lineage := intake.Mark(t.Context())
			defer lineage.End()
			addN(t, b, 0, 1)
			refused := make(chan error, 1)
			go func() { refused <- b.Add(request, 1) }()
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			left, err := b.Stop(ctx)
			require.ErrorIs(t, err, batch.ErrStopped)
			assert.Equal(t, []int{0}, left)
			require.ErrorIs(t, <-refused, batch.ErrClosed)
		})
	})

	t.Run("WaitForARetryIsCut", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			sink := func(context.Context, []int) error { return batch.Unavailable(errors.New("down")) }
			b := started(t, sink, batch.Config{Retry: batch.Retry{InitialDelay: time.Hour}})
			addN(t, b, 0, 3)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			left, err := b.Stop(ctx)
			require.ErrorIs(t, err, batch.ErrStopped)
			assert.Equal(t, time.Second, time.Since(began))
			assert.Len(t, left, 3)
		})
	})

	t.Run("CallerWithTheLeastTimeCutsForAll", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := started(t, func(ctx context.Context, _ []int) error { <-ctx.Done(); return ctx.Err() }, batch.Config{FlushTimeout: time.Hour})
			addN(t, b, 0, 3)
			began := time.Now()
			var wg sync.WaitGroup
			for _, patience := range []time.Duration{time.Minute, time.Second, time.Hour} {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					left, err := b.Stop(ctx)
					assert.ErrorIs(t, err, batch.ErrStopped)
					assert.Len(t, left, 3)
				})
			}
			wg.Wait()
			assert.Equal(t, time.Second, time.Since(began))
		})
	})
}

func TestSave(t *testing.T) {
	t.Parallel()
	never := func(t *testing.T, opts ...batch.Option[int]) *batch.Batcher[int] {
		b, err := batch.New("orders", (&recorder{}).sink, batch.Config{}, opts...)
		require.NoError(t, err)
		addN(t, b, 0, 3)
		return b
	}

	t.Run("SaverTakesTheLeftoversOnce", func(t *testing.T) {
		t.Parallel()
		var saved [][]int
		b := never(t, batch.WithSave(func(_ context.Context, items []int) error {
			saved = append(saved, items)
			return nil
		}))
		require.NoError(t, b.Save(t.Context()), "it stops the batcher itself")
		require.NoError(t, b.Save(t.Context()))
		assert.Equal(t, [][]int{{0, 1, 2}}, saved)
		assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Saved: 3}, b.Gate().Ledger())
	})

	t.Run("WithoutASaverTheyAreLostAndSaidSo", func(t *testing.T) {
		t.Parallel()
		b := never(t)
		assert.EqualError(t, b.Save(t.Context()), "batch orders: save: 3 items: lost: nobody saves leftovers; give WithSave, or WithJournal")
		assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Lost: 3}, b.Gate().Ledger())
	})

	t.Run("SaverThatPanicsLosesThemLoudly", func(t *testing.T) {
		t.Parallel()
		b := never(t, batch.WithSave(func(context.Context, []int) error { panic("disk full") }))
		assert.ErrorContains(t, b.Save(t.Context()), "batch orders: save: 3 items: lost: panic: disk full")
		assert.EqualValues(t, 3, b.Gate().Ledger().Lost)
	})

	t.Run("SaverThatEndsItsGoroutineLosesThemAndIsToldOfAgain", func(t *testing.T) {
		t.Parallel()
		b := never(t, batch.WithSave(func(context.Context, []int) error { exitGoroutine(); return nil }))
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = b.Save(context.Background())
		}()
		<-done
		require.ErrorContains(t, b.Save(t.Context()), "batch orders: save: 3 items: lost: panic: runtime.Goexit")
		assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Lost: 3}, b.Gate().Ledger())
	})

	t.Run("NothingLeftIsNothingToSave", func(t *testing.T) {
		t.Parallel()
		var r recorder
		b := started(t, r.sink, batch.Config{})
		addN(t, b, 0, 3)
		stopped(t, b)
		require.NoError(t, b.Save(t.Context()))
		assert.EqualValues(t, 3, b.Gate().Ledger().Done)
	})
}

func TestStartStopStress(t *testing.T) {
	t.Parallel()
	for range 50 {
		var r recorder
		b, err := batch.New("orders", r.sink, batch.Config{MaxItems: 3, Buffer: 9, Parallel: 2, Linger: time.Microsecond},
			batch.WithKey(func(i int) string { return fmt.Sprint(i % 3) }))
		require.NoError(t, err)
		var (
			wg       sync.WaitGroup
			mu       sync.Mutex
			accepted []int
		)
		for g := range 10 {
			wg.Go(func() {
				if g%2 == 0 {
					if err := b.Start(t.Context()); err != nil {
						assert.ErrorIs(t, err, batch.ErrClosed)
					}
				}
				for i := range 20 {
					if item := g*20 + i; b.Add(t.Context(), item) == nil {
						mu.Lock()
						accepted = append(accepted, item)
						mu.Unlock()
					}
				}
				_, _ = b.Stop(context.Background()) // the leftovers are read below
			})
		}
		// A batcher that is full and stopped by nobody is not what is tested.
		wg.Go(func() { _, _ = b.Stop(context.Background()) })
		wg.Wait()
		left, _ := b.Stop(context.Background())
		ledger := b.Gate().Ledger()
		require.True(t, ledger.Balanced(), ledger)
		require.EqualValues(t, len(left), ledger.Inside)
		got := slices.Concat(r.items(), left)
		slices.Sort(got)
		slices.Sort(accepted)
		require.Equal(t, accepted, got)
	}
}

func TestAddWithLineageCutWhileItWaitsIsRefusedByTheStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sink := func(context.Context, []int) error { <-release; return nil }
		b := started(t, sink, batch.Config{MaxItems: 1, Buffer: 1})
		addN(t, b, 0, 1)
		marked, lineage := intake.Mark(t.Context())
		defer lineage.End()
		errCut := errors.New("request cut")
		ctx, cut := context.WithCancelCause(marked)
		result := make(chan error)
		go func() { result <- b.Add(ctx, 1) }()
		synctest.Wait()
		b.Gate().Drain()
		synctest.Wait()
		cut(errCut)
		err := <-result
		require.ErrorIs(t, err, batch.ErrDraining)
		require.ErrorIs(t, err, errCut)
		close(release)
		stopped(t, b)
	})
}
