package lifecycletest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a test that notes its errors and ends when it is told to.
type fake struct {
	errors   []string
	cleanups []func()
}

func (f *fake) Helper()           {}
func (f *fake) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *fake) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *fake) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}

// run starts and stops an application of a database and a pool with the
// fault, and returns its receipt and what its hooks noted.
func run(t *testing.T, fault fx.Option) (r *lifecycle.Receipt, events func() string, startErr error) {
	t.Helper()
	var mu sync.Mutex
	var noted []string
	note := func(event string) func(context.Context) error {
		return func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			noted = append(noted, event)
			return nil
		}
	}
	component := func(name string) fx.Option {
		return fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{Name: name, OnStart: note(name + " started"), OnStop: note(name + " stopped"), PreDestroy: note(name + " destroyed")})
		})
	}
	var c *lifecycle.Conductor
	a := fxtest.New(t, lifecycle.Module(), component("database"), component("pool"), fault, fx.Populate(&c))
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if startErr = a.Start(ctx); startErr == nil {
		_ = a.Stop(ctx) // it is in the receipt
	}
	return c.Receipt(), func() string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(noted, ", ")
	}, startErr
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func report(t *testing.T, r *lifecycle.Receipt, name string) lifecycle.ComponentReport {
	t.Helper()
	for _, c := range r.Components {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no component "+name)
	return lifecycle.ComponentReport{}
}

var errDisk = errors.New("disk full")

func TestFaults(t *testing.T) {
	t.Parallel()

	bubble(t, "HungStopIsCalledWhenTheTestEnds", func(t *testing.T) {
		var test fake
		r, events, _ := run(t, lifecycletest.Hang(&test, "pool", lifecycle.PhaseStop))
		assert.Equal(t, lifecycle.Hung, report(t, r, "pool").Stop.Outcome)
		assert.Contains(t, r.Err().Error(), "lifecycletest.hang")
		assert.Equal(t, "database started, pool started, pool destroyed, database stopped, database destroyed", events())
		test.end()
		assert.Contains(t, events(), "pool stopped")
		assert.Empty(t, test.errors)
	})

	bubble(t, "HungStartIsNotStartedAfterAll", func(t *testing.T) {
		var test fake
		_, events, err := run(t, lifecycletest.Hang(&test, "pool", lifecycle.PhaseStart))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		test.end()
		assert.NotContains(t, events(), "pool started")
	})

	bubble(t, "PanicInStopComesAfterTheHook", func(t *testing.T) {
		r, events, _ := run(t, lifecycletest.Panic(t, "pool", lifecycle.PhasePreDestroy, "oops"))
		assert.Equal(t, lifecycle.Panicked, report(t, r, "pool").PreDestroy.Outcome)
		assert.Contains(t, events(), "pool destroyed")
	})

	bubble(t, "PanicInStartTakesItsPlace", func(t *testing.T) {
		_, events, err := run(t, lifecycletest.Panic(t, "pool", lifecycle.PhaseStart, "oops"))
		require.ErrorContains(t, err, "oops")
		assert.Equal(t, "database started, pool destroyed, database stopped, database destroyed", events())
	})

	bubble(t, "FailInStopComesAfterTheHook", func(t *testing.T) {
		r, events, _ := run(t, lifecycletest.Fail(t, "database", lifecycle.PhaseStop, errDisk))
		require.ErrorIs(t, r.Err(), errDisk)
		assert.Contains(t, events(), "database stopped")
	})

	bubble(t, "FailInStartTakesItsPlace", func(t *testing.T) {
		_, events, err := run(t, lifecycletest.Fail(t, "pool", lifecycle.PhaseStart, errDisk))
		require.ErrorIs(t, err, errDisk)
		assert.NotContains(t, events(), "pool started")
	})

	bubble(t, "DelayedHookRunsLater", func(t *testing.T) {
		r, events, _ := run(t, lifecycletest.Delay(t, "pool", lifecycle.PhaseStop, 2*time.Second))
		assert.Equal(t, 2*time.Second, report(t, r, "pool").Stop.Took)
		assert.Contains(t, events(), "pool stopped")
	})

	bubble(t, "DelayEndsWithTheContext", func(t *testing.T) {
		r, _, _ := run(t, lifecycletest.Delay(t, "pool", lifecycle.PhaseStop, time.Hour))
		assert.Equal(t, lifecycle.OK, report(t, r, "pool").Stop.Outcome)
		assert.Less(t, r.Took, 15*time.Second)
	})

	bubble(t, "FaultsMayBeCombined", func(t *testing.T) {
		r, _, _ := run(t, fx.Options(
			lifecycletest.Delay(t, "pool", lifecycle.PhaseStop, time.Second),
			lifecycletest.Fail(t, "pool", lifecycle.PhaseStop, errDisk),
			lifecycletest.Fail(t, "database", lifecycle.PhasePreDestroy, errDisk)))
		assert.Equal(t, time.Second, report(t, r, "pool").Stop.Took)
		assert.Equal(t, lifecycle.Failed, report(t, r, "pool").Stop.Outcome)
		assert.Equal(t, lifecycle.Failed, report(t, r, "database").PreDestroy.Outcome)
	})

	bubble(t, "FaultThatMeetsNothingFailsTheTest", func(t *testing.T) {
		var test fake
		_, _, _ = run(t, lifecycletest.Fail(&test, "databse", lifecycle.PhaseStop, errDisk))
		test.end()
		require.Len(t, test.errors, 1)
		assert.Equal(t, `lifecycletest: Fail met no stop hook of "databse"; it saw those of pool, database`, test.errors[0])
	})

	bubble(t, "FaultWithoutTheModuleFailsTheTest", func(t *testing.T) {
		var test fake
		a := fxtest.New(t, lifecycletest.Hang(&test, "pool", lifecycle.PhaseStop))
		a.RequireStart().RequireStop()
		test.end()
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "is lifecycle.Module among the options")
	})
}

