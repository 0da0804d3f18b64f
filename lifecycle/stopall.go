package lifecycle

import (
	"context"
	"slices"
	"sync"
	"time"
)

// stopAll stops components, which come in their serial order: one by one, or
// as many at a time as their dependencies allow.
func (s *stop) stopAll(components []*component) {
	if s.parallel() {
		s.stopBeside(components, s.order.mustPrecede)
		return
	}
	s.slice = s.now().slice(s.left.stop)
	for _, comp := range components {
		s.stopOne(comp)
	}
}

// stopBeside stops components at the same time, but none before those that
// must precede it.
func (s *stop) stopBeside(components []*component, mustPrecede func(earlier, later *component) bool) {
	s.slice = s.now().slice(s.left.stop)
	stopped := make([]chan struct{}, len(components)) // each closed by its own goroutine
	for i := range components {
		stopped[i] = make(chan struct{})
	}
	var wg sync.WaitGroup
	for i, comp := range components {
		wg.Go(func() {
			defer close(stopped[i])
			// The latest first: when it is over, most of the others are, and
			// waiting for them does not put this goroutine to sleep again.
			for j := i - 1; j >= 0; j-- {
				if mustPrecede(components[j], comp) {
					<-stopped[j]
				}
			}
			s.stopOne(comp)
		})
	}
	wg.Wait()
}

func (s *stop) parallel() bool {
	s.conductor.mu.Lock()
	defer s.conductor.mu.Unlock()
	return s.cfg.Parallel && s.conductor.constructors.tapped
}

// stopOne calls OnStop, if the component has started, and then PreDestroy in
// any case. Their errors are in the component's reports.
func (s *stop) stopOne(comp *component) {
	c := s.conductor
	c.move(comp, ComponentStopping)
	if comp.OnStop != nil && s.conductor.hasStarted(comp) {
		s.callStop(comp)
	}
	if comp.Gate != nil {
		// A hook that hung or failed may have left it open.
		c.drainGate(comp.Gate)
	}
	s.destroy(comp)
	c.move(comp, ComponentStopped, PhaseStop, PhasePreDestroy)
	c.mu.Lock()
	comp.over = true
	c.mu.Unlock()
}

func (s *stop) callStop(comp *component) {
	others := s.take(hooksLeft{stop: 1}).stop
	atOnce := func() time.Duration { return s.now().graceNow(others + 1) }
	if s.waitingOver() {
		s.call(s.soft, atOnce, comp, PhaseStop, comp.OnStop)
		return
	}
	budget, short := s.now().stop(comp.Budget, s.slice, others)
	ctx, cancel := within(s.soft, budget)
	defer cancel(nil)
	s.call(ctx, func() time.Duration {
		if s.waitingOver() {
			return atOnce()
		}
		// The others are still to be waited for; and past the soft deadline it
		// is the time of the backup hooks.
		return s.now().within(short, others+1)
	}, comp, PhaseStop, comp.OnStop)
}

func (s *stop) destroy(comp *component) {
	if comp.PreDestroy == nil {
		return
	}
	left := s.take(hooksLeft{destroy: 1})
	holders := s.holders(comp)
	ctx, cancel := within(s.base, s.now().destroy(comp.Budget, left.stop, left.destroy+1, holders))
	defer cancel(nil)
	// It may have been given time in which others would have been waited for.
	// A cut takes that away, and leaves its part of the reserve; one that has
	// come since the time was given, too.
	defer context.AfterFunc(s.soft, func() {
		part := s.now().destroy(comp.Budget, 0, left.destroy+1, holders)
		time.AfterFunc(part, func() { cancel(context.Cause(s.soft)) })
	})()
	s.call(ctx, func() time.Duration { return s.now().graceNow(left.destroy + 1) }, comp, PhasePreDestroy, comp.PreDestroy)
}

// holders is how many components still hold work that their PreDestroy is to
// save, comp among them; 0 if comp holds none.
func (s *stop) holders(comp *component) (n int) {
	if !holdsWork(comp) {
		return 0
	}
	for _, other := range s.order.serial {
		if other == comp || !s.conductor.isDestroyed(other) && holdsWork(other) {
			n++
		}
	}
	return max(n, 1) // it may be a late one
}

func holdsWork(comp *component) bool {
	if comp.Gate == nil || comp.PreDestroy == nil {
		return false
	}
	ledger, err := ledgerOf(comp.Gate)
	return err == nil && ledger.Inside > 0
}

func (c *Conductor) isDestroyed(comp *component) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return comp.reports[PhasePreDestroy] != nil
}

// within is a context that ends after d; zero: not by itself.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelCauseFunc) {
	if d == 0 {
		return context.WithCancelCause(ctx)
	}
	ctx, stopTimer := context.WithTimeout(ctx, d)
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(cause error) { cancel(cause); stopTimer() }
}

// destroyLate destroys what was appended while the stop went on, by an OnStop
// that still constructs something, until nobody appends any more.
func (s *stop) destroyLate() {
	known := len(s.order.components)
	for {
		late := s.conductor.appendedSince(known)
		if len(late) == 0 {
			return
		}
		known += len(late)
		slices.Reverse(late)
		// No other goroutine of the stop is left.
		s.left.destroy += s.conductor.countHooks(late).destroy
		for _, comp := range late {
			s.stopOne(comp) // it has not started: only its PreDestroy runs
		}
		s.late = append(s.late, late...)
	}
}

func (s *stop) call(ctx context.Context, grace func() time.Duration, comp *component, phase Phase, hook func(context.Context) error) {
	// The error is in the report; a stop goes on whatever it is.
	_ = s.conductor.call(ctx, s.times.began, grace, comp, phase, hook)
}

// take counts hooks off and says how many are left.
func (s *stop) take(taken hooksLeft) hooksLeft {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left.stop -= taken.stop
	s.left.destroy -= taken.destroy
	return s.left
}

// countHooks counts the hooks that a stop will call.
func (c *Conductor) countHooks(components []*component) (left hooksLeft) {
	for _, comp := range components {
		if comp.OnStop != nil && c.hasStarted(comp) {
			left.stop++
		}
		if comp.PreDestroy != nil {
			left.destroy++
		}
	}
	return left
}

func (c *Conductor) hasStarted(comp *component) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return comp.started
}
