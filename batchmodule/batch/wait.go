package batch

import (
	"container/list"
	"context"
	"fmt"

	"github.com/lastcall-go/lastcall/intake"
)

// waiter is an Add that waits for room. Whoever makes room places the item, or
// reserves its place, and wakes the waiter afterwards, so nobody can overtake it
// in between.
type waiter[T any] struct {
	ctx  context.Context
	item T
	to   place
	tag  *tag // nil: a new item

	reserves bool // is to have a place, and no item yet

	place  *list.Element
	answer chan error // one answer: nil when the item was placed
}

func (b *Batcher[T]) queueLocked(w *waiter[T]) {
	w.answer = make(chan error, 1)
	w.place = b.waiting.PushBack(w)
	b.nudgeLocked() // an open bundle may go now to make room
}

// await returns when the item was placed or will not be.
func (b *Batcher[T]) await(w *waiter[T]) error {
	select {
	case err := <-w.answer: // also of a drain: see gateChanges
		return err
	case <-w.ctx.Done():
	}
	err := context.Cause(w.ctx)
	// It had lineage; what cut it short is the stop.
	if refusal := b.gate.Admit(context.Background()); refusal != nil {
		err = fmt.Errorf("%w (%w)", refusal, err)
	}
	b.mu.Lock()
	b.answerLocked(w, &Error{Batcher: b.name, Op: "add", Err: err})
	b.mu.Unlock()
	return <-w.answer
}

// gateChanges does what a drain or a pause of the gate asks for: those who wait
// and are not admitted any more are sent home, what lingers goes now, and a
// drain ends the replay. Nobody waits for the gate to open again but a replay,
// which looks for itself. The gate calls it ([intake.OnChange]), perhaps when it
// has changed again, so it does what the gate says now.
func (b *Batcher[T]) gateChanges() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := b.waiting.Front(); at != nil; {
		w := at.Value.(*waiter[T])
		at = at.Next()
		if err := b.gate.Admit(w.ctx); err != nil {
			b.answerLocked(w, err)
		}
	}
	b.grantLocked() // who was behind them may fit
	if b.gate.State() >= intake.Draining && b.past.cut != nil {
		b.past.cut(ErrDraining)
	}
	b.wakeTend()
}

// answerLocked refuses a waiter, unless it has its answer.
func (b *Batcher[T]) answerLocked(w *waiter[T], err error) {
	if w.place == nil {
		return
	}
	b.waiting.Remove(w.place)
	w.place = nil
	b.rejected++
	w.answer <- err
}

// grantLocked lets in those who wait, in their order, as long as there is room
// for the first. A replay looks for itself.
func (b *Batcher[T]) grantLocked() {
	if b.past.room != nil {
		close(b.past.room)
		b.past.room = nil
	}
	for b.waiting.Len() > 0 {
		w := b.waiting.Front().Value.(*waiter[T])
		// Asked again: the drain may have begun since it came.
		if err := b.gate.Admit(w.ctx); err != nil {
			b.answerLocked(w, err)
			continue
		}
		if !b.fitsLocked(w.to.key, b.limit) {
			return
		}
		b.waiting.Remove(w.place)
		w.place = nil
		if w.reserves {
			b.reserveOneLocked(w.to.key)
		} else {
			b.placeLocked(w.item, w.to, w.tag)
		}
		w.answer <- nil
	}
}

// refuseAllLocked answers everybody who waits. The gate must be closed.
func (b *Batcher[T]) refuseAllLocked() {
	for b.waiting.Len() > 0 {
		w := b.waiting.Front().Value.(*waiter[T])
		b.answerLocked(w, b.gate.Admit(w.ctx))
	}
}