func TestAsserts(t *testing.T) {
	t.Parallel()
	stop := func(began, took time.Duration) *lifecycle.HookReport {
		return &lifecycle.HookReport{Began: began, Took: took, Outcome: lifecycle.OK}
	}
	ordered := &lifecycle.Receipt{Components: []lifecycle.ComponentReport{
		{Name: "http", Stop: stop(0, 2)},
		{Name: "pool", Stop: stop(2, 2), PreDestroy: stop(4, 2)},
		{Name: "cache", Stop: stop(5, 2)},
		{Name: "never"},
	}}
	unbalanced := intake.Ledger{Offered: 3, Accepted: 2, Done: 2}
	for _, tt := range []struct {
		give string
		do   func(lifecycletest.TB) bool
		want string // in the error; empty: it holds
	}{
		{"OrderHolds", func(t lifecycletest.TB) bool {
			return lifecycletest.AssertStopOrder(t, ordered, "http", "cache", "never")
		}, ""},
		{"OrderOfOneHolds", func(t lifecycletest.TB) bool { return lifecycletest.AssertStopOrder(t, ordered, "pool") }, ""},
		{"OrderIsTheOther", func(t lifecycletest.TB) bool { return lifecycletest.AssertStopOrder(t, ordered, "pool", "http") },
			`"pool" was not done before "http" began; the order was http, pool, cache, never`},
		{"OrderOverlaps", func(t lifecycletest.TB) bool { return lifecycletest.AssertStopOrder(t, ordered, "pool", "cache") },
			`"pool" was not done before "cache" began`},
		{"OrderOfAStranger", func(t lifecycletest.TB) bool { return lifecycletest.AssertStopOrder(t, ordered, "htpp") },
			`"htpp" is no component of this receipt; it has http, pool, cache, never`},
		{"OrderWithoutReceipt", func(t lifecycletest.TB) bool { return lifecycletest.AssertStopOrder(t, nil) }, "has not been stopped"},

		{"NoLeaks", func(t lifecycletest.TB) bool { return lifecycletest.AssertNoLeaks(t, ordered) }, ""},
		{"Leaks", func(t lifecycletest.TB) bool {
			return lifecycletest.AssertNoLeaks(t, &lifecycle.Receipt{Leaks: []lifecycle.Leak{{Component: "pool", Count: 2, Where: "pool.work"}}})
		}, `"pool" left 2 goroutine(s) behind in pool.work`},
		{"LeaksWithoutReceipt", func(t lifecycletest.TB) bool { return lifecycletest.AssertNoLeaks(t, nil) }, "has not been stopped"},

		{"Balanced", func(t lifecycletest.TB) bool { return lifecycletest.AssertBalanced(t, ordered) }, ""},
		{"Unbalanced", func(t lifecycletest.TB) bool {
			return lifecycletest.AssertBalanced(t, &lifecycle.Receipt{Gates: []lifecycle.GateReport{{Name: "pool", Ledger: unbalanced}}})
		}, `the ledger of "pool" does not balance: offered 3, rejected 0`},
		{"Lost", func(t lifecycletest.TB) bool {
			return lifecycletest.AssertBalanced(t, &lifecycle.Receipt{Gates: []lifecycle.GateReport{{Name: "pool", Balanced: true, Ledger: intake.Ledger{Lost: 1}}}})
		}, `"pool" lost work, or has some inside`},
		{"BalancedWithoutReceipt", func(t lifecycletest.TB) bool { return lifecycletest.AssertBalanced(t, nil) }, "has not been stopped"},

		{"Clean", func(t lifecycletest.TB) bool { return lifecycletest.AssertClean(t, ordered) }, ""},
		{"CleanWithoutReceipt", func(t lifecycletest.TB) bool { return lifecycletest.AssertClean(t, nil) }, "has not been stopped"},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			var test fake
			assert.Equal(t, tt.want == "", tt.do(&test))
			if tt.want == "" {
				assert.Empty(t, test.errors)
				return
			}
			require.Len(t, test.errors, 1)
			assert.Contains(t, test.errors[0], tt.want)
		})
	}

	bubble(t, "StartThatFailedIsNotCleanThoughItsRollbackWas", func(t *testing.T) {
		r, _, err := run(t, lifecycletest.Fail(t, "pool", lifecycle.PhaseStart, errDisk))
		require.ErrorIs(t, err, errDisk)
		var test fake
		assert.False(t, lifecycletest.AssertClean(&test, r))
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "start failed, rolled back cleanly")
	})

	bubble(t, "NotClean", func(t *testing.T) {
		r, _, _ := run(t, lifecycletest.Fail(t, "pool", lifecycle.PhaseStop, errDisk))
		var test fake
		assert.False(t, lifecycletest.AssertClean(&test, r))
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "disk full")
		assert.True(t, lifecycletest.AssertStopOrder(t, r, "pool", "database"))
	})
}

