package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// tapped is the event tap of app.New, without its log.
var tapped = fx.WithLogger(func(c *lifecycle.Conductor) fxevent.Logger { return c.Tap(fxevent.NopLogger) })

var errBroken = errors.New("broken")

// house is an application whose conductor is driven directly, as app.App does.
type house struct {
	*lifecycle.Conductor
	app *fx.App
}

func build(t *testing.T, opts ...fx.Option) house {
	t.Helper()
	var c *lifecycle.Conductor
	a := fx.New(lifecycle.Module(), tapped, fx.Populate(&c), fx.Options(opts...))
	require.NoError(t, a.Err())
	return house{c, a}
}

func configured(cfg lifecycle.Config) fx.Option { return fx.Supply(cfg) }

const patience = 15 * time.Second

func (h house) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return h.Start(ctx, patience)
}

func (h house) stop() error { return h.stopIn(patience) }

func (h house) stopIn(d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return h.Stop(ctx)
}

// hook appends a hook on behalf of an Invoke.
func hook(h lifecycle.Hook) fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle) { lifecycle.Append(lc, h) })
}

// diary notes what happened, in order.
type diary struct {
	mu     sync.Mutex
	events []string
}

func (d *diary) add(event string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, event)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.events)
}

func (d *diary) note(event string) func(context.Context) error {
	return func(context.Context) error {
		d.add(event)
		return nil
	}
}

// noting is a hook that notes all three phases.
func (d *diary) noting(h lifecycle.Hook) lifecycle.Hook {
	h.OnStart = d.note("start " + h.Name)
	h.OnStop = d.note("stop " + h.Name)
	h.PreDestroy = d.note("destroy " + h.Name)
	return h
}

// stopping is a hook that notes its stop.
func (d *diary) stopping(h lifecycle.Hook) lifecycle.Hook {
	h.OnStop = d.note(h.Name)
	return h
}

// bubble is a subtest in which time passes by itself.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// hanging is a hook function that returns when the test is over.
func hanging(t *testing.T) func(context.Context) error {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	return func(context.Context) error { <-release; return nil }
}

// sleeping is a hook function that takes its time.
func sleeping(d time.Duration) func(context.Context) error {
	return func(context.Context) error { time.Sleep(d); return nil }
}

func component(t *testing.T, r *lifecycle.Receipt, name string) lifecycle.ComponentReport {
	t.Helper()
	for _, c := range r.Components {
		if c.Name == name {
			return c
		}
	}
	require.Failf(t, "no such component", "%s is not in\n%s", name, r)
	return lifecycle.ComponentReport{}
}
