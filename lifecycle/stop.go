package lifecycle

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Stop stops the application; the deadline of ctx is the total. Whoever calls
// first has it conducted; everybody gets the same result, an error that joins
// what every hook reported and [ErrWorkLost] if that is so. When the stop is
// over, that result is there whatever ctx says. A stop during the
// start cancels the start and waits for its rollback. A stop of what never
// started runs each PreDestroy.
//
// When ctx is cancelled, which is not its deadline passing, waiting is over
// as after [Conductor.Cut]. Stop returns when everything is over, about at
// the deadline at the latest; without a deadline nothing but the budgets of
// the hooks bounds it.
func (c *Conductor) Stop(ctx context.Context) error {
	c.mu.Lock()
	switch c.state {
	case Constructing, Running:
		why := c.reasonLocked()
		c.state = Stopping
		c.mu.Unlock()
		return c.conduct(ctx, why).Err()
	}
	c.mu.Unlock()
	c.CancelStart()

	select {
	case <-c.parted:
	case <-ctx.Done():
		if c.Receipt() == nil { // else both have come, and the result is there
			return context.Cause(ctx)
		}
	}
	return c.Receipt().Err()
}

// CancelStart cancels a start that goes on, with the cause that
// [Conductor.Because] was given; the start rolls back. Otherwise it does
// nothing.
func (c *Conductor) CancelStart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == Starting && c.cancelStart != nil {
		c.cancelStart(c.stopRequestLocked())
		c.cancelStart = nil
	}
}

// reason is why a stop is conducted.
type reason struct {
	cause    Cause
	asked    bool // cause is the first of the requests
	wasReady bool // somebody was told to come here
	// drainedFor is how long ago readiness has turned false; zero: it was ready.
	drainedFor time.Duration
}

func (c *Conductor) reasonLocked() reason {
	why := reason{cause: Cause{Kind: CauseStop}, wasReady: c.state == Running}
	if c.drains.by != nil {
		why.drainedFor = time.Since(c.drains.by.Since)
	}
	if len(c.requests) > 0 {
		why.cause, why.asked = c.requests[0], true
	}
	return why
}

func (c *Conductor) stopRequestLocked() error {
	if len(c.requests) == 0 {
		return ErrStopRequested
	}
	return &stopRequestError{c.requests[0]}
}

// conduct is the stop, and the rollback of a start. It is called once.
func (c *Conductor) conduct(ctx context.Context, why reason) *Receipt {
	c.mu.Lock()
	cfg := c.config.WithDefaults()
	c.mu.Unlock()
	s := &stop{conductor: c, cfg: cfg, times: cfg.timetable(ctx), why: why}
	s.rest = s.times
	defer s.limitWaiting(ctx)()
	// A cycle has failed the start, or there was none, or it came with a
	// component that was appended too late to start. Either way what is there
	// is stopped in the reverse order of registration.
	s.order, _ = c.order()
	s.left = c.countHooks(s.order.serial)
	c.begun(s)
	c.say(func(log *zap.Logger) {
		log.Info("stopping", zap.Stringer("cause", why.cause), zap.Duration("timeout", round(s.total())))
	})

	s.notReady()
	s.delay()
	s.enter(StageClosingIngress)
	s.stage("ingress closed", IngressClosed, s.closeIngress)
	s.enter(StageDraining)
	s.stage("quiet", Quiet, s.drain)
	s.enter(StageStopping)
	s.stopAll(s.of(func(b Band) bool { return b != Ingress }))
	s.destroyLate()
	s.enter(StageReporting)
	s.endChanges()
	receipt := s.finish()
	c.closeWitnesses(s.spare(maxWitnessTime))
	return receipt
}

// stop is one stop while it goes on.
type stop struct {
	conductor *Conductor

	cfg   Config
	times timetable // as it was at the beginning; see now
	why   reason
	order *order
	// base has the values of the caller's context and never ends; soft ends
	// when waiting is over.
	base, soft context.Context //nolint:containedctx // they are the state of the stop
	// slice is the time kept for each OnStop of those that are being stopped.
	slice time.Duration
	// stillInside is what was in the gates when waiting for quiet was over.
	stillInside string
	// late are those that were appended after the order had been made.
	late []*component

	mu       sync.Mutex
	stageNow string        // one of the stages of Progress
	stages   []StageReport // those that are over
	// left counts the hooks that are still to be called.
	left hooksLeft
	rest timetable // times, or what a cut has made of it
	over bool      // rest knows that waiting is over
}

// hooksLeft are numbers of hooks.
type hooksLeft struct{ stop, destroy int }

// limitWaiting makes the context that every OnStop hangs from: cut loose from
// the caller's deadline, since the stop has its own.
func (s *stop) limitWaiting(ctx context.Context) (release func()) {
	s.base = context.WithoutCancel(ctx)
	limited, stopTimer := s.base, context.CancelFunc(func() {})
	if s.times.limited() {
		limited, stopTimer = context.WithDeadline(s.base, s.times.soft)
	}
	soft, cut := context.WithCancelCause(limited)
	s.soft = soft
	onCut := context.AfterFunc(s.conductor.wait, func() { cut(context.Cause(s.conductor.wait)) })
	onCancel := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cut(context.Cause(ctx))
		}
	})
	return func() { onCut(); onCancel(); cut(nil); stopTimer() }
}

func (s *stop) total() time.Duration {
	if !s.times.limited() {
		return 0
	}
	return s.times.deadline.Sub(s.times.began)
}

// waitingOver reports whether hooks are called only to have been called.
func (s *stop) waitingOver() bool {
	// soft ends a moment after the cut, in a goroutine of its own.
	return s.soft.Err() != nil || s.conductor.wait.Err() != nil
}

// now is the timetable of what is left of the stop: when waiting is cut, the
// reserve begins at that moment.
func (s *stop) now() timetable {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && s.waitingOver() {
		s.over = true
		s.rest = s.rest.cutAt(time.Now())
	}
	return s.rest
}
