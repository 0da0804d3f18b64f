package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// allowed notes how much time the hook's context gives it.
func allowed(into *time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		if deadline, ok := ctx.Deadline(); ok {
			*into = time.Until(deadline)
		}
		return nil
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()

	bubble(t, "SoftDeadlineIsTheTimeoutLessTheReserve", func(t *testing.T) {
		for _, tt := range []struct{ reserve, timeout, want time.Duration }{
			{0, 15 * time.Second, 12 * time.Second},
			{0, 100 * time.Second, 95 * time.Second},
			{2 * time.Second, 10 * time.Second, 8 * time.Second},
			{9 * time.Second, 10 * time.Second, 5 * time.Second},
		} {
			var got time.Duration
			h := build(t, configured(lifecycle.Config{Reserve: tt.reserve, Grace: time.Second}), hook(lifecycle.Hook{OnStop: allowed(&got)}))
			require.NoError(t, h.start())
			require.NoError(t, h.stopIn(tt.timeout))
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.timeout-tt.want, h.Receipt().Reserve)
			assert.Equal(t, tt.timeout, h.Receipt().Timeout)
		}
	})

	bubble(t, "BudgetOfAHookBoundsIt", func(t *testing.T) {
		var start, stop, destroy time.Duration
		h := build(t, hook(lifecycle.Hook{OnStart: allowed(&start), OnStop: allowed(&stop), PreDestroy: allowed(&destroy), Budget: lifecycle.Budget{
			Start: 3 * time.Second, Stop: 2 * time.Second, PreDestroy: time.Second,
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []time.Duration{3 * time.Second, 2 * time.Second, time.Second}, []time.Duration{start, stop, destroy})
	})

	bubble(t, "ShareIsAPartOfWhatRemains", func(t *testing.T) {
		var first, second time.Duration
		h := build(t,
			hook(lifecycle.Hook{OnStop: allowed(&second), Budget: lifecycle.Budget{Share: 7}}), // as 1
			hook(lifecycle.Hook{OnStop: allowed(&first), Budget: lifecycle.Budget{Share: 0.25}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []time.Duration{3 * time.Second, 12 * time.Second}, []time.Duration{first, second})
	})

	bubble(t, "HungHookLeavesASliceForEachOther", func(t *testing.T) {
		var second, third time.Duration
		h := build(t, hook(lifecycle.Hook{OnStop: allowed(&third)}), hook(lifecycle.Hook{OnStop: allowed(&second)}),
			hook(lifecycle.Hook{Name: "hangs", OnStop: hanging(t)}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		assert.Equal(t, 10750*time.Millisecond, component(t, h.Receipt(), "hangs").Stop.Budget, "12 s less its grace, and twice 250 ms for each of the two")
		assert.Positive(t, second)
		assert.Positive(t, third)
		assert.Empty(t, h.Receipt().Cut, "the others were not cut")
	})

	bubble(t, "PastTheSoftDeadlineTheFewThatNeedAMomentHaveIt", func(t *testing.T) {
		moment := func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond)
			return nil
		}
		var opts []fx.Option
		for i := range 100 { // an equal part of the reserve of 2 s is 10 ms
			h := lifecycle.Hook{Name: fmt.Sprint("quick ", i), OnStop: func(context.Context) error { return nil }}
			if i%40 == 0 {
				h = lifecycle.Hook{Name: fmt.Sprint("needs a moment ", i), OnStop: moment}
			}
			opts = append(opts, hook(h))
		}
		never := intake.New("never quiet")
		h := build(t, append(opts, hook(lifecycle.Hook{Name: "holds the stop", Gate: never}))...)
		require.NoError(t, h.start())
		_, err := never.Enter(context.Background())
		require.NoError(t, err)
		require.ErrorIs(t, h.stopIn(10*time.Second), lifecycle.ErrWorkLost)
		assert.Positive(t, h.Receipt().Stages[len(h.Receipt().Stages)-1].At, "it was waited for")
		for _, c := range h.Receipt().Components {
			if c.Stop != nil {
				assert.Equal(t, lifecycle.OK, c.Stop.Outcome, c.Name)
			}
		}
	})

	bubble(t, "PreDestroyThatHasWorkToSaveHasTheTimeOfThoseThatHaveNone", func(t *testing.T) {
		var opts []fx.Option
		for i := range 20 {
			opts = append(opts, hook(lifecycle.Hook{Name: fmt.Sprint("empty ", i), PreDestroy: func(context.Context) error { return nil }}))
		}
		saves := func(name string, took time.Duration) *intake.Gate {
			gate := intake.New(name)
			var visit *intake.Visit
			opts = append(opts, hook(lifecycle.Hook{Name: name, Gate: gate,
				OnStart: func(ctx context.Context) (err error) { visit, err = gate.Enter(ctx); return err },
				PreDestroy: func(ctx context.Context) error {
					select {
					case <-time.After(took):
						visit.Save()
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}}))
			return gate
		}
		saves("first", 700*time.Millisecond) // of a reserve of 2 s; an equal part is 90 ms
		saves("second", 700*time.Millisecond)
		h := build(t, opts...)
		require.NoError(t, h.start())
		require.NoError(t, h.stopIn(10*time.Second))
		assert.EqualValues(t, 2, h.Receipt().Total.Saved)
	})

	bubble(t, "StopWithoutADeadlineGivesAllTheTimeThereIs", func(t *testing.T) {
		var destroy time.Duration
		h := build(t, hook(lifecycle.Hook{Name: "slow", OnStop: sleeping(time.Hour), PreDestroy: allowed(&destroy)}),
			hook(lifecycle.Hook{Name: "bound", OnStop: hanging(t), PreDestroy: hanging(t), Budget: lifecycle.Budget{Stop: time.Second, PreDestroy: time.Second}}))
		require.NoError(t, h.start())
		require.Error(t, h.Stop(context.Background()))
		assert.Zero(t, destroy, "no deadline")
		assert.Equal(t, lifecycle.OK, component(t, h.Receipt(), "slow").Stop.Outcome)
		assert.Equal(t, lifecycle.Hung, component(t, h.Receipt(), "bound").Stop.Outcome)
		assert.Equal(t, lifecycle.Hung, component(t, h.Receipt(), "bound").PreDestroy.Outcome)
		assert.Zero(t, h.Receipt().Timeout)
		assert.NotContains(t, h.Receipt().String(), "backup hooks")
	})

	bubble(t, "StopThatComesTooLateStillCallsEveryHook", func(t *testing.T) {
		var d diary
		var destroy time.Duration
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})), hook(d.noting(lifecycle.Hook{Name: "b"})),
			hook(lifecycle.Hook{PreDestroy: allowed(&destroy)}))
		require.NoError(t, h.start())
		require.NoError(t, h.stopIn(-time.Second))
		assert.Equal(t, []string{"start a", "start b", "stop b", "destroy b", "stop a", "destroy a"}, d.read())
		assert.Positive(t, destroy, "backup hooks have time all the same")
		assert.NotEmpty(t, h.Receipt().Cut)
	})

	bubble(t, "CancelledStopWaitsNoLongerAndCallsTheRest", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})),
			hook(lifecycle.Hook{Name: "patient", OnStop: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}))
		require.NoError(t, h.start())
		ctx, cancel := context.WithCancelCause(context.Background())
		impatient := errors.New("impatient")
		time.AfterFunc(time.Second, func() { cancel(impatient) })
		require.ErrorIs(t, h.Stop(ctx), impatient)
		assert.Equal(t, time.Second, h.Receipt().Took)
		assert.Equal(t, []string{"start a", "stop a", "destroy a"}, d.read())
		assert.Equal(t, "impatient", h.Receipt().Cut)
	})

	bubble(t, "CutEndsTheWaitingAndPreDestroyHasItsTime", func(t *testing.T) {
		var destroy time.Duration
		h := build(t, hook(lifecycle.Hook{Name: "patient", OnStop: func(ctx context.Context) error { <-ctx.Done(); return nil }, PreDestroy: allowed(&destroy)}))
		require.NoError(t, h.start())
		time.AfterFunc(time.Second, func() { h.Cut(lifecycle.ErrCut) })
		require.NoError(t, h.stop())
		assert.Equal(t, time.Second, h.Receipt().Took)
		assert.Equal(t, 2900*time.Millisecond, destroy, "the reserve, less the time of the receipt")
		assert.Equal(t, lifecycle.ErrCut.Error(), h.Receipt().Cut)
	})

	bubble(t, "HookThatEndsWithinTheGraceIsNotHung", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "late", Budget: lifecycle.Budget{Stop: time.Second}, OnStop: func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(200 * time.Millisecond)
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, 1200*time.Millisecond, component(t, h.Receipt(), "late").Stop.Took)
	})
}

