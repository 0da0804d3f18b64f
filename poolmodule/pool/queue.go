package pool

import (
	"context"
	"slices"
)

// work is what a worker runs: a function, a future, an item of a lane.
type work interface {
	// run does it and says how it ended. A panic may escape.
	run(ctx context.Context) outcome
	// fail ends work that run did not end: it panicked, was discarded, or
	// was never run. It is called without the pool's lock.
	fail(err error)
}

// outcome says how a run ended.
type outcome uint8

const (
	done   outcome = iota
	failed         // in an error or a panic
	again          // to be tried again after job.delay
	cut            // stopped before its end: to be handed back
)

// entry is one place in the queue.
type entry struct {
	work work
	// at is when it was queued, in nanoseconds of the pool's clock. Zero: not
	// one of those that are timed.
	at int64
}

// queue is a FIFO in two slices: work comes into the inbox, and leaves from the
// front. When the front is used up the two change places, which costs the same
// for one task and for thousands. Both grow as needed.
//
// Positions rise, so that they tell the order of entries that have left the
// queue. What is put back takes those right before its head.
type queue struct {
	front []entry // front[taken:] is next to leave
	taken int
	base  uint64 // the position of front[0]
	inbox inbox
}

func (q *queue) len() int { return len(q.front) - q.taken + len(q.inbox.entries) }

// head is the position of what leaves next.
func (q *queue) head() uint64 { return q.base + uint64(q.taken) }

// take is the next n entries at most, but not those of two slices, and the
// position of the first. They are the caller's to clear, before the pool's lock
// is given back.
func (q *queue) take(n int) (window []entry, pos uint64) {
	if q.taken == len(q.front) {
		q.base += uint64(len(q.front))
		q.front, q.inbox.entries = q.inbox.entries, q.front[:0]
		q.taken = 0
	}
	n = min(n, len(q.front)-q.taken)
	window, pos = q.front[q.taken:q.taken+n], q.base+uint64(q.taken)
	q.taken += n
	return window, pos
}

// pop must not be called on an empty queue.
func (q *queue) pop() (e entry, pos uint64) {
	window, pos := q.take(1)
	e = window[0]
	clear(window)
	return e, pos
}

// putBack puts what has left the queue before its head again, in its order.
func (q *queue) putBack(entries []positioned) {
	sortByPosition(entries)
	if missing := len(entries) - q.taken; missing > 0 {
		q.front = slices.Insert(q.front, 0, make([]entry, missing)...)
		q.base -= uint64(missing)
		q.taken += missing
	}
	q.taken -= len(entries)
	for i, e := range entries {
		q.front[q.taken+i] = e.entry
	}
}

// first is up to n of the entries that leave next, for as many as are in one
// slice.
func (q *queue) first(n int) []entry {
	next := q.front[q.taken:]
	if len(next) == 0 {
		next = q.inbox.entries
	}
	return next[:min(n, len(next))]
}

// remove takes out what match accepts and keeps the order of the rest.
func (q *queue) remove(match func(work) bool) (removed []entry) {
	sift := func(entries []entry) (kept int) {
		for _, e := range entries {
			if match(e.work) {
				removed = append(removed, e)
				continue
			}
			entries[kept] = e
			kept++
		}
		clear(entries[kept:])
		return kept
	}
	q.front = q.front[:q.taken+sift(q.front[q.taken:])]
	q.inbox.entries = q.inbox.entries[:sift(q.inbox.entries)]
	return removed
}

// shrink gives memory back that a queue of this capacity cannot use.
func (q *queue) shrink(capacity int) {
	most := max(smallestInbox, capacity)
	if cap(q.front) > most {
		q.base += uint64(q.taken)
		q.front = append([]entry(nil), q.front[q.taken:]...)
		q.taken = 0
	}
	if in := &q.inbox; cap(in.entries) > most {
		in.entries = append([]entry(nil), in.entries...)
	}
}
