package lifecycle_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestModule(t *testing.T) {
	t.Parallel()

	t.Run("WorksInABareFxApp", func(t *testing.T) {
		t.Parallel()
		var d diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "http", Band: lifecycle.Ingress})), hook(d.noting(lifecycle.Hook{Name: "pool"})))
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, a.Stop(t.Context()))
		assert.Equal(t, []string{"start pool", "start http", "stop http", "destroy http", "stop pool", "destroy pool"}, d.read())
	})

	bubble(t, "WorksInFxtest", func(t *testing.T) {
		var d diary
		a := fxtest.New(t, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "a"})))
		a.RequireStart()
		a.RequireStop()
		assert.Equal(t, []string{"start a", "stop a", "destroy a"}, d.read())
	})

	bubble(t, "BareFxGetsTheErrorsOfAStopThatRanOutOfTime", func(t *testing.T) {
		hang := hanging(t)
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(lifecycle.Hook{Name: "stuck", OnStop: hang, PreDestroy: hang}))
		require.NoError(t, a.Start(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := a.Stop(ctx)
		require.ErrorContains(t, err, "stop stuck: abandoned after 12.25s in")
		require.ErrorContains(t, err, "pre-destroy stuck")
	})

	t.Run("FailedNewDestroysWhatWasConstructed", func(t *testing.T) {
		t.Parallel()
		var d diary
		var c *lifecycle.Conductor
		a := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&c), hook(d.noting(lifecycle.Hook{Name: "file"})),
			fx.Invoke(func() error { return errBroken }))
		require.ErrorIs(t, a.Err(), errBroken)
		assert.Equal(t, []string{"destroy file"}, d.read())
		require.ErrorIs(t, c.Receipt().Cause.Err, errBroken)
		assert.Equal(t, lifecycle.ExitStartFailed, c.Receipt().ExitCode())
		c.Undo(nil)
		assert.Equal(t, []string{"destroy file"}, d.read(), "once")
	})

	t.Run("PanicInAConstructorDestroysWhatWasConstructed", func(t *testing.T) {
		t.Parallel()
		var d diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "file"})),
			fx.Provide(func() *cache { panic("oops") }), fx.Invoke(func(*cache) {}))
		require.ErrorContains(t, a.Err(), "oops")
		assert.Equal(t, []string{"destroy file"}, d.read())
	})

	t.Run("GivenTwiceTheErrorSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		a := fx.New(fx.NopLogger, lifecycle.Module(), lifecycle.Module())
		require.ErrorContains(t, a.Err(), "OnlyOneModulePerApp")
	})

	t.Run("InsideAnFxModuleItIsRefused", func(t *testing.T) {
		t.Parallel()
		a := fx.New(fx.NopLogger, fx.Module("inner", lifecycle.Module()))
		require.ErrorContains(t, a.Err(), "should be passed to top-level App, not to fx.Module")
	})

	t.Run("WrongConfigIsRefusedWithEveryField", func(t *testing.T) {
		t.Parallel()
		a := fx.New(fx.NopLogger, lifecycle.Module(), fx.Supply(lifecycle.Config{StartTimeout: -1, StopTimeout: -1, Reserve: -1, PreStopDelay: -1, Grace: -1}))
		for _, field := range []string{"start_timeout", "stop_timeout", "reserve", "pre_stop_delay", "grace"} {
			require.ErrorContains(t, a.Err(), field+": -1ns is negative")
		}
	})

	bubble(t, "ConfigOfTheGraphTakesThePlaceOfTheOneInCode", func(t *testing.T) {
		var c *lifecycle.Conductor
		a := fx.New(tapped, lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{PreStopDelay: time.Hour})),
			fx.Supply(lifecycle.Config{PreStopDelay: time.Second}), fx.Populate(&c))
		require.NoError(t, a.Err())
		h := house{c, a}
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, time.Second, h.Receipt().Took)
	})

	t.Run("TimeoutsAreThoseOfTheConfig", func(t *testing.T) {
		t.Parallel()
		h := build(t, configured(lifecycle.Config{StartTimeout: time.Minute, StopTimeout: time.Hour}))
		start, stop := h.Timeouts()
		assert.Equal(t, []time.Duration{time.Minute, time.Hour}, []time.Duration{start, stop})
		start, stop = build(t).Timeouts()
		assert.Zero(t, start+stop, "those of Fx")
	})

	bubble(t, "RollbackOfBareFxHasTheStopTimeout", func(t *testing.T) {
		var left time.Duration
		a := fx.New(fx.NopLogger, lifecycle.Module(), configured(lifecycle.Config{StopTimeout: 100 * time.Second}),
			hook(lifecycle.Hook{OnStop: allowed(&left)}), hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }}))
		require.ErrorIs(t, a.Start(t.Context()), errBroken)
		assert.Equal(t, 95*time.Second, left)
	})

	t.Run("ConfigOfTheGraphTakesThePlaceAsAWholeAndAZeroOneDoesNot", func(t *testing.T) {
		t.Parallel()
		inCode := lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{StopTimeout: time.Hour}))
		for want, inGraph := range map[time.Duration]lifecycle.Config{0: {Grace: 1}, time.Hour: {}} {
			var c *lifecycle.Conductor
			require.NoError(t, fx.New(fx.NopLogger, inCode, configured(inGraph), fx.Populate(&c)).Err())
			_, stop := c.Timeouts()
			assert.Equal(t, want, stop)
		}
	})

	t.Run("StartOfFxBehindAStopIsNoError", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		require.NoError(t, h.app.Start(t.Context()), "app.App brings Fx's state along")
	})

	t.Run("StartAfterAStopIsAnErrorWhereFxDrives", func(t *testing.T) {
		t.Parallel()
		a := fx.New(fx.NopLogger, lifecycle.Module())
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, a.Stop(t.Context()))
		require.ErrorContains(t, a.Start(t.Context()), "cannot start: the application is stopped")
	})

	t.Run("InsteadLeavesTheReceiptOfTheLastRealStop", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		require.NoError(t, os.WriteFile(file, []byte("the last one"), 0o644))
		core, logs := observer.New(zap.InfoLevel)
		var printed strings.Builder
		for _, tidyUp := range []func(house) error{house.stop, func(h house) error { h.Undo(errBroken); return nil }} {
			h := build(t, fx.Supply(zap.New(core)), configured(lifecycle.Config{ReceiptFile: file}))
			h.PrintReceipt(&printed)
			h.Instead(func(io.Writer) error { return nil })
			require.NoError(t, tidyUp(h))
			require.NotNil(t, h.Receipt())
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "the last one", string(text))
		assert.Zero(t, logs.FilterMessage("stopped").Len())
		assert.Empty(t, printed.String())
	})

	t.Run("InsteadIsWhatTheLastCallGave", func(t *testing.T) {
		t.Parallel()
		h := build(t)
		require.Nil(t, h.Replacement())
		h.Instead(func(io.Writer) error { return nil })
		h.Instead(func(io.Writer) error { return errBroken })
		require.ErrorIs(t, h.Replacement()(nil), errBroken)
		require.NoError(t, h.stop())
	})
}

