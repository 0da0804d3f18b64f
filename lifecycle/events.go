package lifecycle

import (
	"context"
	"io"
	"sync"
	"time"
)

// The kinds of an [Event].
const (
	// EventState: the application has come into another [State]. Data is a
	// [StateChange].
	EventState = "state"
	// EventComponent: a component has. Data is a [ComponentChange].
	EventComponent = "component"
	// EventStage: a stage of the stop is over. Data is a [StageReport].
	EventStage = "stage"
	// EventKnobs: a change of knobs was made or refused. Data is a [Turned].
	EventKnobs = "knobs"
	// EventAction: a component, or the application itself ([Conductor.Drain]),
	// was told to do something, and has or has not done it. Data is a [Turned].
	EventAction = "action"
)

// Event is something that has happened in the life of the application.
type Event struct {
	// Seq numbers the events of one process from 1, without a gap.
	Seq uint64    `json:"seq"`
	At  time.Time `json:"at"`
	// Kind is one of the kinds above, or one of somebody else's; there may be
	// others one day.
	Kind      string `json:"kind"`
	Component string `json:"component,omitempty"`
	// Text says it to a person, Data, whose type depends on Kind, to a program.
	Text string `json:"text"`
	Data any    `json:"data,omitempty"`
}

// Events are the last 1,000 events of one application. To add one neither
// blocks nor waits for anybody who reads: a reader who is too slow misses some,
// and is told. [Conductor.Events] has them.
type Events struct {
	mu      sync.Mutex
	ring    ring[Event]
	over    bool          // the last event was added
	changed chan struct{} // closed by the next add; nil: nobody waits
}

// Events are what has happened, from the first moment of the start to the
// receipt.
func (c *Conductor) Events() *Events { return &c.events }

// Since returns the events after number seq, oldest first, and at once; 0: all
// that are kept. missed says that there were others in between that are gone,
// or that seq is not of this process: then all that are kept are returned.
func (e *Events) Since(seq uint64) (events []Event, missed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ring.since(seq)
}

// Next is Since, but waits until there is an event after seq, or ctx ends.
// When the application has stopped and there is none any more, it returns
// [io.EOF]. (What was missed shows in the first number: it is not seq+1.)
func (e *Events) Next(ctx context.Context, seq uint64) ([]Event, error) {
	for {
		events, changed, over := e.look(seq)
		switch {
		case len(events) > 0:
			return events, nil
		case over:
			return nil, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (e *Events) look(seq uint64) (events []Event, changed <-chan struct{}, over bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	events, _ = e.ring.since(seq)
	if len(events) == 0 && !e.over && e.changed == nil {
		e.changed = make(chan struct{})
	}
	return events, e.changed, e.over
}

// Add tells what has happened to those who read, beside what the conductor
// tells: Seq is given by it, and At, if it is zero. Kind must be one of the
// caller's own. Neither Data nor what it leads to is to be changed afterwards.
// It does not block. When the application has stopped there is nothing to tell
// any more: it does nothing then.
func (e *Events) Add(event Event) { e.add(event) }

// add may be called under the conductor's lock: it calls nobody.
func (e *Events) add(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	event.Seq = e.ring.last + 1
	if event.At.IsZero() {
		event.At = time.Now()
	}
	e.ring.add(event)
	e.wakeLocked()
}

// end says that no event will come any more.
func (e *Events) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	e.wakeLocked()
}

func (e *Events) wakeLocked() {
	if e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
}

// StateChange is the Data of an event of [EventState].
type StateChange struct {
	State State `json:"state"`
	// Cause is why it is stopping; nil for the other states.
	Cause *Cause `json:"cause,omitempty"`
	// Clean and ExitCode are those of the [Receipt], when it has stopped.
	Clean    bool `json:"clean,omitempty"`
	ExitCode int  `json:"exit_code,omitempty"`
}
