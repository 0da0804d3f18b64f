package lifecycle_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func come(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestStages(t *testing.T) {
	t.Parallel()

	bubble(t, "MomentsComeInTheirOrder", func(t *testing.T) {
		var h house
		moments := []lifecycle.Signal{lifecycle.Started, lifecycle.NotReady, lifecycle.IngressClosed, lifecycle.Quiet, lifecycle.Finished}
		// by checks that the first n moments have come, and no other.
		by := func(n int, when string) {
			for i, s := range moments {
				assert.Equal(t, i < n, come(h.When(s)), "%s %s", s, when)
			}
		}
		at := func(n int, when string) func(context.Context) error {
			return func(context.Context) error { by(n, when); return nil }
		}
		gate := intake.New("pool")
		work, err := gate.Enter(t.Context())
		require.NoError(t, err)
		h = build(t,
			hook(lifecycle.Hook{Gate: gate, OnStart: at(0, "at start"), OnStop: at(4, "at stop of the pool"), PreDestroy: at(4, "at its end")}),
			hook(lifecycle.Hook{Band: lifecycle.Ingress, OnStop: at(2, "at stop of the ingress")}))
		assert.Equal(t, lifecycle.Constructing, h.State())
		require.NoError(t, h.start())
		assert.True(t, h.Ready())
		time.AfterFunc(time.Second, func() { by(3, "while work is inside"); work.Done() })
		require.NoError(t, h.stop())
		by(5, "at the end")
		assert.Equal(t, lifecycle.Stopped, h.State())
		for _, s := range h.Receipt().Stages {
			assert.True(t, s.Reached, s.Name)
		}
	})

	bubble(t, "PreStopDelayKeepsServingButIsNotReady", func(t *testing.T) {
		gate := intake.New("http")
		h := build(t, configured(lifecycle.Config{PreStopDelay: 2 * time.Second}), hook(lifecycle.Hook{Gate: gate}))
		require.NoError(t, h.start())
		time.AfterFunc(time.Second, func() {
			assert.False(t, h.Ready())
			assert.True(t, come(h.When(lifecycle.NotReady)))
			assert.Equal(t, intake.Open, gate.State())
		})
		require.NoError(t, h.stop())
		assert.Equal(t, intake.Draining, gate.State())
		assert.GreaterOrEqual(t, h.Receipt().Took, 2*time.Second)
	})

	bubble(t, "PreStopDelayIsForThoseWhoWereReady", func(t *testing.T) {
		h := build(t, configured(lifecycle.Config{PreStopDelay: 2 * time.Second}))
		require.NoError(t, h.stop())
		assert.Zero(t, h.Receipt().Took)
	})

	bubble(t, "PreStopDelayEndsWhenWaitingIsCut", func(t *testing.T) {
		h := build(t, configured(lifecycle.Config{PreStopDelay: 10 * time.Second}))
		require.NoError(t, h.start())
		time.AfterFunc(time.Second, func() { h.Cut(lifecycle.ErrCut) })
		require.NoError(t, h.stop())
		assert.Equal(t, time.Second, h.Receipt().Took)
	})

	bubble(t, "GateOfAHungIngressHookIsClosedBeforeItsPreDestroy", func(t *testing.T) {
		gate := intake.New("http")
		h := build(t, hook(lifecycle.Hook{Band: lifecycle.Ingress, Gate: gate, OnStop: hanging(t), PreDestroy: func(context.Context) error {
			assert.Equal(t, intake.Draining, gate.State())
			return nil
		}}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
	})

	bubble(t, "GateOfWhatHasNotStartedIsClosedButNotWaitedFor", func(t *testing.T) {
		gate := intake.New("pool")
		work, err := gate.Enter(t.Context()) // by a constructor
		require.NoError(t, err)
		h := build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }}),
			hook(lifecycle.Hook{Gate: gate, PreDestroy: func(context.Context) error { work.Save(); return nil }}))
		require.Error(t, h.start())
		assert.Zero(t, h.Receipt().Took)
		assert.Equal(t, intake.Draining, gate.State())
		assert.EqualValues(t, 1, h.Receipt().Total.Saved)
	})

	bubble(t, "GateThatIsAppendedDuringTheStopIsClosedAndInTheReceipt", func(t *testing.T) {
		gate := intake.New("late")
		work, err := gate.Enter(t.Context())
		require.NoError(t, err)
		var lc fx.Lifecycle
		h := build(t, fx.Populate(&lc), hook(lifecycle.Hook{OnStop: func(context.Context) error {
			lifecycle.Append(lc, lifecycle.Hook{Name: "late", Gate: gate, PreDestroy: func(context.Context) error {
				assert.Equal(t, intake.Draining, gate.State())
				work.Save()
				return nil
			}})
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		require.Len(t, h.Receipt().Gates, 1)
		assert.EqualValues(t, 1, h.Receipt().Total.Saved)
	})

	bubble(t, "LedgerThatPanicsIsAnErrorAndTheStopGoesOn", func(t *testing.T) {
		var d diary
		gate := intake.New("pool", intake.Counted(func() intake.Ledger { panic("oops") }))
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})), hook(lifecycle.Hook{Gate: gate}))
		require.NoError(t, h.start())
		err := h.stop()
		require.ErrorIs(t, err, lifecycle.ErrWorkLost)
		require.ErrorContains(t, err, "its ledger panicked: oops")
		assert.Equal(t, []string{"start a", "stop a", "destroy a"}, d.read())
		assert.False(t, h.Receipt().Gates[0].Balanced)
		assert.Contains(t, h.Receipt().Notes[0], "what came of the work of pool is not known")
		assert.Contains(t, h.Receipt().String(), "pool  not known")
	})

	bubble(t, "StageThatWasNotReachedSaysWhenItWasGivenUp", func(t *testing.T) {
		gate := intake.New("pool")
		work, err := gate.Enter(t.Context())
		require.NoError(t, err)
		defer work.Done()
		h := build(t, configured(lifecycle.Config{PreStopDelay: time.Minute}), hook(lifecycle.Hook{Gate: gate}))
		require.NoError(t, h.start())
		time.AfterFunc(time.Second, func() { h.Cut(nil) })
		require.Error(t, h.stop())
		assert.Contains(t, h.Receipt().String(), "pre-stop delay  not reached by +1s\n")
		assert.Contains(t, h.Receipt().String(), "quiet           not reached by +1s: inside pool 1\n")
	})

	bubble(t, "PreDestroyHasTheValuesOfTheCallersContext", func(t *testing.T) {
		type key struct{}
		h := build(t, hook(lifecycle.Hook{PreDestroy: func(ctx context.Context) error {
			assert.Equal(t, "trace", ctx.Value(key{}))
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.Stop(context.WithValue(context.Background(), key{}, "trace")))
	})

	bubble(t, "OtherGatesDrainOnlyWhenIngressHasClosed", func(t *testing.T) {
		http, pool := intake.New("http"), intake.New("pool")
		h := build(t, hook(lifecycle.Hook{Gate: pool}), hook(lifecycle.Hook{Band: lifecycle.Ingress, Gate: http, OnStop: func(context.Context) error {
			time.Sleep(time.Second)
			assert.Equal(t, intake.Open, pool.State(), "requests in flight still submit")
			http.Drain()
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, intake.Draining, pool.State())
	})

	bubble(t, "QuietDoesNotComeWhenTimeRunsOutAndTheWorkIsCounted", func(t *testing.T) {
		gate := intake.New("pool")
		work, err := gate.Enter(t.Context())
		require.NoError(t, err)
		defer work.Done()
		var left time.Duration
		h := build(t, hook(lifecycle.Hook{Gate: gate, OnStop: allowed(&left)}))
		require.NoError(t, h.start())
		err = h.stop()
		require.ErrorIs(t, err, lifecycle.ErrWorkLost)
		assert.False(t, come(h.When(lifecycle.Quiet)))
		assert.True(t, come(h.When(lifecycle.Finished)))
		assert.Equal(t, 1200*time.Millisecond, left, "a tenth of the 12 s is left to the hooks")
		assert.Equal(t, lifecycle.ExitWorkLost, h.Receipt().ExitCode())
		assert.EqualValues(t, 1, h.Receipt().WorkLost())
		assert.Contains(t, h.Receipt().String(), "stopped with 1 pieces of work LOST")
	})

	bubble(t, "WorkThatPreDestroySavesIsNotLost", func(t *testing.T) {
		gate := intake.New("pool")
		work, err := gate.Enter(t.Context())
		require.NoError(t, err)
		h := build(t, hook(lifecycle.Hook{Gate: gate, PreDestroy: func(context.Context) error { work.Save(); return nil }}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.EqualValues(t, 1, h.Receipt().Total.Saved)
		assert.Equal(t, lifecycle.ExitClean, h.Receipt().ExitCode())
	})

	bubble(t, "LedgerThatDoesNotBalanceIsAnError", func(t *testing.T) {
		gate := intake.New("pool", intake.Counted(func() intake.Ledger { return intake.Ledger{Offered: 2, Accepted: 1, Done: 1} }))
		h := build(t, hook(lifecycle.Hook{Gate: gate}))
		require.NoError(t, h.start())
		require.ErrorIs(t, h.stop(), lifecycle.ErrWorkLost)
		assert.False(t, h.Receipt().Gates[0].Balanced)
		assert.Contains(t, h.Receipt().String(), "UNBALANCED")
	})
}

func keep(events []string, wanted ...string) []string {
	var kept []string
	for _, e := range events {
		for _, w := range wanted {
			if e == w {
				kept = append(kept, e)
			}
		}
	}
	return kept
}

func TestOutcomes(t *testing.T) {
	t.Parallel()

	stopped := func(t *testing.T, onStop func(context.Context) error) (*lifecycle.HookReport, error) {
		t.Helper()
		var d diary
		h := build(t, fx.Module("others", hook(d.noting(lifecycle.Hook{Name: "after it"}))),
			fx.Module("billing", hook(lifecycle.Hook{Name: "it", OnStop: onStop, PreDestroy: d.note("it destroyed")})))
		require.NoError(t, h.start())
		err := h.stop()
		require.Equal(t, []string{"start after it", "it destroyed", "stop after it", "destroy after it"}, d.read())
		assert.Equal(t, lifecycle.ExitHookFailed, h.Receipt().ExitCode())
		assert.False(t, h.Receipt().Clean())
		var hookErr *lifecycle.HookError
		require.ErrorAs(t, err, &hookErr)
		assert.Equal(t, lifecycle.HookError{Component: "it", Module: "billing", Phase: lifecycle.PhaseStop, Err: hookErr.Err}, *hookErr)
		return component(t, h.Receipt(), "it").Stop, err
	}

	bubble(t, "Failed", func(t *testing.T) {
		report, err := stopped(t, func(context.Context) error { return errBroken })
		require.ErrorIs(t, err, errBroken)
		assert.Equal(t, lifecycle.Failed, report.Outcome)
		assert.Equal(t, "lifecycle: stop it (module billing): broken", report.Error)
	})

	bubble(t, "PanickedWithItsStack", func(t *testing.T) {
		report, err := stopped(t, func(context.Context) error { panic(errBroken) })
		require.ErrorIs(t, err, errBroken)
		assert.Equal(t, lifecycle.Panicked, report.Outcome)
		assert.Contains(t, report.Stack, "stop_test.go")
		var p *lifecycle.PanicError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, errBroken, p.Value)
	})

	bubble(t, "PanickedWithSomethingElseThanAnError", func(t *testing.T) {
		_, err := stopped(t, func(context.Context) error { panic("oops") })
		require.ErrorContains(t, err, "panic: oops")
	})

	bubble(t, "GoexitIsAFailure", func(t *testing.T) {
		report, err := stopped(t, func(context.Context) error { runtime.Goexit(); return nil })
		assert.Equal(t, lifecycle.Failed, report.Outcome)
		require.ErrorContains(t, err, "runtime.Goexit")
	})

	bubble(t, "HungWithTheLineAndTheStack", func(t *testing.T) {
		report, err := stopped(t, hanging(t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, lifecycle.Hung, report.Outcome)
		assert.Contains(t, report.Stack, "helpers_test.go")
		var hang *lifecycle.HangError
		require.ErrorAs(t, err, &hang)
		assert.Contains(t, hang.Where, "lifecycle_test.hanging")
		assert.Contains(t, hang.Where, "helpers_test.go:")
		assert.Contains(t, err.Error(), "its time to stop was over (Budget, fx.StopTimeout less the reserve)")
		assert.NotContains(t, err.Error(), "start")
	})

	bubble(t, "FailedPreDestroyIsAnErrorToo", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "it", PreDestroy: func(context.Context) error { return errBroken }}))
		require.NoError(t, h.start())
		require.EqualError(t, h.stop(), "lifecycle: pre-destroy it: broken")
	})

	bubble(t, "DescribeAddsDetails", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "http", Describe: func() []string { return []string{"cut GET /slow after 3s"} }}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"cut GET /slow after 3s"}, component(t, h.Receipt(), "http").Details)
		assert.Contains(t, h.Receipt().String(), "http: cut GET /slow after 3s")
	})

	bubble(t, "DescribeThatPanicsOrHangsDoesNotHoldTheStop", func(t *testing.T) {
		hang := hanging(t)
		h := build(t, hook(lifecycle.Hook{Name: "a", Describe: func() []string { panic("oops") }}),
			hook(lifecycle.Hook{Name: "b", Describe: func() []string { _ = hang(context.Background()); return nil }}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"Describe panicked: oops"}, component(t, h.Receipt(), "a").Details)
		assert.Equal(t, []string{"Describe did not return"}, component(t, h.Receipt(), "b").Details)
	})

	bubble(t, "DescribeThatHangsHasNoMoreTimeThanACutLeaves", func(t *testing.T) {
		hang := hanging(t)
		for _, total := range []time.Duration{time.Hour, 0} {
			h := build(t, configured(lifecycle.Config{Grace: time.Minute, Reserve: 4 * time.Second}),
				hook(lifecycle.Hook{Name: "a", Describe: func() []string { _ = hang(context.Background()); return nil }}))
			require.NoError(t, h.start())
			h.Cut(nil)
			began := time.Now()
			if total == 0 {
				require.NoError(t, h.Stop(context.Background()))
			} else {
				require.NoError(t, h.stopIn(total))
			}
			assert.LessOrEqual(t, time.Since(began), 4*time.Second)
			assert.Equal(t, []string{"Describe did not return"}, component(t, h.Receipt(), "a").Details)
		}
	})

	bubble(t, "DescribesThatHangAreAskedAtTheSameTime", func(t *testing.T) {
		hang := hanging(t)
		var opts []fx.Option
		for range 10 {
			opts = append(opts, hook(lifecycle.Hook{Describe: func() []string { _ = hang(context.Background()); return nil }}))
		}
		h := build(t, append(opts, hook(lifecycle.Hook{Name: "well", Describe: func() []string { return []string{"well"} }}))...)
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, 250*time.Millisecond, h.Receipt().Took)
		assert.Equal(t, []string{"well"}, component(t, h.Receipt(), "well").Details)
	})

	bubble(t, "DescribeThatHangsDoesNotHoldAStopThatHasRunOutOfTime", func(t *testing.T) {
		hang := hanging(t)
		h := build(t, hook(lifecycle.Hook{OnStop: hang, PreDestroy: hang, Describe: func() []string { _ = hang(context.Background()); return nil }}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		assert.Less(t, h.Receipt().Took, patience)
	})

	bubble(t, "StopOfWhatHasStoppedGivesTheResultWhateverItsContextSays", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStop: func(context.Context) error { return errBroken }}))
		require.NoError(t, h.start())
		require.ErrorIs(t, h.stop(), errBroken)
		for range 100 {
			require.ErrorIs(t, h.stopIn(-time.Second), errBroken)
		}
	})

	bubble(t, "EverybodyWhoStopsGetsTheSameError", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStop: func(context.Context) error { time.Sleep(time.Second); return errBroken }}))
		require.NoError(t, h.start())
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.ErrorIs(t, h.stop(), errBroken) })
		}
		wg.Wait()
		require.ErrorIs(t, h.stop(), errBroken)
		assert.Equal(t, time.Second, h.Receipt().Took)
	})

	bubble(t, "SecondStopGivesUpWithItsOwnContext", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStop: sleeping(3 * time.Second)}))
		require.NoError(t, h.start())
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, h.stop()) })
		<-h.When(lifecycle.NotReady)
		require.ErrorIs(t, h.stopIn(time.Second), context.DeadlineExceeded)
		assert.Nil(t, h.Receipt())
		wg.Wait()
	})
}