// TestLimitsOfBareFx holds what doc.go says Module cannot do without app.New,
// so that we notice when Fx lets it.
func TestLimitsOfBareFx(t *testing.T) {
	t.Parallel()

	t.Run("WhatNeverStartedIsNotDestroyed", func(t *testing.T) {
		t.Parallel()
		var d diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "a"})))
		require.NoError(t, a.Stop(t.Context()))
		assert.Empty(t, d.read())
	})

	t.Run("StopWithAContextThatHasEndedCallsNothing", func(t *testing.T) {
		t.Parallel()
		var d diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "a"})))
		require.NoError(t, a.Start(t.Context()))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, a.Stop(ended))
		assert.Equal(t, []string{"start a"}, d.read())
	})

	bubble(t, "RollbackGoesOnBehindAStartThatRanOutOfTime", func(t *testing.T) {
		var d diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), hook(d.noting(lifecycle.Hook{Name: "a"})),
			hook(lifecycle.Hook{OnStart: hanging(t)}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, a.Start(ctx), context.DeadlineExceeded)
		assert.Equal(t, []string{"start a"}, d.read())
		time.Sleep(time.Second)
		assert.Equal(t, []string{"start a", "stop a", "destroy a"}, d.read())
	})
}

// TestWithoutModule: in a bare Fx application a Hook is a plain fx.Hook.
func TestWithoutModule(t *testing.T) {
	t.Parallel()

	t.Run("PreDestroyRunsRightAfterOnStop", func(t *testing.T) {
		t.Parallel()
		var d diary
		a := fxtest.New(t, hook(d.noting(lifecycle.Hook{Name: "a", Band: lifecycle.Sink})), hook(d.noting(lifecycle.Hook{Name: "b"})),
			fx.Invoke(func(lc fx.Lifecycle) { lifecycle.PreDestroy(lc, "only", d.note("destroy only")) }))
		a.RequireStart().RequireStop()
		assert.Equal(t, []string{"start a", "start b", "destroy only", "stop b", "destroy b", "stop a", "destroy a"}, d.read())
	})

	t.Run("ErrorsOfBothAreJoined", func(t *testing.T) {
		t.Parallel()
		another := errors.New("another")
		lc := fxtest.NewLifecycle(t)
		lifecycle.Append(lc, lifecycle.Hook{
			OnStop:     func(context.Context) error { return errBroken },
			PreDestroy: func(context.Context) error { return another },
		})
		lc.RequireStart()
		err := lc.Stop(t.Context())
		require.ErrorIs(t, err, errBroken)
		require.ErrorIs(t, err, another)
	})

	t.Run("PanicInOnStopDoesNotSkipPreDestroy", func(t *testing.T) {
		t.Parallel()
		var d diary
		lc := fxtest.NewLifecycle(t)
		lifecycle.Append(lc, lifecycle.Hook{OnStop: func(context.Context) error { panic("oops") }, PreDestroy: d.note("destroyed")})
		lc.RequireStart()
		assert.PanicsWithValue(t, "oops", func() { _ = lc.Stop(t.Context()) })
		assert.Equal(t, []string{"destroyed"}, d.read())
	})
}

