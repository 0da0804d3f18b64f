package app_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestTenRows holds the table of the README: ten things that plain Fx does at
// a stop, each beside what lastcall does with the same program. The first half
// of a pair asserts the defect, so that we notice when Fx mends it.
func TestTenRows(t *testing.T) {
	t.Run("1_HungStopDoesNotStarveOthers", row1)
	t.Run("2_PanicInStopDoesNotKillTheStop", row2)
	t.Run("3_StartTimeoutIsRolledBackInTimeOfItsOwn", row3)
	t.Run("4_SignalDuringStartIsRolledBack", row4)
	t.Run("5_SecondSignalCutsTheWaiting", row5)
	t.Run("6_WhatWasConstructedIsDestroyed", row6)
	t.Run("7_HungHookIsNamedWithItsLine", row7)
	t.Run("8_ExitCodeIsKept", row8)
	t.Run("9_IndependentHooksStopInParallel", row9)
	t.Run("10_IngressStopsFirst", row10)
}

// pair runs the same program under both, in a bubble each.
func pair(t *testing.T, plain, ours func(t *testing.T)) {
	t.Run("PlainFx", func(t *testing.T) { synctest.Test(t, plain) })
	t.Run("Lastcall", func(t *testing.T) { synctest.Test(t, ours) })
}

func newFx(opts ...fx.Option) *fx.App { return fx.New(append(opts, fx.NopLogger)...) }

// runner is what an fx.App and an App have in common.
type runner interface {
	Start(context.Context) error
	Stop(context.Context) error
	StartTimeout() time.Duration
	StopTimeout() time.Duration
	Err() error
}

func start(t *testing.T, a runner) error {
	t.Helper()
	require.NoError(t, a.Err())
	ctx, cancel := context.WithTimeout(context.Background(), a.StartTimeout())
	defer cancel()
	return a.Start(ctx)
}

func stop(a runner) error {
	ctx, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
	defer cancel()
	return a.Stop(ctx)
}

// journal notes what happened, in order.
type journal struct{ events []string }

func (j *journal) note(event string) func(context.Context) error {
	return func(context.Context) error {
		j.events = append(j.events, event)
		return nil
	}
}

func row1(t *testing.T) {
	program := func(j *journal, release chan struct{}) fx.Option {
		return fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{Name: "database", OnStop: j.note("database closed")})
			lifecycle.Append(lc, lifecycle.Hook{Name: "hangs", OnStop: func(context.Context) error { <-release; return nil }})
			lifecycle.Append(lc, lifecycle.Hook{Name: "fails", OnStop: func(context.Context) error { return errStop }})
		})
	}
	pair(t, func(t *testing.T) {
		var j journal
		release := make(chan struct{})
		a := newFx(program(&j, release))
		require.NoError(t, start(t, a))
		err := stop(a)
		close(release)
		synctest.Wait()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, errStop, "the error that was collected is dropped")
		assert.Empty(t, j.events, "the hook after the one that hangs is skipped")
	}, func(t *testing.T) {
		var j journal
		release := make(chan struct{})
		defer close(release)
		a := app.New(program(&j, release), quiet)
		require.NoError(t, start(t, a))
		err := stop(a)
		require.ErrorIs(t, err, errStop)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, a.Receipt().Cut, "the one that hung took its own time only")
		assert.Equal(t, []string{"database closed"}, j.events)
	})
}

func row2(t *testing.T) {
	t.Run("PlainFx", func(t *testing.T) {
		end := startChild(t, "panics", "fx").wait()
		assert.Contains(t, []int{1, 2}, end.code, "Fx's own exit races with the runtime's")
		assert.NotContains(t, end.said, "first stopped")
	})
	t.Run("Lastcall", func(t *testing.T) {
		end := startChild(t, "panics", "lastcall").wait()
		assert.Equal(t, lifecycle.ExitHookFailed, end.code)
		assert.Contains(t, end.said, "first stopped\nfirst destroyed")
		assert.Contains(t, end.stderr, "the stop hook is broken")
		assert.Contains(t, end.stderr, "programs_test.go", "with its stack")
	})
}

