package batch

import "time"

// bundle is one batch: from its first item until the last is settled. At any
// moment it is in exactly one chain of its batcher; the ledger counts what is
// inside by walking the chains.
type bundle[T any] struct {
	line    *line[T]
	seq     uint64    // in the order of their first items
	since   time.Time // when its first item came
	trigger Trigger   // valid once sealed

	lot[T]        // what is not settled yet; the batcher's mu guards it, but for reading in its flight
	store  lot[T] // what the lot began as, for recycling
	bytes  int64

	abandoned bool // a stop has taken the items: the flight settles nothing more
	watches   []*watch

	prev, next *bundle[T]
}

// chain is a FIFO of bundles that lets go of any of them in no time.
type chain[T any] struct {
	first, last *bundle[T]
}

func (c *chain[T]) push(s *bundle[T]) {
	s.prev, s.next = c.last, nil
	if c.last == nil {
		c.first = s
	} else {
		c.last.next = s
	}
	c.last = s
}

func (c *chain[T]) remove(s *bundle[T]) {
	if s.prev == nil {
		c.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		c.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}

func (c *chain[T]) pop() *bundle[T] {
	s := c.first
	if s != nil {
		c.remove(s)
	}
	return s
}
