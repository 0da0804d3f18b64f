package intake

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// State is where a gate is on its one-way road.
type State int32

// The states of a gate.
const (
	Open State = iota
	Draining
	Closed
)

func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case Draining:
		return "draining"
	case Closed:
		return "closed"
	default:
		return "unknown"
	}
}

// MarshalText writes what [State.String] says: "open", "draining", "closed".
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what [State.MarshalText] writes, but for "unknown".
func (s *State) UnmarshalText(text []byte) error {
	for _, known := range []State{Open, Draining, Closed} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("unknown state %q of a gate; it is open, draining or closed", text)
}

// Gate stands at the entrance of one accepting component. Make one with [New];
// the zero value has no name and must not be used.
type Gate struct {
	name    string
	counted func() Ledger // nil: the gate counts visits itself
	onDrain func()        // nil: nobody is told

	refuseDraining error // made once, so that a refusal under load allocates nothing
	refuseClosed   error

	state    atomic.Int32
	draining chan struct{} // closed by the first Drain or Close

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

// OnDrain has the gate call f when it leaves the open state: once, on the
// goroutine of that Drain or Close, before it returns. f may ask the gate, and
// must not wait: it is for a component that has to tell many who wait at its
// entrance, each of whom could wait for [Gate.Draining] but at a price.
func OnDrain(f func()) Option {
	return func(g *Gate) { g.onDrain = f }
}

// New returns an open gate. The name ("pool:sms") is what errors and receipts
// call it.
func New(name string, opts ...Option) *Gate {
	g := &Gate{
		name:           name,
		refuseDraining: &Error{Gate: name, Err: ErrDraining},
		refuseClosed:   &Error{Gate: name, Err: ErrClosed},
		draining:       make(chan struct{}),
	}
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
// that matches [ErrDraining] or [ErrClosed]. It counts nothing, never blocks,
// and reads ctx only while the gate is draining.
//
// The answer holds for the moment of the call. A component that must not let
// anything slip in between its answer and its own counting asks under the
// lock that its ledger snapshot takes: then whatever was admitted before a
// drain is in every snapshot taken after it.
func (g *Gate) Admit(ctx context.Context) error {
	switch State(g.state.Load()) {
	case Open:
		return nil
	case Draining:
		if lineageOf(ctx).alive() {
			return nil
		}
		return g.refuseDraining
	default:
		return g.refuseClosed
	}
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

	g.mu.Lock()
	defer g.mu.Unlock()
	g.ledger.Offered++
	// Asked under the lock that Ledger takes: see Admit.
	if err := g.Admit(ctx); err != nil {
		g.ledger.Rejected++
		return err
	}
	g.ledger.Accepted++
	v.inside = true
	g.visits.add(v)
	return nil
}

// Drain refuses root work from now on; lineage is still admitted. It does not
// wait. Calling it again, or after [Gate.Close], does nothing.
func (g *Gate) Drain() {
	if !g.state.CompareAndSwap(int32(Open), int32(Draining)) {
		return
	}
	close(g.draining)
	if g.onDrain != nil {
		g.onDrain()
	}
}

// Draining is closed when the gate leaves the open state.
func (g *Gate) Draining() <-chan struct{} { return g.draining }

// Close refuses everything from now on, lineage too. It does not wait for
// what is inside. Calling it again does nothing.
func (g *Gate) Close() {
	g.Drain()
	g.state.Store(int32(Closed))
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