func row3(t *testing.T) {
	program := func(j *journal) fx.Option {
		return fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{Name: "database", OnStop: j.note("database closed"), PreDestroy: j.note("database destroyed")})
			lifecycle.Append(lc, lifecycle.Hook{Name: "slow", OnStart: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		})
	}
	pair(t, func(t *testing.T) {
		var j journal
		a := newFx(program(&j))
		err := start(t, a)
		synctest.Wait()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, j.events)
	}, func(t *testing.T) {
		var j journal
		a := app.New(program(&j), quiet)
		err := start(t, a)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []string{"database closed", "database destroyed"}, j.events)
	})
}

func row4(t *testing.T) {
	t.Run("PlainFx", func(t *testing.T) {
		c := startChild(t, "slowStart", "fx")
		c.await("slow is starting")
		c.signal(syscall.SIGTERM)
		end := c.wait()
		assert.Equal(t, -1, end.code, "killed by the signal")
		assert.NotContains(t, end.said, "first stopped")
	})
	t.Run("Lastcall", func(t *testing.T) {
		c := startChild(t, "slowStart", "lastcall")
		c.await("slow is starting")
		c.signal(syscall.SIGTERM)
		end := c.wait()
		assert.Equal(t, lifecycle.ExitStartFailed, end.code)
		assert.Contains(t, end.said, "slow was cancelled: told to stop during start: SIGTERM\nfirst stopped\nfirst destroyed")
	})
}

func row5(t *testing.T) {
	t.Run("PlainFx", func(t *testing.T) {
		c := startChild(t, "slowStop", "fx")
		c.await("waiting")
		c.signal(syscall.SIGTERM)
		c.await("slow is stopping")
		c.signal(syscall.SIGTERM)
		end := c.wait()
		assert.NotContains(t, end.said, "cut early: true", "the second signal is swallowed")
		assert.NotContains(t, end.said, "first stopped")
	})
	t.Run("Lastcall", func(t *testing.T) {
		c := startChild(t, "patientStop", "lastcall")
		c.await("waiting")
		c.signal(syscall.SIGTERM)
		c.await("slow is stopping")
		c.signal(syscall.SIGTERM)
		end := c.wait()
		assert.Contains(t, end.said, "cut early: true\nfirst stopped\nfirst destroyed", "every hook is still called")
		assert.Equal(t, lifecycle.ExitClean, end.code)
	})
	t.Run("LastcallThirdSignalExitsAtOnce", func(t *testing.T) {
		c := startChild(t, "stubbornStop", "lastcall")
		c.await("waiting")
		c.signal(syscall.SIGTERM)
		c.await("stubborn is stopping")
		c.signal(syscall.SIGTERM)
		c.await("destroying")
		c.signal(syscall.SIGTERM)
		assert.Equal(t, 128+int(syscall.SIGTERM), c.wait().code)
	})
}

func row6(t *testing.T) {
	opened := func(j *journal) fx.Option {
		return fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.PreDestroy(lc, "file", j.note("file closed"))
		})
	}
	fails := fx.Invoke(func() error { return errors.New("no configuration") })
	t.Run("NewFails", func(t *testing.T) {
		pair(t, func(t *testing.T) {
			var j journal
			a := newFx(opened(&j), fails)
			require.Error(t, a.Err())
			assert.Empty(t, j.events)
		}, func(t *testing.T) {
			var j journal
			a := app.New(opened(&j), fails, quiet)
			require.ErrorContains(t, a.Err(), "no configuration")
			assert.Equal(t, []string{"file closed"}, j.events)
		})
	})
	t.Run("ConstructorPanics", func(t *testing.T) {
		pair(t, func(t *testing.T) {
			var j journal
			assert.Panics(t, func() { newFx(opened(&j), fx.Invoke(func() { panic("broken") })) })
			assert.Empty(t, j.events)
		}, func(t *testing.T) {
			var j journal
			a := app.New(opened(&j), fx.Invoke(func() { panic("broken") }), quiet)
			require.ErrorContains(t, a.Err(), "broken")
			assert.Equal(t, []string{"file closed"}, j.events)
		})
	})
	t.Run("NeverStarted", func(t *testing.T) {
		pair(t, func(t *testing.T) {
			var j journal
			a := newFx(opened(&j))
			require.NoError(t, stop(a))
			assert.Empty(t, j.events)
		}, func(t *testing.T) {
			var j journal
			a := app.New(opened(&j), quiet)
			require.NoError(t, stop(a))
			assert.Equal(t, []string{"file closed"}, j.events)
		})
	})
}

func hang(release <-chan struct{}) { <-release }

