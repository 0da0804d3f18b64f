package lifecycle

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"
)

// Option configures [Module].
type Option func(*Config)

// WithConfig gives the configuration from code. A [Config] in the graph takes
// its place as a whole: fields that are zero there are not filled in from
// here. A Config in the graph that is zero altogether counts as none, so that
// a file without a section leaves the code's in place.
func WithConfig(cfg Config) Option {
	return func(c *Config) { *c = cfg }
}

// Module makes an Fx application stop as this package promises. It decorates
// [fx.Lifecycle] and [fx.Shutdowner] for the whole application, so it must be
// given at the root, once. app.New gives it; in a bare fx.New or fxtest.New
// one adds it by hand.
//
// It contains [fx.RecoverFromPanics]: a constructor that panics makes fx.New
// fail, and what was constructed before it is destroyed. That option is also
// what Fx names in its error when Module stands inside an [fx.Module].
//
// From the graph it takes, if there: a [Config] (see [WithConfig] for which
// one counts), a *zap.Logger, and the group of [Interceptor]
// ([InterceptorGroup]). Into the graph it gives a *[Conductor].
func Module(opts ...Option) fx.Option {
	var cfg Config
	for _, opt := range opts {
		opt(&cfg)
	}
	failed := &failedNew{}
	return fx.Options(
		// Fx takes it at the root only, so it guards us against fx.Module,
		// where the decorator would not reach the siblings, and say nothing.
		fx.RecoverFromPanics(),
		// A decorator's own dependencies bypass it, so the conductor must
		// depend on nothing.
		fx.Provide(func() *Conductor { return failed.watch(newConductor(cfg)) }),
		fx.Decorate(decorate),
		fx.Invoke(fx.Annotate((*Conductor).intercept, fx.ParamTags("", `group:"`+InterceptorGroup+`"`))),
		fx.Invoke(prepare),
		fx.ErrorHook(failed),
	)
}

// OnlyOneModulePerApp is what the error of Fx names when [Module] was given
// twice: take one of the two away. (app.New leaves its own out when there is
// another.)
type OnlyOneModulePerApp struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner
	Conductor  *Conductor
}

// Given reports whether there is a [Module] among the options: a second one
// would be an error. It looks for its decorator in what Fx prints of options.
func Given(opts ...fx.Option) bool {
	return strings.Contains(fmt.Sprint(fx.Options(opts...)), thisPackage+"decorate()")
}

func decorate(in OnlyOneModulePerApp) (fx.Lifecycle, fx.Shutdowner) {
	c := in.Conductor
	// All of Fx's own hooks are this one: the conductor has the others. It is
	// there also when nobody appends anything.
	in.Lifecycle.Append(fx.Hook{OnStart: c.fxStart, OnStop: c.fxStop})
	return &conducted{c}, &requester{conductor: c, next: in.Shutdowner}
}

type prepareIn struct {
	fx.In

	Lifecycle fx.Lifecycle // so that it is decorated even if nobody asks for it
	Conductor *Conductor
	Dot       fx.DotGraph
	Config    Config      `optional:"true"`
	Logger    *zap.Logger `optional:"true"`
}

func prepare(in prepareIn) error {
	c := in.Conductor
	if in.Logger != nil {
		c.LogTo(in.Logger)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Somebody may have asked for the order while constructors ran.
	c.dot, c.graph, c.ordered = in.Dot, nil, nil
	if in.Config != (Config{}) {
		c.config = in.Config
	}
	if err := c.config.Validate(); err != nil {
		return fmt.Errorf("lifecycle: %w", err)
	}
	c.config = c.config.WithDefaults()
	return nil
}

// conducted is what fx.Lifecycle has become.
type conducted struct{ *Conductor }

// Append implements [fx.Lifecycle]: a plain hook is a component of the middle.
func (c *conducted) Append(h fx.Hook) {
	c.appendHook(Hook{OnStart: h.OnStart, OnStop: h.OnStop})
}

// fxStart and fxStop are the one hook by which Fx drives the conductor. When
// app.App has driven it already they find the work done.
func (c *Conductor) fxStart(ctx context.Context) error {
	if c.startedByApp() {
		return nil // even if a stop has come since: it is not Fx's to say
	}
	if c.Replacement() != nil {
		return errInstead
	}
	return c.Start(ctx, c.rollbackTime())
}

// startedByApp reports whether a start has succeeded that Fx did not ask for.
func (c *Conductor) startedByApp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Constructing {
		c.byFx = true
	}
	if c.byFx {
		return false
	}
	select {
	case <-c.When(Started):
		return true
	default:
		return false
	}
}

// rollbackTime is the time to undo what nobody has given a time for.
func (c *Conductor) rollbackTime() time.Duration {
	if _, stop := c.Timeouts(); stop > 0 {
		return stop
	}
	return fx.DefaultTimeout
}

func (c *Conductor) fxStop(ctx context.Context) error { return c.Stop(ctx) }

// requester is what fx.Shutdowner has become: Fx's own is not safe for
// concurrent use, and does not say who asked.
type requester struct {
	conductor *Conductor
	next      fx.Shutdowner
}

// Shutdown implements [fx.Shutdowner].
func (r *requester) Shutdown(opts ...fx.ShutdownOption) error {
	return r.shutdown(Cause{By: callerOutside()}, opts)
}

func (r *requester) shutdown(cause Cause, opts []fx.ShutdownOption) error {
	cause.Kind, cause.Err = CauseShutdown, readable(cause.Err)
	r.conductor.mu.Lock()
	defer r.conductor.mu.Unlock()
	first := len(r.conductor.requests) == 0
	r.conductor.requests = append(r.conductor.requests, cause)
	if !first {
		return nil // Fx's channels hold one request; the stop is on its way
	}
	defer close(r.conductor.asked)
	return r.next.Shutdown(opts...)
}

// callerOutside is the first function on the stack that is not ours.
func callerOutside() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if !isOurs(f.Function) {
			return fmt.Sprintf("%s (%s:%d)", shortFuncName(f.Function), f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// failedNew runs the backup hooks of what was constructed before fx.New
// failed. Fx gives it the error and nothing else, so it remembers the
// conductor that its option made last: one value of [Module] must not be used
// by two fx.New at the same time.
type failedNew struct {
	mu        sync.Mutex
	conductor *Conductor
}

func (f *failedNew) watch(c *Conductor) *Conductor {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conductor = c
	return c
}

// HandleError implements [fx.ErrorHandler].
func (f *failedNew) HandleError(err error) {
	f.mu.Lock()
	c := f.conductor
	f.mu.Unlock()
	if c != nil {
		c.Undo(err)
	}
}