// TestHungHooksLeaveTheOthersWhole: whoever hangs, the next is called with a
// context that is alive.
func TestHungHooksLeaveTheOthersWhole(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 5; n++ {
		for _, timeout := range []time.Duration{500 * time.Millisecond, 15 * time.Second, time.Minute} {
			for _, budget := range []lifecycle.Budget{{}, {Stop: time.Hour}, {Share: 1}} {
				bubble(t, fmt.Sprintf("%dIn%sWith%v", n, timeout, budget), func(t *testing.T) {
					var left time.Duration
					opts := []fx.Option{hook(lifecycle.Hook{Name: "healthy", OnStop: func(ctx context.Context) error {
						assert.NoError(t, ctx.Err())
						return allowed(&left)(ctx)
					}})}
					hang := hanging(t)
					for range n {
						opts = append(opts, hook(lifecycle.Hook{OnStop: hang, Budget: budget}))
					}
					h := build(t, opts...)
					require.NoError(t, h.start())
					require.Error(t, h.stopIn(timeout))
					assert.Positive(t, left)
					assert.Empty(t, h.Receipt().Cut)
					if timeout > time.Second {
						assert.Equal(t, 500*time.Millisecond, left, "its slice and its grace")
					}
				})
			}
		}
	}
}

func TestPreDestroyBudget(t *testing.T) {
	t.Parallel()

	bubble(t, "OneThatAsksForAllOfItLeavesTheOthersTheirPart", func(t *testing.T) {
		for _, timeout := range []time.Duration{time.Second, 15 * time.Second} {
			var next, last time.Duration
			h := build(t, hook(lifecycle.Hook{PreDestroy: allowed(&last)}), hook(lifecycle.Hook{PreDestroy: allowed(&next)}),
				hook(lifecycle.Hook{Name: "greedy", PreDestroy: hanging(t), Budget: lifecycle.Budget{PreDestroy: time.Hour}}))
			require.NoError(t, h.start())
			require.Error(t, h.stopIn(timeout))
			part := min(250*time.Millisecond, (timeout/5-timeout/50)/3)
			assert.GreaterOrEqual(t, next, part)
			assert.GreaterOrEqual(t, last, part)
		}
	})

	bubble(t, "OneThatFitsIsGivenWhatItAsksFor", func(t *testing.T) {
		var got, next time.Duration
		h := build(t, hook(lifecycle.Hook{OnStop: hanging(t)}),
			hook(lifecycle.Hook{PreDestroy: allowed(&next)}),
			hook(lifecycle.Hook{PreDestroy: allowed(&got), Budget: lifecycle.Budget{PreDestroy: 2 * time.Second}}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		assert.Equal(t, 2*time.Second, got)
		assert.Greater(t, next, 2*time.Second)
	})

	bubble(t, "OneThatHangsBeforeTheSoftDeadlineLeavesTheNextOnStopItsTime", func(t *testing.T) {
		var next time.Duration
		h := build(t, hook(lifecycle.Hook{OnStop: allowed(&next)}), hook(lifecycle.Hook{Name: "hangs", PreDestroy: hanging(t)}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		assert.Equal(t, 5300*time.Millisecond, component(t, h.Receipt(), "hangs").PreDestroy.Budget, "a fifth of the 12 s, and the reserve")
		assert.Equal(t, 6450*time.Millisecond, next)
	})

	bubble(t, "OneThatAsksForAllOfItLeavesTheNextOnStopItsSlice", func(t *testing.T) {
		var next time.Duration
		h := build(t, hook(lifecycle.Hook{OnStop: allowed(&next)}),
			hook(lifecycle.Hook{PreDestroy: hanging(t), Budget: lifecycle.Budget{PreDestroy: time.Hour}}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		assert.Positive(t, next)
		assert.Empty(t, h.Receipt().Cut)
	})

	bubble(t, "HooksThatAreNotCalledHaveNoPart", func(t *testing.T) {
		var got time.Duration
		h := build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }, OnStop: sleeping(0)}),
			hook(lifecycle.Hook{PreDestroy: allowed(&got), OnStop: sleeping(0)}))
		require.ErrorIs(t, h.start(), errBroken)
		assert.Equal(t, 14900*time.Millisecond, got)
	})

	bubble(t, "LastOneHasAllThatIsLeft", func(t *testing.T) {
		var got time.Duration
		h := build(t, hook(lifecycle.Hook{PreDestroy: allowed(&got)}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, 14900*time.Millisecond, got)
	})
}

// TestCutStopEndsWithinTheReserve: after a second signal nobody waits for the
// clock of the stop timeout.
func TestCutStopEndsWithinTheReserve(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{0, time.Minute} {
		for _, at := range []time.Duration{0, 3 * time.Second} {
			for _, budget := range []lifecycle.Budget{{}, {Stop: time.Hour, PreDestroy: time.Hour}} {
				bubble(t, fmt.Sprintf("CutAt%sOf%sWith%v", at, timeout, budget), func(t *testing.T) {
					hang := hanging(t)
					var opts []fx.Option
					for range 3 {
						opts = append(opts, hook(lifecycle.Hook{PreDestroy: hang, Budget: budget}), hook(lifecycle.Hook{OnStop: hang, Budget: budget}))
					}
					h := build(t, configured(lifecycle.Config{Reserve: 5 * time.Second}), fx.Options(opts...))
					require.NoError(t, h.start())
					time.AfterFunc(at, func() { h.Cut(lifecycle.ErrCut) })
					if timeout == 0 {
						require.Error(t, h.Stop(context.Background()))
					} else {
						require.Error(t, h.stopIn(timeout))
					}
					assert.LessOrEqual(t, h.Receipt().Took, at+5*time.Second+10*time.Millisecond)
				})
			}
		}
	}

	bubble(t, "BackupHookThatIsRunningIsShortenedToItsPart", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "saves", PreDestroy: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}))
		require.NoError(t, h.start())
		time.AfterFunc(time.Second, func() { h.Cut(errBroken) })
		require.ErrorIs(t, h.stopIn(time.Minute), errBroken)
		assert.Equal(t, 5900*time.Millisecond, h.Receipt().Took)
	})
}

// TestStopEnds: whatever hangs, the stop is over when its time is, and the
// caller gets what was reported before it gives up.
func TestStopEnds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 20} {
		for _, timeout := range []time.Duration{500 * time.Millisecond, 15 * time.Second, 10 * time.Minute} {
			for _, parallel := range []bool{false, true} {
				t.Run(fmt.Sprintf("%dHungHooksIn%sParallel%v", n, timeout, parallel), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						hang := hanging(t)
						var opts []fx.Option
						for range n {
							opts = append(opts, hook(lifecycle.Hook{OnStop: hang, PreDestroy: hang}))
						}
						h := build(t, configured(lifecycle.Config{Parallel: parallel}), fx.Options(opts...))
						require.NoError(t, h.start())
						require.Error(t, h.stopIn(timeout))
						r := h.Receipt()
						assert.LessOrEqual(t, r.Took, timeout+time.Duration(2*n)*time.Millisecond, "each hook gets a millisecond at the least")
						for _, c := range r.Components {
							require.NotNil(t, c.Stop)
							require.NotNil(t, c.PreDestroy)
							assert.Equal(t, lifecycle.Hung, c.PreDestroy.Outcome)
						}
					})
				})
			}
		}
	}
}
