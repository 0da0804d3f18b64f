package batch

import (
	"errors"
	"runtime/debug"
	"time"
)

// fly flushes bundles as long as there are any whose turn it is.
func (b *Batcher[T]) fly(d *delivery[T]) {
	defer func() {
		if d == nil {
			return
		}
		// A sink has ended this goroutine, which cannot be held up: another
		// one goes on. Or there is a defect in the batcher.
		if v := recover(); v != nil && !d.wreck(v) {
			panic(v)
		}
		go b.fly(d)
	}()
	for d != nil {
		d.run()
		if s := d.finish(); s != nil {
			d = d.of(b, s)
		} else {
			d = nil
		}
	}
}

// tellGroundedLocked wakes the stop that waits for all that runs.
func (b *Batcher[T]) tellGroundedLocked() {
	if b.grounded != nil && b.slots == 0 && b.reserved == 0 && b.past.cut == nil {
		close(b.grounded)
		b.grounded = nil
	}
}

// finish tells those who want to know what came of the bundle, and returns the
// one whose turn is next, or nil.
func (d *delivery[T]) finish() *bundle[T] {
	b, s := d.b, d.s
	if d.abandoned {
		return b.land(s, Landed{}, nil) // Stop has settled it
	}
	d.flush.Failed, d.flush.Lost, d.flush.Left, d.flush.Calls = d.failed, d.lost, s.len(), d.calls
	d.flush.Err = d.error()
	d.flush.Took = time.Since(d.began)
	landed := d.landed()
	err := errors.Join(d.flush.Err, d.observe())
	if s.len() == 0 {
		s.store = s.store.emptied() // a recycled slice must not keep items alive
	}
	return b.land(s, landed, err)
}

func (d *delivery[T]) observe() error {
	switch {
	case d.b.opts.flushed == nil:
		return nil
	case d.observed: // and has ended its goroutine
		return d.b.panicked(&PanicError{Value: errGoexit})
	}
	d.observed = true
	return d.b.guard(func() error { d.b.opts.flushed(d.flush); return nil })
}

// land takes a bundle whose flush has ended out of flight. It returns the one
// that has the slot next, or gives the slot back.
func (b *Batcher[T]) land(s *bundle[T], l Landed, err error) *bundle[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !s.abandoned {
		b.landLocked(s, l, err)
	}
	var next *bundle[T]
	if b.slots <= b.cfg.Parallel {
		next = b.nextLocked()
	}
	if next == nil {
		// Under the lock that found nothing: what is ready after this wakes tend.
		// Or there are more slots than there may be since Resize.
		b.slots--
		b.tellGroundedLocked()
	}
	return next
}

func (b *Batcher[T]) landLocked(s *bundle[T], l Landed, err error) {
	b.flying.remove(s)
	b.flushes[s.trigger]++
	b.rememberLocked(l)
	s.tellLocked(err)
	if s.len() > 0 {
		b.cutOff.push(s)
		return
	}
	b.releaseLocked(s.line)
	b.recycleLocked(s)
	b.grantLocked() // a key may have become free
	b.tellQuietLocked()
}

// tellQuietLocked wakes those who wait until nothing is inside.
func (b *Batcher[T]) tellQuietLocked() {
	if b.emptied != nil && b.quietLocked() {
		close(b.emptied)
		b.emptied = nil
	}
}

func (s *bundle[T]) tellLocked(err error) {
	for _, w := range s.watches {
		if err != nil {
			w.errs = append(w.errs, err)
		}
		if w.pending--; w.pending == 0 {
			close(w.done)
		}
	}
	s.watches = nil
}

// wreck gives up a bundle on which the batcher itself has failed: what is not
// settled is lost, and said to be. It reports false the second time.
func (d *delivery[T]) wreck(value any) bool {
	if d.wrecked {
		return false
	}
	d.wrecked, d.held = true, 0
	d.err = errors.Join(d.err, d.b.panicked(&PanicError{Value: value, Stack: string(debug.Stack())}))
	d.settle(lot[T]{}, 0, d.s.lot)
	return true
}
