package intake

import (
	"context"
	"sync"
)

// Pause refuses root work, as a drain does, until resume is called; lineage is
// still admitted. It does not wait. Several may pause a gate: it is open again
// when each of them has resumed it, in any order. A second call of the same
// resume does nothing, and none of them opens a gate that drains or is closed.
//
// A component needs to know nothing of it but what it knows of a drain: to ask
// the gate whenever work comes, and to send those home who wait at its entrance
// and are not admitted any more.
//
// Where the function of [OnChange] panics there is no pause.
func (g *Gate) Pause() (resume func()) {
	end, isTold := func() { g.holds-- }, false
	defer func() {
		if !isTold { // nobody else could ever resume it
			g.step(end)
		}
	}()
	g.change(func() { g.holds++ })
	isTold = true
	return sync.OnceFunc(func() { g.change(end) })
}

// Drain refuses root work from now on; lineage is still admitted. It does not
// wait. Calling it again, or after [Gate.Close], does nothing.
func (g *Gate) Drain() {
	g.change(func() { g.road = max(g.road, Draining) })
}

// Close refuses everything from now on, lineage too. It does not wait for
// what is inside. Calling it again does nothing.
func (g *Gate) Close() {
	g.Drain()
	g.change(func() { g.road = Closed })
}

// change does one step, and tells of it if the state is another one then.
func (g *Gate) change(step func()) {
	if g.step(step) && g.onChange != nil {
		g.onChange()
	}
}

// step reports whether a component has something to do about it.
func (g *Gate) step(step func()) bool {
	g.turn.Lock()
	defer g.turn.Unlock()
	step()
	was, now := State(g.state.Load()), g.road
	if now == Open && g.holds > 0 {
		now = Paused
	}
	if now == was {
		return false
	}
	// The state first: who is woken asks for it.
	g.state.Store(int32(now))
	switch {
	case was == Open:
		close(g.left)
	case now == Open:
		g.left = make(chan struct{})
	}
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
	return now != Closed
}

// Draining is closed when the gate leaves the open state. Of a gate that is
// paused, or on its way to be closed, it is closed already; of one that is open
// again it is another channel.
func (g *Gate) Draining() <-chan struct{} {
	g.turn.Lock()
	defer g.turn.Unlock()
	return g.left
}

// Watch is the state at this moment, and a channel that is closed when it is
// another one. Who looks again each time misses nothing but what did not last.
func (g *Gate) Watch() (State, <-chan struct{}) {
	g.turn.Lock()
	defer g.turn.Unlock()
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return State(g.state.Load()), g.changed
}

// AwaitOpen waits until the gate is open. It returns the refusal of a gate that
// will not be any more, or the cause of ctx if that ends before.
func (g *Gate) AwaitOpen(ctx context.Context) error {
	for {
		state, changed := g.Watch()
		if state != Paused {
			return g.refusal(state)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// refusal is the error for root work; nil: it is let in.
func (g *Gate) refusal(s State) error {
	switch s {
	case Open:
		return nil
	case Paused:
		return g.refusePaused
	case Draining:
		return g.refuseDraining
	default:
		return g.refuseClosed
	}
}
