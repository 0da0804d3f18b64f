package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func newLane[T any](t *testing.T, p *pool.Pool, handler pool.Handler[T], cfg pool.LaneConfig, opts ...pool.LaneOption[T]) *pool.Lane[T] {
	t.Helper()
	l, err := pool.NewLane(p, "sms", handler, cfg, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ledger := l.Gate().Ledger()
		require.True(t, ledger.Balanced(), "%s", ledger)
	})
	return l
}

func TestLane(t *testing.T) {
	t.Parallel()

	t.Run("CollaboratorThatIsNilIsAsIfItWereNotGiven", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store, _ := killed(t, 1)
			box := journal.NewDeadLetters(journaltest.NewMemory(0))
			told := newLog()
			tell := func(who string) func(context.Context, pool.Result[string]) {
				return func(context.Context, pool.Result[string]) { told.add(who) }
			}
			text := journal.JSON[string]()
			text.Version = 7
			l := begin(t, store, func(context.Context, string) error { return errHandler }, pool.LaneConfig{},
				pool.WithResult(tell("result")), pool.WithResult[string](nil),
				pool.WithFailure(tell("failure")), pool.WithFailure[string](nil),
				pool.WithReplay[string](func(pool.Replay) { told.add("replay") }), pool.WithReplay[string](nil),
				pool.WithBurial[string](func(pool.Burial) { told.add("burial") }), pool.WithBurial[string](nil),
				pool.WithID(func(string) string { told.add("id"); return "" }), pool.WithID[string](nil),
				pool.WithLabel(func(string) string { told.add("label"); return "" }), pool.WithLabel[string](nil),
				pool.WithDeadLetters[string](box), pool.WithDeadLetters[string](nil),
				pool.WithJournal[string](nil),
				pool.WithCodec(text), pool.WithCodec(journal.Codec[string]{}))
			require.NoError(t, l.Submit(t.Context(), "a"))
			synctest.Wait()
			l.stop(t, time.Second)
			for _, who := range []string{"result", "failure", "replay", "burial", "id", "label"} {
				assert.Contains(t, told.all(), who)
			}
			require.Len(t, letters(t, box), 2)
			assert.Equal(t, 7, letters(t, box)[0].Version)

			saved := 0
			l = prepare(t, pool.Config{}, nil, nil, pool.LaneConfig{},
				pool.WithSave(func(_ context.Context, items []string) error { saved += len(items); return nil }), pool.WithSave[string](nil))
			require.NoError(t, l.Submit(t.Context(), "a"))
			l.stop(t, 0)
			assert.Equal(t, 1, saved)
		})
	})

	t.Run("KeepsOrderWithOneWorkerAndIsCountedByItsOwnGateAlone", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		var got []int
		l := newLane(t, p, func(_ context.Context, n int) error { got = append(got, n); return nil }, pool.LaneConfig{})
		for i := range 500 {
			require.NoError(t, l.Submit(t.Context(), i))
		}
		require.NoError(t, l.Drain(t.Context()))
		assert.Len(t, got, 500)
		assert.IsIncreasing(t, got)
		assert.EqualValues(t, 500, l.Gate().Ledger().Done)
		assert.Equal(t, "lane:sms", l.Gate().Name())
		assert.Zero(t, p.Gate().Ledger().Offered)
		require.ErrorIs(t, l.Submit(t.Context(), 1), pool.ErrDraining)
	})

	t.Run("RetriesAfterDelaysThatHoldNoWorker", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			began := time.Now()
			var tries []time.Duration
			var results []pool.Result[string]
			l := newLane(t, p, func(_ context.Context, item string) error {
				if item == "other" {
					return nil
				}
				tries = append(tries, time.Since(began))
				if len(tries) < 4 {
					return errors.New("busy")
				}
				return nil
			}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 4, InitialDelay: time.Second, Multiplier: 2, MaxDelay: 2 * time.Second, Jitter: -1}},
				pool.WithResult(func(_ context.Context, r pool.Result[string]) { results = append(results, r) }))

			require.NoError(t, l.Submit(t.Context(), "a"))
			synctest.Wait()
			assert.Equal(t, 1, l.Stats().Retrying)
			require.NoError(t, l.Submit(t.Context(), "other"))
			synctest.Wait()
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 5 * time.Second}, tries)
			assert.Equal(t, []pool.Result[string]{
				{Item: "other", Attempts: 1},
				{Item: "a", Attempts: 4, Took: 5 * time.Second},
			}, results)
		})
	})

	t.Run("GivesUpAfterMaxAttemptsOrAtOnceWhenPermanent", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			bad := errors.New("bad number")
			var tries atomic.Int32
			results := make(chan pool.Result[string], 3)
			l := newLane(t, p, func(_ context.Context, item string) error {
				tries.Add(1)
				switch item {
				case "permanent":
					return fmt.Errorf("wrapped: %w", pool.Permanent(bad))
				case "panic":
					panic("no")
				}
				return bad
			}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 3}}, pool.WithResult(func(_ context.Context, r pool.Result[string]) { results <- r }))
			for item, want := range map[string]int{"permanent": 1, "panic": 1, "again": 3} {
				tries.Store(0)
				require.NoError(t, l.Submit(t.Context(), item))
				r := <-results
				assert.EqualValues(t, want, tries.Load(), item)
				assert.Equal(t, want, r.Attempts)
				require.Error(t, r.Err)
			}
			require.NoError(t, l.Drain(t.Context()))
			assert.EqualValues(t, 3, l.Gate().Ledger().Failed)
		})
	})

	t.Run("TryThatTimesOutIsRetried", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			var tries int
			l := newLane(t, p, func(ctx context.Context, _ int) error {
				if tries++; tries == 2 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}, pool.LaneConfig{Timeout: time.Second, Retry: pool.Retry{MaxAttempts: 2}})
			require.NoError(t, l.Submit(t.Context(), 1))
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, 2, tries)
			assert.EqualValues(t, 1, l.Gate().Ledger().Done)
		})
	})

	t.Run("KeyWaitsForTheRetryOfItsFirst", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 4})
			log := newLog()
			var failed atomic.Bool
			l := newLane(t, p, func(_ context.Context, item string) error {
				log.add(item)
				if item == "a1" && !failed.Swap(true) {
					return errors.New("once")
				}
				return nil
			}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2}})
			for _, item := range []string{"a1", "a2", "b1"} {
				require.NoError(t, l.SubmitKey(t.Context(), item[:1], item))
				synctest.Wait()
			}
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, []string{"a1", "b1", "a1", "a2"}, log.all())
		})
	})

	t.Run("WaitingRetriesPushBack", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 2, Policy: pool.Abort})
			down := func(context.Context, int) error { return errors.New("down") }
			l := newLane(t, p, down, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2, InitialDelay: time.Minute}})
			accepted := 0
			for range 20 {
				if err := l.Submit(t.Context(), 1); err == nil {
					accepted++
				} else {
					require.ErrorIs(t, err, pool.ErrFull)
				}
				synctest.Wait()
			}
			assert.Equal(t, 3, accepted, "two places, and a free worker")
			require.NoError(t, l.Drain(t.Context()))
		})
	})

	t.Run("PolicyOfThePoolHoldsForItsLanes", func(t *testing.T) {
		t.Parallel()
		for _, policy := range []pool.Policy{pool.CallerRuns, pool.DiscardNewest, pool.DiscardOldest} {
			p, _, release := full(t, policy)
			results := make(chan pool.Result[int], 3)
			l := newLane(t, p, func(context.Context, int) error { return nil }, pool.LaneConfig{},
				pool.WithResult(func(_ context.Context, r pool.Result[int]) { results <- r }))
			require.NoError(t, l.Submit(t.Context(), 7))
			require.ErrorIs(t, l.TrySubmit(t.Context(), 8), pool.ErrFull)
			release()
			require.NoError(t, l.Drain(t.Context()))
			r := <-results
			ledger := l.Gate().Ledger()
			if policy == pool.DiscardNewest {
				require.ErrorIs(t, r.Err, pool.ErrDiscarded)
				assert.EqualValues(t, 1, ledger.Dropped)
			} else {
				require.NoError(t, r.Err)
				assert.EqualValues(t, 1, ledger.Done)
			}
		}
	})

	t.Run("PanicOfTheResultHookDoesNotChangeTheResult", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		l := newLane(t, p, func(context.Context, int) error { return nil }, pool.LaneConfig{},
			pool.WithResult(func(context.Context, pool.Result[int]) { panic("hook") }))
		require.NoError(t, l.Submit(t.Context(), 1))
		require.NoError(t, l.Drain(t.Context()))
		assert.EqualValues(t, 1, l.Gate().Ledger().Done)
	})

	t.Run("WrongConfigAndWrongNameAreReported", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{})
		handler := func(context.Context, int) error { return nil }
		_, err := pool.NewLane(p, "x", handler, pool.LaneConfig{Timeout: -1, StopBudget: -1,
			Retry: pool.Retry{MaxAttempts: -1, InitialDelay: -1, MaxDelay: -1, Multiplier: 0.5, Jitter: 2}})
		for _, field := range []string{"lane x", "timeout:", "stop_budget:", "retry.max_attempts:", "retry.initial_delay:", "retry.max_delay:", "retry.multiplier:", "retry.jitter:"} {
			require.ErrorContains(t, err, field)
		}
		require.EqualError(t, pool.LaneConfig{Retry: pool.Retry{MaxDelay: -1}}.Validate(), "retry.max_delay: is -1ns, must not be negative",
			"nothing is said of initial_delay, which is right")
		_, err = pool.NewLane[int](p, "x", nil, pool.LaneConfig{})
		require.ErrorContains(t, err, "handler is nil")
		_, err = pool.NewLane(p, "x", handler, pool.LaneConfig{})
		require.NoError(t, err)
		_, err = pool.NewLane(p, "x", handler, pool.LaneConfig{})
		require.ErrorContains(t, err, "has a lane of that name")
	})
}

