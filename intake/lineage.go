package intake

import (
	"context"
	"sync/atomic"
	"time"
)

// Lineage is the right of accepted work to bring in more work while a drain
// goes on. It is alive from [Mark] until [Lineage.End].
type Lineage struct {
	// outer is looked into by gates that are not open only: marking costs no
	// look-up.
	outer context.Context
	above atomic.Pointer[Lineage] // that of outer, nobody if it has none; nil: nobody has looked
	ended atomic.Bool
}

// nobody stands where there is no lineage above.
var nobody = new(Lineage)

type lineageKey struct{}

// Mark returns a context for accepted work to run with: draining gates admit
// whoever comes with it, or with a context made from it, until End is called.
// A mark laid over another is alive as long as either is.
//
// The caller must call End when the work has ended; a mark that is never ended
// leaves a hole in every draining gate.
func Mark(ctx context.Context) (context.Context, *Lineage) {
	m := &marked{Lineage{outer: ctx}}
	return m, &m.Lineage
}

// marked is the context that carries a lineage: one allocation for both.
type marked struct{ Lineage }

func (m *marked) Deadline() (time.Time, bool) { return m.outer.Deadline() }
func (m *marked) Done() <-chan struct{}       { return m.outer.Done() }
func (m *marked) Err() error                  { return m.outer.Err() }

func (m *marked) Value(key any) any {
	if key == (lineageKey{}) {
		return &m.Lineage
	}
	return m.outer.Value(key)
}

// End takes the right away. Calling it again does nothing.
func (l *Lineage) End() { l.ended.Store(true) }

// alive walks outward: a flush inside a request keeps the request's right
// after its own has ended.
func (l *Lineage) alive() bool {
	for ; l != nil; l = l.up() {
		if !l.ended.Load() {
			return true
		}
	}
	return false
}

// known is l when all that it is laid over has been looked for: from now on, to
// ask whether it is alive calls nobody.
func (l *Lineage) known() *Lineage {
	for at := l; at != nil; at = at.up() {
	}
	return l
}

// up is the lineage that l is laid over, or nil.
func (l *Lineage) up() *Lineage {
	above := l.above.Load()
	if above == nil {
		if above = lineageOf(l.outer); above == nil {
			above = nobody
		}
		l.above.Store(above)
	}
	if above == nobody {
		return nil
	}
	return above
}

func lineageOf(ctx context.Context) *Lineage {
	l, _ := ctx.Value(lineageKey{}).(*Lineage)
	return l
}
