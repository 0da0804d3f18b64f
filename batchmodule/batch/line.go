package batch

import (
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// line is the bundles of one key, or of all items where there are no keys. A
// key has a line as long as it has something inside.
type line[T any] struct {
	key  string
	open *bundle[T] // being filled, if any
	busy bool       // keyed: one of its bundles is ready or flying
	held chain[T]   // keyed: sealed, waiting for that one

	reserved int // places of items that are being written down
}

func (b *Batcher[T]) lineLocked(key string) *line[T] {
	if b.only != nil {
		return b.only
	}
	l := b.lines[key]
	if l == nil {
		l = &line[T]{key: key}
		b.lines[key] = l
	}
	return l
}

// openLocked begins a bundle. The clock is read here, once for all its items.
func (b *Batcher[T]) openLocked(l *line[T]) *bundle[T] {
	s := b.takeFreeLocked()
	b.seq++
	s.line, s.seq, s.since = l, b.seq, time.Now()
	l.open = s
	b.open.push(s)
	b.armLocked(s.since)
	return s
}

// sealLocked ends the filling of an open bundle. It goes to the sink when its
// turn comes.
func (b *Batcher[T]) sealLocked(s *bundle[T], why Trigger) {
	b.open.remove(s)
	s.line.open = nil
	s.trigger = why
	if b.only == nil && s.line.busy {
		s.line.held.push(s)
		return
	}
	s.line.busy = true
	b.ready.push(s)
	b.nudgeLocked()
}

// nextLocked moves the bundle whose turn it is to those in flight, or returns
// nil.
func (b *Batcher[T]) nextLocked() *bundle[T] {
	if b.phase != running {
		return nil
	}
	if b.ready.first == nil {
		s, why := b.dueLocked()
		if s == nil {
			return nil
		}
		b.sealLocked(s, why)
	}
	s := b.ready.pop()
	s.store = s.lot
	b.flying.push(s)
	return s
}

// dueLocked is the oldest open bundle that need not wait for more items, now
// that a slot is free.
func (b *Batcher[T]) dueLocked() (*bundle[T], Trigger) {
	if b.open.first == nil {
		return nil, 0
	}
	hasty, now := b.hastyLocked(), time.Now()
	for s := b.open.first; s != nil; s = s.next {
		over := now.Sub(s.since) >= b.cfg.Linger
		switch {
		case !over && !hasty:
			return nil, 0 // the others are younger
		case b.only == nil && s.line.busy:
			continue // may as well be filled further
		case b.gate.State() != intake.Open:
			return s, TriggerDrain
		case over:
			return s, TriggerLinger
		default:
			return s, TriggerRoom
		}
	}
	return nil, 0
}

// hastyLocked says that nobody gains by lingering: the batcher drains or is
// paused, or somebody waits for room.
func (b *Batcher[T]) hastyLocked() bool {
	return b.waiting.Len() > 0 && b.barred == nil || b.past.room != nil || b.gate.State() != intake.Open
}

// releaseLocked ends the turn of a line whose bundle has landed.
func (b *Batcher[T]) releaseLocked(l *line[T]) {
	if b.only != nil {
		return
	}
	if s := l.held.pop(); s != nil {
		b.ready.push(s)
		return
	}
	l.busy = false
	b.forgetLocked(l)
}

// forgetLocked lets go of a key with nothing inside.
func (b *Batcher[T]) forgetLocked(l *line[T]) {
	if b.only == nil && l.open == nil && !l.busy && l.reserved == 0 {
		delete(b.lines, l.key)
	}
}

// takeFreeLocked returns an empty bundle.
func (b *Batcher[T]) takeFreeLocked() *bundle[T] {
	n := len(b.free)
	if n == 0 {
		return &bundle[T]{}
	}
	s := b.free[n-1]
	b.free[n-1] = nil
	b.free = b.free[:n-1]
	b.freeCap -= cap(s.items)
	return s
}

// recycleLocked keeps a bundle for later, up to a total capacity of one
// Buffer: a burst over many keys must not hold memory for ever. The flight has
// cleared the slice.
func (b *Batcher[T]) recycleLocked(s *bundle[T]) {
	if b.freeCap+cap(s.store.items) > b.cfg.Buffer || cap(s.store.items) > b.cfg.MaxItems {
		return
	}
	*s = bundle[T]{lot: s.store}
	b.freeCap += cap(s.items)
	b.free = append(b.free, s)
}