func row7(t *testing.T) {
	program := func(release chan struct{}) fx.Option {
		return fx.Module("billing", fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{Name: "invoices", OnStop: func(context.Context) error { hang(release); return nil }})
		}))
	}
	pair(t, func(t *testing.T) {
		release := make(chan struct{})
		a := newFx(program(release))
		require.NoError(t, start(t, a))
		err := stop(a)
		close(release)
		synctest.Wait()
		assert.Equal(t, "context deadline exceeded", err.Error())
	}, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		a := app.New(program(release), quiet)
		require.NoError(t, start(t, a))
		err := stop(a)
		var hook *lifecycle.HookError
		require.ErrorAs(t, err, &hook)
		assert.Equal(t, "invoices", hook.Component)
		assert.Equal(t, "billing", hook.Module)
		var hung *lifecycle.HangError
		require.ErrorAs(t, err, &hung)
		assert.Contains(t, hung.Where, "app_test.hang")
		assert.Contains(t, hung.Where, "rows_test.go:")
	})
}

func row8(t *testing.T) {
	t.Run("PlainFx", func(t *testing.T) {
		assert.Equal(t, 1, startChild(t, "exit42", "fx").wait().code, "the 42 is lost")
	})
	t.Run("Lastcall", func(t *testing.T) {
		assert.Equal(t, 42, startChild(t, "exit42", "lastcall").wait().code)
	})
	// Plain Fx has a data race here, which cannot be asserted.
	t.Run("LastcallConcurrentShutdowns", func(t *testing.T) {
		end := startChild(t, "manyShutdowns", "lastcall").wait()
		assert.Equal(t, 7, end.code)
		assert.NotContains(t, end.stderr, "DATA RACE")
		assert.Contains(t, end.stderr, "shutdown by app_test.manyShutdownsProgram", "who asked is recorded")
	})
}

type layer struct{ name string }

func row9(t *testing.T) {
	const each = 100 * time.Millisecond
	slow := func(name string) any {
		return fx.Annotate(func(lc fx.Lifecycle) *layer {
			lc.Append(fx.StopHook(func() { time.Sleep(each) }))
			return &layer{name}
		}, fx.ResultTags(`name:"`+name+`"`))
	}
	program := fx.Options(
		fx.Provide(slow("a"), slow("b"), slow("c")),
		fx.Invoke(fx.Annotate(func(_, _, _ *layer) {}, fx.ParamTags(`name:"a"`, `name:"b"`, `name:"c"`))),
	)
	pair(t, func(t *testing.T) {
		a := newFx(program)
		require.NoError(t, start(t, a))
		began := time.Now()
		require.NoError(t, stop(a))
		assert.Equal(t, 3*each, time.Since(began))
	}, func(t *testing.T) {
		a := app.New(program, quiet, fx.Supply(lifecycle.Config{Parallel: true}))
		require.NoError(t, start(t, a))
		began := time.Now()
		require.NoError(t, stop(a))
		assert.Equal(t, each, time.Since(began))
	})
}

// row10 is the wiring that everybody writes: the server does not know the
// pool, an Invoke brings both together.
func row10(t *testing.T) {
	program := func(j *journal) fx.Option {
		poolClosed := false
		newServer := func(lc fx.Lifecycle) *strings.Reader {
			lifecycle.Append(lc, lifecycle.Hook{Name: "http", Band: lifecycle.Ingress, OnStop: func(ctx context.Context) error {
				if poolClosed { // a request still in flight submits its work
					return j.note("request failed")(ctx)
				}
				return j.note("request served")(ctx)
			}})
			return &strings.Reader{}
		}
		newPool := func(lc fx.Lifecycle) *layer {
			lifecycle.Append(lc, lifecycle.Hook{Name: "pool", OnStop: func(context.Context) error { poolClosed = true; return nil }})
			return &layer{}
		}
		return fx.Options(fx.Provide(newServer, newPool), fx.Invoke(func(_ *strings.Reader, _ *layer) {}))
	}
	pair(t, func(t *testing.T) {
		var j journal
		a := newFx(program(&j))
		require.NoError(t, start(t, a))
		require.NoError(t, stop(a))
		assert.Equal(t, []string{"request failed"}, j.events)
	}, func(t *testing.T) {
		var j journal
		a := app.New(program(&j), quiet)
		require.NoError(t, start(t, a))
		require.NoError(t, stop(a))
		assert.Equal(t, []string{"request served"}, j.events)
	})
}
