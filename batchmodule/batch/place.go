package batch

import "time"

// place is where an item is to go.
type place struct {
	key  string
	size int64
}

func (b *Batcher[T]) measure(item T) (p place) {
	if b.opts.key != nil {
		p.key = b.opts.key(item)
	}
	if b.opts.size != nil {
		p.size = int64(b.opts.size(item))
	}
	return p
}

// fitsLocked says whether one more item may enter where limit may be inside.
func (b *Batcher[T]) fitsLocked(key string, limit int) bool {
	if b.inside >= limit {
		return false
	}
	if b.only != nil || len(b.lines) < b.cfg.MaxKeys {
		return true
	}
	return b.lines[key] != nil
}

// placeLocked puts one item into the open bundle of its key.
func (b *Batcher[T]) placeLocked(item T, p place, t *tag) {
	l := b.lineLocked(p.key)
	s := l.open
	if s != nil && b.cfg.MaxBytes > 0 && s.bytes+p.size > b.cfg.MaxBytes {
		b.sealLocked(s, TriggerBytes)
		s = nil
	}
	if s == nil {
		s = b.openLocked(l)
	}
	b.growLocked(s, 1)
	s.items = append(s.items, item)
	if b.keeper != nil {
		b.tagLocked(s, 1, t)
	}
	s.bytes += p.size
	b.filledLocked(s, 1)
}

// growLocked makes room in s for n more items, of MaxItems in all: what is used
// again is then just as large as it can be of use.
func (b *Batcher[T]) growLocked(s *bundle[T], n int) {
	need := len(s.items) + n
	if need <= cap(s.items) {
		return
	}
	room := min(max(need, 2*cap(s.items), 4), b.cfg.MaxItems)
	s.items = append(make([]T, 0, room), s.items...)
	if b.keeper != nil {
		s.tags = append(make([]tag, 0, room), s.tags...)
	}
}

// tagLocked writes down what is known of n items just appended to s: nil is
// nothing.
func (b *Batcher[T]) tagLocked(s *bundle[T], n int, known *tag) {
	var t tag
	if known != nil {
		t = *known
	}
	if t.at == 0 && b.cfg.MaxAge > 0 {
		t.at = time.Now().UnixNano()
	}
	for range n {
		b.serial++
		t.serial = b.serial
		s.tags = append(s.tags, t)
	}
}

// filledLocked counts n items just appended to s and sees whether it is full.
func (b *Batcher[T]) filledLocked(s *bundle[T], n int) {
	b.inside += n
	b.accepted += uint64(n)
	switch {
	case len(s.items) >= b.cfg.MaxItems:
		b.sealLocked(s, TriggerCount)
	case b.cfg.MaxBytes > 0 && s.bytes >= b.cfg.MaxBytes:
		b.sealLocked(s, TriggerBytes)
	case b.hastyLocked():
		b.nudgeLocked()
	}
}