// worker is a component as it should be: Stop may come at any time.
type worker struct {
	mu      sync.Mutex
	stopped bool
	quit    chan struct{} // closed by Stop; nil: not started
	work    sync.WaitGroup
}

func (w *worker) Start(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || w.quit != nil {
		return errors.New("worker: cannot start twice or after a stop")
	}
	w.quit = make(chan struct{})
	quit := w.quit
	w.work.Go(func() { <-quit })
	return nil
}

func (w *worker) Stop(context.Context) error {
	w.mu.Lock()
	if !w.stopped && w.quit != nil {
		close(w.quit)
	}
	w.stopped = true
	w.mu.Unlock()
	w.work.Wait()
	return nil
}

func TestStress(t *testing.T) {
	t.Parallel()

	t.Run("ComponentAsItShouldBePasses", func(t *testing.T) {
		t.Parallel()
		made := 0
		lifecycletest.Stress(t, func() lifecycletest.Component { made++; return &worker{} })
		assert.Equal(t, 50, made)
	})

	t.Run("NothingAtAllPasses", func(t *testing.T) {
		t.Parallel()
		lifecycletest.Stress(t, func() lifecycletest.Component { return lifecycletest.Funcs{} })
	})

	t.Run("PanicIsReported", func(t *testing.T) {
		t.Parallel()
		var test fake
		lifecycletest.Stress(&test, func() lifecycletest.Component {
			var once chan struct{} // closing it panics, as a Stop that does not think of never-started
			return lifecycletest.Funcs{OnStop: func(context.Context) error { close(once); return nil }}
		})
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "round 1: Stop panicked: close of nil channel")
	})

	t.Run("GoroutineLeftBehindIsReported", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		var left sync.WaitGroup
		t.Cleanup(func() { close(release); left.Wait() })
		var test fake
		lifecycletest.Stress(&test, func() lifecycletest.Component {
			return lifecycletest.Funcs{OnStart: func(context.Context) error { left.Go(func() { <-release }); return nil }}
		})
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "goroutines are left after the last Stop has returned")
		assert.Contains(t, test.errors[0], "lifecycletest_test.go")
	})

	bubble(t, "DeadlockIsReported", func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var test fake
		lifecycletest.Stress(&test, func() lifecycletest.Component {
			return lifecycletest.Funcs{OnStop: func(context.Context) error { <-release; return nil }}
		})
		require.Len(t, test.errors, 1)
		assert.Contains(t, test.errors[0], "has not returned for 30s")
		assert.Contains(t, test.errors[0], "lifecycletest_test.go")
	})
}
