package lifecycletest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// hook is what all hooks are.
type hook = func(context.Context) error

var errTestEnded = errors.New("lifecycletest: the test has ended")

// Hang makes the hook of a component hang, whatever its context says, until
// the test ends. A hanging OnStop or PreDestroy is then called after all, with
// a context that has ended, so that what it would have released is released;
// the test waits for it.
func Hang(t TB, component string, phase lifecycle.Phase) fx.Option {
	t.Helper()
	end := &ending{over: make(chan struct{})}
	t.Cleanup(end.wait)
	return fault(t, "Hang", component, phase, func(ctx context.Context, next hook) error {
		defer end.join()()
		hang(end.over)
		if phase == lifecycle.PhaseStart {
			return errTestEnded // nobody would stop it
		}
		ended, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		cancel(errTestEnded)
		return next(ended)
	})
}

// ending is the end of a test, and the hooks that hang until then.
type ending struct {
	over chan struct{} // closed by wait

	mu      sync.Mutex
	hanging []chan struct{} // each closed by its hook
}

func (e *ending) join() (leave func()) {
	left := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hanging = append(e.hanging, left)
	return func() { close(left) }
}

func (e *ending) wait() {
	close(e.over)
	e.mu.Lock()
	hanging := e.hanging
	e.mu.Unlock()
	for _, left := range hanging {
		<-left
	}
}

// hang is a function of its own so that receipts name it.
func hang(release <-chan struct{}) { <-release }

// Panic makes the hook of a component panic with the value: an OnStart in its
// place, an OnStop or PreDestroy after it has returned, so that what it
// releases is released.
func Panic(t TB, component string, phase lifecycle.Phase, value any) fx.Option {
	t.Helper()
	return fault(t, "Panic", component, phase, func(ctx context.Context, next hook) error {
		if phase != lifecycle.PhaseStart {
			// What it returns is lost in the panic, as it would be.
			_ = next(ctx)
		}
		panic(value)
	})
}

// Fail makes the hook of a component fail with the error: an OnStart in its
// place, an OnStop or PreDestroy after it has returned, whatever it returned.
func Fail(t TB, component string, phase lifecycle.Phase, err error) fx.Option {
	t.Helper()
	return fault(t, "Fail", component, phase, func(ctx context.Context, next hook) error {
		if phase != lifecycle.PhaseStart {
			_ = next(ctx)
		}
		return err
	})
}

// Delay makes the hook of a component begin later, by d or when its context
// ends, whichever is first. See [Hang] for one that does not listen.
func Delay(t TB, component string, phase lifecycle.Phase, d time.Duration) fx.Option {
	t.Helper()
	return fault(t, "Delay", component, phase, func(ctx context.Context, next hook) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		return next(ctx)
	})
}

// fault puts do around one hook, and fails the test when it never met it.
func fault(t TB, kind, component string, phase lifecycle.Phase, do func(ctx context.Context, next hook) error) fx.Option {
	t.Helper()
	var met atomic.Bool
	seen := &names{}
	t.Cleanup(func() {
		if !met.Load() {
			t.Errorf("lifecycletest: %s met no %s hook of %q; it saw those of %s", kind, phase, component, seen)
		}
	})
	var intercept lifecycle.Interceptor = func(name string, p lifecycle.Phase, next hook) hook {
		if p == phase {
			seen.add(name)
		}
		if name != component || p != phase {
			return next
		}
		met.Store(true)
		return func(ctx context.Context) error { return do(ctx, next) }
	}
	return fx.Supply(fx.Annotate(intercept, fx.ResultTags(`group:"`+lifecycle.InterceptorGroup+`"`)))
}
