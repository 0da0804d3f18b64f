package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
)

// Hook is what a component registers with [Append]. It is [fx.Hook] and what
// is missing there; every field may be left at zero.
type Hook struct {
	// Name is what receipts, logs and After call the component
	// ("http:public"). Zero: the name of the constructor that appends it.
	Name string
	// Band says how early the component stops. Zero: [Middle]. A value beyond
	// the bands counts as the nearest.
	Band Band
	// After names components that the dependency graph cannot see this one
	// stand on: it starts after them and stops before them. A name that
	// nobody has is reported at start.
	After []string

	// OnStart and OnStop are as in [fx.Hook]: OnStop runs only if OnStart
	// succeeded or there was none.
	OnStart func(context.Context) error
	OnStop  func(context.Context) error
	// PreDestroy is the backup hook. It runs exactly once for every
	// component that was constructed, after its OnStop and before its
	// dependencies close, whether it started, failed to start, stopped
	// cleanly, hung, panicked or was never reached, and its time is
	// reserved.
	PreDestroy func(context.Context) error

	// Gate is what the component has accepted and not finished: the stop
	// waits until it is quiet, and the receipt carries its ledger. Zero: the
	// component accepts no work.
	Gate *intake.Gate
	// Describe adds lines about the component to the receipt, such as the
	// requests that were cut. It is called once, when everything has been
	// stopped, beside those of the other components, and must not block: one
	// that takes longer than the grace is left out. Zero: nothing to add.
	Describe func() []string
	// Panel is what the component shows of itself, and what of it may be changed
	// while it runs. Zero: its name, state and ledger are all there is to see.
	Panel *Panel
	// Budget bounds the hook's own time. Zero: see [Budget].
	Budget Budget
}

// Budget bounds the time of one component's hooks. Whatever it says, a hook
// never gets more than what remains of the total (fx.StartTimeout,
// fx.StopTimeout less the reserve).
type Budget struct {
	// Start bounds OnStart. Zero: all that remains.
	Start time.Duration `yaml:"start"`
	// Stop bounds OnStop. Zero: see Share.
	Stop time.Duration `yaml:"stop"`
	// Share bounds OnStop by a part of what remains, from 0 to 1; more counts
	// as 1. It counts only where Stop is zero. Zero: all that remains.
	//
	// However much OnStop is given, it leaves a slice, twice the grace, for
	// each component still to be stopped, so that one that hangs does not
	// take the time of the others.
	Share float64 `yaml:"share"`
	// PreDestroy bounds the backup hook. It may be more than the equal part,
	// but not so much that another backup hook keeps less than a grace (or,
	// if that is less, than its equal part). Zero: an equal part of what
	// remains of the reserve and, before the soft deadline, a part of the
	// waiting time: that is divided among all hooks still to be called, an
	// OnStop counting four times.
	PreDestroy time.Duration `yaml:"pre_destroy"`
}

// Validate reports every wrong field by its name. The start of an application
// is refused with it.
func (b Budget) Validate() error {
	var errs []error
	for _, f := range []struct {
		name string
		d    time.Duration
	}{{"start", b.Start}, {"stop", b.Stop}, {"pre_destroy", b.PreDestroy}} {
		if f.d < 0 {
			errs = append(errs, fmt.Errorf("%s: %v is negative; give a duration such as 3s, or leave it out", f.name, f.d))
		}
	}
	if !(b.Share >= 0) { // NaN is not
		errs = append(errs, fmt.Errorf("share: %v is no part of the time; give one from 0 to 1, or leave it out", b.Share))
	}
	return errors.Join(errs...)
}

// appender is what the lifecycle has become where [Module] is given.
type appender interface {
	appendHook(Hook)
}

// Append registers a component. Where [Module] is not given it degrades to a
// plain [fx.Hook]: PreDestroy then runs right after OnStop, and only if
// OnStart succeeded; Name, Band, After, Gate, Panel and Budget are not looked at.
//
// It may be called until the start begins, by several goroutines at a time. A
// hook appended later is too late to start; its PreDestroy runs all the same,
// unless everything has been stopped by then.
func Append(lc fx.Lifecycle, h Hook) {
	if a, ok := lc.(appender); ok {
		a.appendHook(h)
		return
	}
	lc.Append(fx.Hook{OnStart: h.OnStart, OnStop: stopThenDestroy(h)})
}

// PreDestroy registers a backup hook of its own: Spring's @PreDestroy in one
// line.
func PreDestroy(lc fx.Lifecycle, name string, fn func(context.Context) error) {
	Append(lc, Hook{Name: name, PreDestroy: fn})
}

// stopThenDestroy keeps the reserve for PreDestroy: Fx returns to its caller,
// who may exit, as soon as the deadline has passed.
func stopThenDestroy(h Hook) func(context.Context) error {
	if h.PreDestroy == nil {
		return h.OnStop
	}
	return func(ctx context.Context) (err error) {
		// Deferred, so that a panic of OnStop cannot skip it.
		defer func() { err = errors.Join(err, h.PreDestroy(ctx)) }()
		if h.OnStop == nil {
			return nil
		}
		times := Config{}.timetable(ctx)
		if !times.limited() {
			return h.OnStop(ctx)
		}
		soft, cancel := context.WithDeadline(ctx, times.soft)
		defer cancel()
		return h.OnStop(soft)
	}
}
