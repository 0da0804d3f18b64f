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
	if !s.parallel() {
		for _, comp := range components {
			s.stopOne(comp)
		}
		return
	}
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
				if s.order.mustPrecede(components[j], comp) {
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
	s.conductor.mu.Lock()
	started := comp.started
	s.conductor.mu.Unlock()
	if comp.OnStop != nil {
		others := s.take(&s.left.stop)
		if started {
			s.callStop(comp, others)
		}
	}
	if comp.Gate != nil {
		// A hook that hung or failed may have left it open.
		comp.Gate.Drain()
	}
	s.destroy(comp)
}

func (s *stop) destroy(comp *component) {
	if comp.PreDestroy == nil {
		return
	}
	others := s.take(&s.left.destroy)
	ctx, cancel := s.times.destroy(comp.Budget, others+1)
	defer cancel()
	s.call(ctx, others+1, comp, PhasePreDestroy, comp.PreDestroy)
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
		_, destroys := countHooks(late)
		s.left.destroy += destroys // no other goroutine of the stop is left
		for _, comp := range late {
			s.destroy(comp)
		}
		s.late = append(s.late, late...)
	}
}

func (s *stop) callStop(comp *component, others int) {
	if s.waitingOver() {
		s.call(s.soft, others+1, comp, PhaseStop, comp.OnStop)
		return
	}
	ctx, cancel := s.times.stop(s.soft, comp.Budget, others)
	defer cancel()
	s.call(ctx, others+1, comp, PhaseStop, comp.OnStop)
}

// call calls one hook; hooks is how many of its kind are still to be called,
// this one included.
func (s *stop) call(ctx context.Context, hooks int, comp *component, phase Phase, hook func(context.Context) error) {
	grace := func() time.Duration { return s.times.graceNow(hooks) }
	// The error is in the report; a stop goes on whatever it is.
	_ = s.conductor.call(ctx, s.times.began, grace, comp, phase, hook)
}

// take counts one hook off and says how many are left.
func (s *stop) take(left *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	*left--
	return *left
}

func countHooks(components []*component) (stops, destroys int) {
	for _, comp := range components {
		if comp.OnStop != nil {
			stops++
		}
		if comp.PreDestroy != nil {
			destroys++
		}
	}
	return stops, destroys
}