func TestLeaks(t *testing.T) {
	t.Parallel()

	t.Run("GoroutinesLeftBehindAreNamedByComponent", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		var left sync.WaitGroup
		t.Cleanup(func() { close(release); left.Wait() })
		h := build(t,
			fx.Provide(func(lc fx.Lifecycle) *cache {
				left.Go(func() { leftByConstructor(release) })
				lifecycle.PreDestroy(lc, "cache", func(context.Context) error { return nil })
				return nil
			}), fx.Invoke(func(*cache) {}),
			hook(lifecycle.Hook{Name: "queue", OnStart: func(context.Context) error {
				for range 2 {
					left.Go(func() { leftByStart(release) })
				}
				return nil
			}}),
			hook(lifecycle.Hook{Name: "tidy", OnStart: func(context.Context) error {
				left.Go(func() {})
				return nil
			}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop(), "a leak is reported, it is not an error")
		leaks := h.Receipt().Leaks
		require.Len(t, leaks, 2)
		assert.Equal(t, "cache", leaks[0].Component)
		assert.Contains(t, leaks[0].Where, "leftByConstructor")
		assert.Equal(t, "queue", leaks[1].Component)
		assert.Equal(t, 2, leaks[1].Count)
		assert.Contains(t, leaks[1].Stack, "leftByStart")
		assert.Contains(t, h.Receipt().String(), "left behind by queue: 2 goroutine(s) in")
	})

	t.Run("ConnectionsOfAnHTTPClientAreItsTransports", func(t *testing.T) {
		t.Parallel()
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		defer srv.Close()
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		h := build(t, hook(lifecycle.Hook{Name: "asks", OnStart: func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, http.NoBody)
			require.NoError(t, err)
			resp, err := client.Do(req)
			require.NoError(t, err)
			return resp.Body.Close()
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Empty(t, h.Receipt().Leaks)
	})

	t.Run("NobodyWhoTidiesUpIsNamed", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		h := build(t, hook(lifecycle.Hook{
			OnStart: func(context.Context) error { go func() { <-release }(); return nil },
			OnStop:  func(context.Context) error { close(release); return nil },
		}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Empty(t, h.Receipt().Leaks)
	})

	t.Run("GoroutineOfAComponentThatStopsTheApplicationIsNoLeak", func(t *testing.T) {
		t.Parallel()
		var h house
		done := make(chan error, 1)
		h = build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error {
			go func() {
				<-h.When(lifecycle.Started)
				done <- h.stop()
			}()
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, <-done)
		assert.Empty(t, h.Receipt().Leaks)
	})
}

func leftByConstructor(release <-chan struct{}) { <-release }
func leftByStart(release <-chan struct{})       { <-release }

func TestInterceptors(t *testing.T) {
	t.Parallel()

	intercept := func(i lifecycle.Interceptor) fx.Option {
		return fx.Supply(fx.Annotate(i, fx.ResultTags(`group:"`+lifecycle.InterceptorGroup+`"`)))
	}

	bubble(t, "TheyStandAroundEveryHook", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})), intercept(
			func(name string, phase lifecycle.Phase, next func(context.Context) error) func(context.Context) error {
				return func(ctx context.Context) error {
					d.add("before " + phase.String() + " " + name)
					return next(ctx)
				}
			}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"before start a", "start a", "before stop a", "stop a", "before pre-destroy a", "destroy a"}, d.read())
	})

	bubble(t, "OneThatPanicsIsThePanicOfTheHook", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "a", OnStop: sleeping(0)}), intercept(
			func(string, lifecycle.Phase, func(context.Context) error) func(context.Context) error { panic("oops") }))
		require.NoError(t, h.start())
		require.ErrorContains(t, h.stop(), "stop a: panic: oops")
	})
}