func TestLaneStop(t *testing.T) {
	t.Parallel()

	t.Run("EveryItemIsDoneOrHandedBackInOrderAndSaved", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 4})
			stuck := make(chan struct{})
			handler := func(ctx context.Context, item string) error {
				switch item {
				case "retry":
					return errors.New("later")
				case "cut":
					<-ctx.Done()
					return context.Cause(ctx)
				case "done late":
					<-ctx.Done()
					return nil
				default:
					<-stuck
					return nil
				}
			}
			var saved []string
			l := newLane(t, p, handler, pool.LaneConfig{StopBudget: time.Second, Retry: pool.Retry{MaxAttempts: 9, InitialDelay: time.Hour, MaxDelay: time.Hour}},
				pool.WithSave(func(_ context.Context, items []string) error { saved = items; return nil }))
			for _, item := range []string{"retry", "cut", "done late", "stuck"} {
				require.NoError(t, l.Submit(t.Context(), item))
				synctest.Wait()
			}
			require.NoError(t, l.SubmitKey(t.Context(), "k", "stuck too"))
			synctest.Wait()
			require.NoError(t, l.SubmitKey(t.Context(), "k", "in line"))
			require.NoError(t, l.Submit(t.Context(), "queued"))

			began := time.Now()
			left, err := l.Stop(t.Context())
			require.ErrorContains(t, err, "lane sms: stop: 2 handlers still run")
			assert.Equal(t, 1100*time.Millisecond, time.Since(began))
			want := []string{"retry", "cut", "stuck", "stuck too", "in line", "queued"}
			assert.Equal(t, want, left)
			assert.Equal(t, 6, l.Stats().Leftover)
			assert.EqualValues(t, 6, l.Gate().Ledger().Inside)

			require.NoError(t, l.Save(t.Context()))
			require.NoError(t, l.Save(t.Context()))
			assert.Equal(t, want, saved)
			close(stuck)
			synctest.Wait()
			ledger := l.Gate().Ledger()
			assert.EqualValues(t, 1, ledger.Done)
			assert.EqualValues(t, 6, ledger.Saved)
			assert.Zero(t, ledger.Inside)
			again, _ := l.Stop(t.Context())
			assert.Equal(t, want, again)
		})
	})

	t.Run("WithoutASaverLeftoversAreLostAndTheErrorSaysHowMany", func(t *testing.T) {
		t.Parallel()
		p, err := pool.New("never", pool.Config{})
		require.NoError(t, err)
		l := newLane(t, p, func(context.Context, int) error { return nil }, pool.LaneConfig{})
		for i := range 3 {
			require.NoError(t, l.Submit(t.Context(), i))
		}
		err = l.Save(t.Context())
		require.ErrorContains(t, err, "3 items lost")
		assert.Equal(t, err, l.Save(t.Context()))
		assert.EqualValues(t, 3, l.Gate().Ledger().Lost)
		_, err = p.Stop(t.Context())
		require.NoError(t, err)
	})

	t.Run("SaverThatPanicsLosesWithItsStack", func(t *testing.T) {
		t.Parallel()
		p, err := pool.New("never", pool.Config{})
		require.NoError(t, err)
		l := newLane(t, p, func(context.Context, int) error { return nil }, pool.LaneConfig{},
			pool.WithSave(func(context.Context, []int) error { panic("disk") }))
		require.NoError(t, l.Submit(t.Context(), 1))
		var perr *pool.PanicError
		require.ErrorAs(t, l.Save(t.Context()), &perr)
		_, _ = p.Stop(t.Context())
	})

	t.Run("OneLaneStopsAndTheOthersGoOn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 16})
			log := newLog()
			slow := newLane(t, p, func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }, pool.LaneConfig{})
			quick, err := pool.NewLane(p, "quick", func(_ context.Context, item string) error { log.add(item); return nil }, pool.LaneConfig{})
			require.NoError(t, err)
			for _, item := range []string{"1", "2", "3"} {
				require.NoError(t, slow.Submit(t.Context(), item))
				require.NoError(t, quick.Submit(t.Context(), item))
			}
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			left, err := slow.Stop(ctx)
			require.NoError(t, err)
			assert.Equal(t, []string{"1", "2", "3"}, left)
			require.NoError(t, quick.Submit(t.Context(), "4"))
			_, err = quick.Stop(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{"1", "2", "3", "4"}, log.all())
			require.ErrorContains(t, slow.Save(t.Context()), "3 items lost")
		})
	})

	t.Run("StopOfThePoolStopsItsLanesAndLeavesThemTheirLeftovers", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			l := newLane(t, p, func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }, pool.LaneConfig{})
			require.NoError(t, l.Submit(t.Context(), 1))
			require.NoError(t, p.Submit(t.Context(), nothing))
			require.NoError(t, l.Submit(t.Context(), 2))
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			tasks, err := p.Stop(ctx)
			require.NoError(t, err)
			assert.Len(t, tasks, 1)
			require.ErrorIs(t, l.Submit(t.Context(), 3), pool.ErrClosed)
			left, err := l.Stop(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []int{1, 2}, left)
			require.ErrorContains(t, l.Save(t.Context()), "2 items lost")
		})
	})

	t.Run("ItemsOfALaneMayFeedTheNextWhileBothDrain", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2})
		var delivered atomic.Int32
		second, err := pool.NewLane(p, "second", func(context.Context, int) error { delivered.Add(1); return nil }, pool.LaneConfig{})
		require.NoError(t, err)
		hold := make(chan struct{})
		first, err := pool.NewLane(p, "first", func(ctx context.Context, n int) error { <-hold; return second.Submit(ctx, n) }, pool.LaneConfig{})
		require.NoError(t, err)
		for i := range 50 {
			require.NoError(t, first.Submit(t.Context(), i))
		}
		first.Gate().Drain()
		second.Gate().Drain()
		require.ErrorIs(t, second.Submit(t.Context(), 1), pool.ErrDraining)
		close(hold)
		_, err = p.Stop(t.Context())
		require.NoError(t, err)
		assert.EqualValues(t, 50, delivered.Load())
	})
}