// TestWeirdUse does what nobody should, and everybody has done.
func TestWeirdUse(t *testing.T) {
	t.Parallel()

	bubble(t, "AppendFromOnStartIsTooLateToStartButIsDestroyed", func(t *testing.T) {
		var d diary
		core, logs := observer.New(zap.WarnLevel)
		var lifecycles fx.Lifecycle
		h := build(t, fx.Supply(zap.New(core)), fx.Populate(&lifecycles), hook(lifecycle.Hook{OnStart: func(context.Context) error {
			lifecycle.Append(lifecycles, d.noting(lifecycle.Hook{Name: "late"}))
			lifecycles.Append(fx.StopHook(func() { d.add("never") }))
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"destroy late"}, d.read())
		require.Len(t, h.Receipt().Notes, 2)
		assert.Contains(t, h.Receipt().Notes[0], "late was appended when the start had begun")
		assert.Contains(t, h.Receipt().Notes[1], "lifecycle_test.TestWeirdUse", "named by the function that appended it")
		assert.Equal(t, 2, logs.FilterMessageSnippet("appended too late").Len())
	})

	bubble(t, "AppendFromOnStopIsDestroyedInTheSameStop", func(t *testing.T) {
		var d diary
		var lc fx.Lifecycle
		h := build(t, fx.Populate(&lc), hook(lifecycle.Hook{OnStop: func(context.Context) error {
			lifecycle.Append(lc, d.noting(lifecycle.Hook{Name: "late"}))
			lifecycle.PreDestroy(lc, "later", func(ctx context.Context) error {
				lifecycle.Append(lc, d.noting(lifecycle.Hook{Name: "latest"}))
				return d.note("destroy later")(ctx)
			})
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"destroy later", "destroy late", "destroy latest"}, d.read())
		assert.Len(t, h.Receipt().Components, 4)
		lifecycle.Append(lc, d.noting(lifecycle.Hook{Name: "too late"}))
		assert.Len(t, d.read(), 3)
	})

	t.Run("ShutdownFromOnStopIsRecorded", func(t *testing.T) {
		t.Parallel()
		var sd fx.Shutdowner
		h := build(t, fx.Populate(&sd), hook(lifecycle.Hook{OnStop: func(context.Context) error { return sd.Shutdown() }}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, "stop", h.Receipt().Cause.String())
	})

	bubble(t, "StopFromInsideAnOnStopIsNamedAndTheStopEnds", func(t *testing.T) {
		var h house
		h = build(t, hook(lifecycle.Hook{Name: "confused", OnStop: func(ctx context.Context) error { return h.Stop(ctx) }})) //nolint:gocritic // h is set when this is called
		require.NoError(t, h.start())
		require.ErrorIs(t, h.stop(), context.DeadlineExceeded)
		assert.Equal(t, 12*time.Second, h.Receipt().Took)
	})

	bubble(t, "StopFromInsideAnOnStartRollsBack", func(t *testing.T) {
		var h house
		h = build(t, hook(lifecycle.Hook{Name: "confused", OnStart: func(ctx context.Context) error { return h.Stop(ctx) }})) //nolint:gocritic // h is set when this is called
		require.ErrorIs(t, h.start(), lifecycle.ErrStopRequested)
	})

	t.Run("StartBesideTenStops", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			var d diary
			h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})), hook(d.noting(lifecycle.Hook{Name: "b"})))
			var wg sync.WaitGroup
			wg.Go(func() { _ = h.start() })
			for range 10 {
				wg.Go(func() {
					runtime.Gosched()
					assert.NoError(t, h.stop())
				})
			}
			wg.Wait()
			events := d.read()
			assert.Len(t, keep(events, "destroy a"), 1)
			assert.Len(t, keep(events, "destroy b"), 1)
			assert.Len(t, keep(events, "stop a"), len(keep(events, "start a")))
			assert.Equal(t, lifecycle.Stopped, h.State())
		}
	})

	t.Run("TwoApplicationsInOneProcessDoNotMix", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		leaky := build(t, hook(lifecycle.Hook{Name: "leaky", OnStart: func(context.Context) error { go func() { <-release }(); return nil }}))
		tidy := build(t, hook(lifecycle.Hook{Name: "tidy"}))
		require.NoError(t, leaky.start())
		require.NoError(t, tidy.start())
		require.NoError(t, tidy.stop())
		require.NoError(t, leaky.stop())
		close(release)
		assert.Empty(t, tidy.Receipt().Leaks)
		assert.Len(t, leaky.Receipt().Leaks, 1)
		assert.Len(t, tidy.Receipt().Components, 1)
	})

	t.Run("AppendFromSeveralGoroutinesOfAConstructor", func(t *testing.T) {
		t.Parallel()
		for _, log := range []fx.Option{tapped, fx.NopLogger} {
			var c *lifecycle.Conductor
			a := fx.New(lifecycle.Module(), log, fx.Populate(&c), fx.Invoke(func(lc fx.Lifecycle) {
				var wg sync.WaitGroup
				for range 20 {
					wg.Go(func() { lc.Append(fx.StopHook(func() {})) })
				}
				wg.Wait()
			}))
			require.NoError(t, a.Start(t.Context()))
			require.NoError(t, a.Stop(t.Context()))
			require.Len(t, c.Receipt().Components, 20)
			for _, comp := range c.Receipt().Components {
				assert.Contains(t, comp.Name, "lifecycle_test.TestWeirdUse")
				assert.NotNil(t, comp.Stop)
			}
		}
	})

	t.Run("BandBeyondTheBandsIsTheNearest", func(t *testing.T) {
		t.Parallel()
		var d diary
		h := build(t, hook(d.stopping(lifecycle.Hook{Name: "last", Band: 99})), hook(d.stopping(lifecycle.Hook{Name: "middle"})),
			hook(d.stopping(lifecycle.Hook{Name: "first", Band: -99})))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"first", "middle", "last"}, d.read())
		assert.Equal(t, lifecycle.Ingress, component(t, h.Receipt(), "first").Band)
	})

	t.Run("ThousandComponentsStopInTheirOrder", func(t *testing.T) {
		t.Parallel()
		var c *lifecycle.Conductor
		a := fx.New(lifecycle.Module(), tapped, parts(1000), fx.Populate(&c))
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, a.Stop(t.Context()))
		require.Len(t, c.Receipt().Components, 1000)
		for i, comp := range c.Receipt().Components[1:] {
			require.LessOrEqual(t, c.Receipt().Components[i].Stop.Began, comp.Stop.Began)
		}
	})
}

// TestDrainAdmitsWhatIsHandedOn passes one item round three gates, each of
// which takes it before the one before lets go: all of them admit it to its
// end, and quiet comes after that. (That one look at each gate would not do is
// tested in quiet_internal_test.go.)
func TestDrainAdmitsWhatIsHandedOn(t *testing.T) {
	t.Parallel()
	for range 20 {
		gates := []*intake.Gate{intake.New("a"), intake.New("b"), intake.New("c")}
		item, err := gates[0].Enter(t.Context())
		require.NoError(t, err)
		var opts []fx.Option
		for _, g := range gates {
			opts = append(opts, hook(lifecycle.Hook{Gate: g}))
		}
		h := build(t, opts...)
		require.NoError(t, h.start())
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 2000 {
				next, err := gates[(i+1)%3].Enter(item.Context())
				if !assert.NoError(t, err) || !assert.False(t, come(h.When(lifecycle.Quiet)), "seen quiet with an item inside") {
					break
				}
				item.Done()
				item = next
			}
			item.Done()
		})
		require.NoError(t, h.stop())
		wg.Wait()
		assert.EqualValues(t, 2001, h.Receipt().Total.Done)
	}
}