func TestCauses(t *testing.T) {
	t.Parallel()

	bubble(t, "FirstCauseIsTheReceiptsAndTheOthersStandBesideIt", func(t *testing.T) {
		h := build(t)
		require.NoError(t, h.start())
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: "SIGTERM"})
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "acme.watch", Err: errBroken})
		require.NoError(t, h.stop())
		r := h.Receipt()
		assert.Equal(t, "SIGTERM", r.Cause.String())
		require.Len(t, r.AlsoAsked, 1)
		assert.Equal(t, "shutdown by acme.watch: broken", r.AlsoAsked[0].String())
		assert.Contains(t, r.String(), "also asked: shutdown by acme.watch: broken")
		assert.Equal(t, lifecycle.ExitClean, r.ExitCode())
	})

	bubble(t, "WhoAskedIsInTheReceiptAlsoWhenTheCauseIsAnother", func(t *testing.T) {
		var sd fx.Shutdowner
		stopped := build(t, fx.Populate(&sd), hook(lifecycle.Hook{OnStop: func(context.Context) error { return sd.Shutdown() }}))
		require.NoError(t, stopped.start())
		require.NoError(t, stopped.stop())
		assert.Equal(t, "stop", stopped.Receipt().Cause.String())
		assert.Len(t, stopped.Receipt().AlsoAsked, 1)

		failed := build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }}))
		failed.Because(lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "acme.watch"})
		require.Error(t, failed.start())
		require.Len(t, failed.Receipt().AlsoAsked, 1)
		assert.Equal(t, "acme.watch", failed.Receipt().AlsoAsked[0].By)
	})

	bubble(t, "CutIsMatchedByErrCutAndByItsCause", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStop: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}))
		require.NoError(t, h.start())
		h.Cut(errBroken)
		h.Cut(errors.New("later"))
		err := h.stop()
		require.ErrorIs(t, err, lifecycle.ErrCut)
		require.ErrorIs(t, err, errBroken)
		assert.Equal(t, "the stop was told to wait no longer: broken", h.Receipt().Cut)
	})

	t.Run("ShutdownOfAFailedComponentIsExitCode3", func(t *testing.T) {
		t.Parallel()
		var sd fx.Shutdowner
		h := build(t, fx.Populate(&sd))
		require.NoError(t, h.start())
		asked := h.app.Wait()
		require.NoError(t, lifecycle.Shutdown(sd, errBroken, fx.ExitCode(42)))
		require.NoError(t, lifecycle.Shutdown(sd, errors.New("later")))
		require.NoError(t, sd.Shutdown())
		assert.Equal(t, 42, (<-asked).ExitCode)
		require.NoError(t, h.stop())
		require.NoError(t, h.app.Stop(t.Context()), "fx stops its listeners")
		r := h.Receipt()
		require.ErrorIs(t, r.Cause.Err, errBroken)
		assert.True(t, strings.HasPrefix(r.Cause.By, "lifecycle_test.TestCauses"), r.Cause.By)
		assert.Len(t, r.AlsoAsked, 2)
		assert.Equal(t, lifecycle.ExitHookFailed, r.ExitCode())
		assert.False(t, r.Clean())
		assert.Contains(t, r.String(), "stopped because a component failed, else cleanly in")
	})

	t.Run("WithoutTheModuleShutdownIsFxs", func(t *testing.T) {
		t.Parallel()
		var sd fx.Shutdowner
		a := fx.New(fx.NopLogger, fx.Populate(&sd))
		asked := a.Wait()
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, lifecycle.Shutdown(sd, errBroken, fx.ExitCode(9)))
		assert.Equal(t, 9, (<-asked).ExitCode)
		require.NoError(t, a.Stop(t.Context()))
	})
}
