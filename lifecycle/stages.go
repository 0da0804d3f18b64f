package lifecycle

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/intake"
)

// begun shows the stop to those who ask how far it has come.
func (c *Conductor) begun(s *stop) {
	cause := s.why.cause
	text := "stopping: " + cause.String() // its error is not ours: not under the lock
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = s
	c.events.add(Event{Kind: EventState, Text: text, Data: StateChange{State: Stopping, Cause: &cause}})
}

// enter says what the stop does from now on.
func (s *stop) enter(stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stageNow = stage
}

func (s *stop) notReady() {
	s.enter(StageDelay)
	s.conductor.reached(NotReady)
	s.report("not ready", true)
}

// delay keeps everything serving a little longer for those who have been told
// to come here; where nobody was, it takes no time. Who has drained before the
// stop has told them then.
func (s *stop) delay() {
	left := s.cfg.PreStopDelay - s.why.drainedFor
	if left <= 0 || !s.why.wasReady {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		s.report("pre-stop delay", true)
	case <-s.soft.Done():
		s.report("pre-stop delay", false)
	}
}

// stage runs one stage, notes when it ended and tells whoever waits for it.
func (s *stop) stage(name string, moment Signal, f func() bool) {
	reached := f()
	s.report(name, reached)
	if reached {
		s.conductor.reached(moment)
	}
}

// text is the sentence for a person.
func (s StageReport) text() string {
	switch {
	case s.Reached:
		return s.Name
	case s.Inside != "":
		return s.Name + ": not reached, inside are " + s.Inside
	default:
		return s.Name + ": not reached"
	}
}

func (s *stop) report(stage string, reached bool) {
	over := StageReport{Name: stage, At: time.Since(s.times.began), Reached: reached, Inside: s.stillInside}
	s.mu.Lock()
	s.stages = append(s.stages, over)
	s.mu.Unlock()
	s.conductor.events.add(Event{Kind: EventStage, Text: over.text(), Data: over})
}

// closeIngress stops all ingress at once, where nothing that is known orders
// it: one that is slow must not leave the others accepting. Whoever was only
// moved here keeps the order that it has elsewhere.
func (s *stop) closeIngress() bool {
	s.stopBeside(s.of(func(b Band) bool { return b == Ingress }), func(earlier, later *component) bool {
		if earlier.Band != Ingress || later.Band != Ingress {
			return !s.parallel() || s.order.mustPrecede(earlier, later)
		}
		return s.order.standsOn[earlier.index].has(later.index) || sameRun(earlier, later)
	})
	return true
}

// drain closes the gates of what is left to root work and waits until nothing
// is inside any of them. What has not started cannot finish anything: its gate
// is closed, but not waited for.
func (s *stop) drain() bool {
	var running []*component
	for _, comp := range s.order.serial {
		if s.conductor.hasStarted(comp) {
			running = append(running, comp)
		}
	}
	for _, g := range gatesOf(s.order.serial) {
		s.conductor.drainGate(g)
	}
	gates := gatesOf(running)
	ctx, cancel := s.soft, func() {}
	if s.times.limited() {
		// Whoever must be stopped still needs some of the time.
		left := time.Until(s.times.soft)
		ctx, cancel = context.WithTimeout(s.soft, left-left/drainLeaves)
	}
	defer cancel()
	reached := awaitQuiet(ctx, gates, func() {
		s.conductor.say(func(log *zap.Logger) {
			log.Info("waiting until nothing is inside", zap.String("inside", inside(gates)))
		})
	})
	if !reached {
		s.stillInside = inside(gates)
	}
	return reached
}

// drainGate closes a gate to root work, which it is also if the component that is
// told of it (intake.OnChange) panics.
func (c *Conductor) drainGate(g *intake.Gate) {
	if err := caught(g.Drain); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notes = append(c.notes, fmt.Sprintf("%s drains, but its component was told of it and did not take it: %v", g.Name(), err))
	}
}

// drainLeaves: waiting for quiet leaves one part in so many of the time to
// the hooks that come after it.
const drainLeaves = 10

func gatesOf(components []*component) []*intake.Gate {
	var gates []*intake.Gate
	for _, comp := range components {
		if comp.Gate != nil {
			gates = append(gates, comp.Gate)
		}
	}
	return gates
}

// of selects components by the band in which they stop in effect.
func (s *stop) of(want func(Band) bool) []*component {
	var some []*component
	for _, comp := range s.order.serial {
		if want(s.order.band[comp.index]) {
			some = append(some, comp)
		}
	}
	return some
}
