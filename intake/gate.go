package intake

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// State is what a gate does with those who come.
type State int32

// The states of a gate. From Draining on there is no way back.
const (
	Open State = iota
	Paused
	Draining
	Closed
)

func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Paused:
		return "paused"
	case Draining:
		return "draining"
	case Closed:
		return "closed"
	default:
		return "unknown"
	}
}

// MarshalText writes what [State.String] says: "open", "paused", "draining",
// "closed".
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [State.MarshalText] writes, but for "unknown".
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Open, Paused, Draining, Closed} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("unknown state %q of a gate; it is open, paused, draining or closed", text)
}

// Gate stands at the entrance of one accepting component. Make one with [New];
// the zero value has no name and must not be used.
type Gate struct {
	name     string
	counted  func() Ledger // nil: the gate counts visits itself
	onChange func()        // nil: nobody is told

	// Made once, so that a refusal under load allocates nothing.
	refusePaused, refuseDraining, refuseClosed error

	state atomic.Int32 // written under turn

	turn    sync.Mutex
	road    State         // Open, Draining or Closed: it only grows
	holds   int           // pauses that have not ended
	left    chan struct{} // closed while the state is not Open; then another is made
	changed chan struct{} // closed by the next change of state; nil: nobody has asked

	mu     sync.Mutex
	ledger Ledger
	visits visits // those that have not ended: what is inside
}

// Option configures a [Gate].
type Option func(*Gate)

// Counted makes the gate report the ledger of a component that counts for
// itself. The function must return one consistent snapshot, may be called at
// any time from any goroutine, and must not call the gate.
//
// A gate with Counted must be asked with [Gate.Admit], never with
// [Gate.Enter] or [Gate.EnterAs].
func Counted(ledger func() Ledger) Option {
	return func(g *Gate) { g.counted = ledger }
}

// OnChange has the gate call f after each pause, resume and drain that has
// changed its state, on the goroutine that did it and before that call returns.
// (Close drains first, and is no further change.) It is for a component that has
// to tell many who wait at its entrance, each of whom could wait for
// [Gate.Watch] but at a price.
//
// Where two changes come close upon each other f is called by both, in any order
// or at once, and finds what the last one left: so f asks the gate under a lock
// of the component's own, and does what that answer needs. f must not wait, and
// must not change the gate.
func OnChange(f func()) Option {
	return func(g *Gate) { g.onChange = f }
}

// New returns an open gate. The name ("pool:sms") is what errors and receipts
// call it.
func New(name string, opts ...Option) *Gate {
	g := &Gate{
		name: name,
		left: make(chan struct{}),
	}
	g.refusePaused = &Error{Gate: name, Err: ErrPaused, gate: g}
	g.refuseDraining = &Error{Gate: name, Err: ErrDraining, gate: g}
	g.refuseClosed = &Error{Gate: name, Err: ErrClosed, gate: g}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Name is the name given to [New].
func (g *Gate) Name() string { return g.name }

// State is the state at this moment; it may have moved on when the caller
// looks at it.
func (g *Gate) State() State { return State(g.state.Load()) }

// Admit says whether work that comes with ctx may enter: nil, or an error
// that matches [ErrDraining] ([ErrPaused] among them) or [ErrClosed]. It counts
// nothing, never blocks, and reads ctx only while the gate is paused or draining.
//
// The answer holds for the moment of the call. A component that must not let
// anything slip in between its answer and its own counting asks under the
// lock that its ledger snapshot takes: then whatever was admitted before a
// drain is in every snapshot taken after it. Of a gate that is not open it calls
// ctx.Value, so a context of a type of your own must not call the component.
func (g *Gate) Admit(ctx context.Context) error {
	state := State(g.state.Load())
	if state == Open || state != Closed && lineageOf(ctx).alive() {
		return nil
	}
	return g.refusal(state)
}

// Enter admits one piece of work and counts it, or refuses it as [Gate.Admit]
// does. The caller must end the visit.
func (g *Gate) Enter(ctx context.Context) (*Visit, error) {
	v := new(Visit)
	if err := g.EnterAs(ctx, v); err != nil {
		return nil, err
	}
	return v, nil
}

// EnterAs is Enter for a component that keeps the visit within a struct of its
// own, which saves an allocation. v must be a zero Visit and must not be copied
// afterwards; when it was refused it is of no use.
func (g *Gate) EnterAs(ctx context.Context, v *Visit) error {
	v.gate = g
	v.mark.outer = ctx

	state, lineage := g.lockFor(ctx)
	defer g.mu.Unlock()
	g.ledger.Offered++
	// Asked under the lock that Ledger takes: see Admit.
	if state != Open && (state == Closed || !lineage.alive()) {
		g.ledger.Rejected++
		return g.refusal(state)
	}
	g.ledger.Accepted++
	v.inside = true
	g.visits.add(v)
	return nil
}

// lockFor takes mu, and returns the state of then and, unless it is open, the
// lineage of ctx. That is looked for with no lock held: ctx may be of a type of
// the user's own.
func (g *Gate) lockFor(ctx context.Context) (state State, lineage *Lineage) {
	for isKnown := false; ; {
		if g.State() != Open {
			lineage, isKnown = lineageOf(ctx).known(), true
		}
		g.mu.Lock()
		if state = g.State(); state == Open || isKnown {
			return state, lineage
		}
		g.mu.Unlock() // it was open a moment ago
	}
}

// Ledger is one consistent snapshot of the counts.
func (g *Gate) Ledger() Ledger {
	if g.counted != nil {
		return g.counted()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.ledger
	l.Inside = g.visits.count()
	return l
}
