package batch

import "github.com/lastcall-go/lastcall/journal"

// lot is items in a row, with what the batcher knows of each beside its value.
type lot[T any] struct {
	items []T
	tags  []tag // parallel to items; nil in a batcher without a keeper
}

// tag is what is known of one item.
type tag struct {
	serial   uint64 // tells the items of this life apart; given when it is placed
	seq      uint64 // in the journal; 0: it is not in it
	id       string // from an earlier life; "": see Batcher.idOf
	at       int64  // when it was accepted, in Unix nanoseconds; 0: when its bundle began, never so with MaxAge
	first    error  // of the sink about it, in this life
	tried    int32  // calls of the sink that had it, in all lives
	isTried  bool   // some of them in this life
	replayed bool
}

// tagOf is what the journal, or a dead letter, knows of an item.
func tagOf[T any](it *journal.Item[T]) tag {
	t := tag{seq: it.Seq, id: it.ID, tried: int32(it.Attempt)}
	if !it.At.IsZero() {
		t.at = it.At.UnixNano()
	}
	return t
}

func (l lot[T]) len() int { return len(l.items) }

// front is the first n items.
func (l lot[T]) front(n int) lot[T] {
	if l.tags == nil {
		return lot[T]{items: l.items[:n]}
	}
	return lot[T]{items: l.items[:n], tags: l.tags[:n]}
}

// behind is all but the first n items.
func (l lot[T]) behind(n int) lot[T] {
	if l.tags == nil {
		return lot[T]{items: l.items[n:]}
	}
	return lot[T]{items: l.items[n:], tags: l.tags[n:]}
}

// take appends item i of another lot.
func (l *lot[T]) take(from lot[T], i int) {
	l.items = append(l.items, from.items[i])
	if from.tags != nil {
		l.tags = append(l.tags, from.tags[i])
	}
}

// append is all of another lot behind this one.
func (l lot[T]) append(other lot[T]) lot[T] {
	return lot[T]{items: append(l.items, other.items...), tags: append(l.tags, other.tags...)}
}

// emptied is the same memory without items. What they held is let go.
func (l lot[T]) emptied() lot[T] {
	clear(l.items)
	clear(l.tags)
	return lot[T]{items: l.items[:0], tags: l.tags[:0]}
}

// join puts front before behind. It writes neither, as both may be parts of a
// slice that the sink or a stop reads.
func join[T any](front, behind lot[T]) lot[T] {
	switch {
	case front.len() == 0:
		return behind
	case behind.len() == 0:
		return front
	}
	both := lot[T]{items: make([]T, 0, front.len()+behind.len())}
	if front.tags != nil {
		both.tags = make([]tag, 0, cap(both.items))
	}
	return both.append(front).append(behind)
}

// journalled appends to seqs where the journal has those of before that are in
// none of the others, which are parts of before in the same order.
func journalled(seqs []uint64, before []tag, others ...[]tag) []uint64 {
	elsewhere := func(t *tag) bool {
		for k, o := range others {
			if len(o) > 0 && o[0].serial == t.serial {
				others[k] = o[1:]
				return true
			}
		}
		return false
	}
	for i := range before {
		if t := &before[i]; !elsewhere(t) && t.seq > 0 {
			seqs = append(seqs, t.seq)
		}
	}
	return seqs
}