func TestLaneResult(t *testing.T) {
	t.Parallel()

	t.Run("WhatTheHookPassesOnDuringADrainIsTaken", func(t *testing.T) {
		t.Parallel()
		for name, handler := range map[string]pool.Handler[int]{
			"done":     func(context.Context, int) error { return nil },
			"failed":   func(context.Context, int) error { return errors.New("no") },
			"panicked": func(context.Context, int) error { panic("no") },
		} {
			synctest.Test(t, func(t *testing.T) {
				next := newPool(t, pool.Config{Workers: 1})
				next.Gate().Drain()
				var passedOn []error
				p := newPool(t, pool.Config{Workers: 1})
				l := newLane(t, p, handler, pool.LaneConfig{Timeout: time.Minute, Retry: pool.Retry{MaxAttempts: 2}},
					pool.WithResult(func(ctx context.Context, _ pool.Result[int]) {
						passedOn = append(passedOn, next.Submit(ctx, nothing))
					}))
				require.NoError(t, l.Submit(t.Context(), 1))
				_, err := l.Stop(context.Background())
				require.NoError(t, err)
				assert.Equal(t, []error{nil}, passedOn, name)
			})
		}
	})

	t.Run("TheRightEndsWithTheHook", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			next := newPool(t, pool.Config{Workers: 1})
			next.Gate().Drain()
			p := newPool(t, pool.Config{Workers: 1, Queue: 1, Policy: pool.DiscardNewest})
			var kept []context.Context
			l := newLane(t, p, func(ctx context.Context, _ int) error { <-time.After(time.Second); return nil }, pool.LaneConfig{},
				pool.WithResult(func(ctx context.Context, r pool.Result[int]) {
					require.NoError(t, next.Submit(ctx, nothing))
					kept = append(kept, ctx)
				}))
			for i := range 3 {
				require.NoError(t, l.Submit(t.Context(), i))
				synctest.Wait()
			}
			require.Len(t, kept, 1, "of the discarded one")
			_, err := l.Stop(context.Background())
			require.NoError(t, err)
			_, err = p.Stop(context.Background())
			require.NoError(t, err)
			require.Len(t, kept, 3)
			for _, ctx := range kept {
				require.ErrorIs(t, next.Submit(ctx, nothing), pool.ErrDraining)
			}
		})
	})

	t.Run("FailureIsToldOfWhatFailedForGoodAndOfNothingElse", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			no := errors.New("no")
			p := newPool(t, pool.Config{Workers: 1, Queue: 3, Policy: pool.DiscardNewest})
			var failures []pool.Result[string]
			l := newLane(t, p, func(_ context.Context, item string) error {
				if item == "done" {
					return nil
				}
				return no
			}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2}},
				pool.WithFailure(func(_ context.Context, r pool.Result[string]) {
					failures = append(failures, r)
					panic("swallowed")
				}))
			require.NoError(t, l.Submit(t.Context(), "done"))
			require.NoError(t, l.SubmitKey(t.Context(), "k", "fails"))
			for range 9 {
				require.NoError(t, l.Submit(t.Context(), "done"))
			}
			require.NoError(t, l.Drain(t.Context()))
			assert.Equal(t, []pool.Result[string]{{Item: "fails", Key: "k", Attempts: 2, Err: no}}, failures)
			ledger := l.Gate().Ledger()
			assert.EqualValues(t, 1, ledger.Failed)
			assert.NotZero(t, ledger.Dropped)
		})
	})

	t.Run("ErrorThatCannotBeLookedIntoFailsItsItem", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		results := make(chan pool.Result[int], 1)
		l := newLane(t, p, func(context.Context, int) error {
			var typedNil *os.PathError
			return typedNil
		}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 3}},
			pool.WithResult(func(_ context.Context, r pool.Result[int]) { results <- r }))
		require.NoError(t, l.Submit(t.Context(), 1))
		var panicked *pool.PanicError
		require.ErrorAs(t, (<-results).Err, &panicked)
		require.NoError(t, l.Drain(t.Context()))
		assert.EqualValues(t, 1, l.Gate().Ledger().Failed)
	})
}

func TestLaneSaverThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	p := newPool(t, pool.Config{Workers: 1, Queue: 9})
	release := make(chan struct{})
	l, err := pool.NewLane(p, "lane", func(context.Context, int) error { <-release; return nil }, pool.LaneConfig{},
		pool.WithSave(func(context.Context, []int) error { runtime.Goexit(); return nil }))
	require.NoError(t, err)
	require.NoError(t, l.Submit(t.Context(), 1))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = l.Stop(ended)
	close(release)

	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.Save(context.Background())
	}()
	<-done
	require.ErrorContains(t, l.Save(context.Background()), "1 items lost")
	ledger := l.Gate().Ledger()
	assert.EqualValues(t, 1, ledger.Lost)
	assert.Zero(t, ledger.Inside)
}

func TestSubmitterWithLineageCutWhileItWaitsIsRefusedByTheStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, pool.Config{Workers: 1, Queue: pool.NoQueue})
		task, running, release := block()
		require.NoError(t, p.Submit(t.Context(), task))
		<-running
		marked, lineage := intake.Mark(t.Context())
		defer lineage.End()
		errCut := errors.New("request cut")
		ctx, cut := context.WithCancelCause(marked)
		result := make(chan error)
		go func() { result <- p.Submit(ctx, nothing) }()
		synctest.Wait()
		p.Gate().Drain()
		synctest.Wait()
		cut(errCut)
		err := <-result
		require.ErrorIs(t, err, pool.ErrDraining)
		require.ErrorIs(t, err, errCut)
		release()
	})
}

// TestHookThatEndsItsGoroutine: t.FailNow does, and so may a hook that tells of
// an item whose handler has panicked.
func TestHookThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	p, err := pool.New("work", pool.Config{Workers: 1}, pool.WithPanicHandler(func(*pool.PanicError) { runtime.Goexit() }))
	require.NoError(t, err)
	handled := make(chan string, 10)
	l, err := pool.NewLane(p, "work", func(_ context.Context, item string) error {
		if item == "bad" {
			panic(item)
		}
		handled <- item
		return nil
	}, pool.LaneConfig{}, pool.WithFailure(func(context.Context, pool.Result[string]) { runtime.Goexit() }))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	for range 3 {
		require.NoError(t, l.Submit(t.Context(), "bad"))
	}
	require.NoError(t, l.Submit(t.Context(), "good"))
	require.Equal(t, "good", <-handled, "the worker lives")
	_, err = l.Stop(t.Context())
	require.NoError(t, err)
	ledger := l.Gate().Ledger()
	require.Equal(t, []uint64{1, 3, 0}, []uint64{ledger.Done, ledger.Failed, ledger.Inside})
	_, err = p.Stop(t.Context())
	require.NoError(t, err)
}
