package pool

import "context"

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

// ring is a FIFO that grows as needed. Positions only rise and are never used
// twice, so that they tell the order of entries that have left the ring.
type ring struct {
	slots      []entry // a power of two
	head, tail uint64  // positions of the next to leave, of the next to come
}

const smallestRing = 16

func (r *ring) len() int { return int(r.tail - r.head) }

func (r *ring) at(pos uint64) *entry { return &r.slots[pos&uint64(len(r.slots)-1)] }

func (r *ring) push(e entry) {
	if r.len() == len(r.slots) {
		r.setSlots(max(smallestRing, 2*len(r.slots)))
	}
	*r.at(r.tail) = e
	r.tail++
}

// pop must not be called on an empty ring.
func (r *ring) pop() (e entry, pos uint64) {
	pos = r.head
	slot := r.at(pos)
	e, *slot = *slot, entry{}
	r.head++
	return e, pos
}

// moveTo moves entries into batch until it is full, or the queue empty, or a
// job is next: those are taken one by one. It returns how many.
func (r *ring) moveTo(batch []entry) (n int) {
	for ; n < len(batch) && r.head != r.tail; n++ {
		slot := r.at(r.head)
		if _, ok := slot.work.(*job); ok {
			break
		}
		batch[n], *slot = *slot, entry{}
		r.head++
	}
	return n
}

// remove takes out what match accepts and keeps the order of the rest.
// Positions are given again to the rest, none of them lower than before.
func (r *ring) remove(match func(work) bool) (removed []entry) {
	write := r.tail
	for read := r.tail; read != r.head; {
		read--
		slot := r.at(read)
		e := *slot
		*slot = entry{}
		if match(e.work) {
			removed = append(removed, e)
			continue
		}
		write--
		*r.at(write) = e
	}
	r.head = write
	for i, j := 0, len(removed)-1; i < j; i, j = i+1, j-1 {
		removed[i], removed[j] = removed[j], removed[i]
	}
	return removed
}

// shrink gives memory back that a queue of this capacity cannot use.
func (r *ring) shrink(capacity int) {
	n := smallestRing
	for n < capacity || n < r.len() {
		n *= 2
	}
	if n < len(r.slots) {
		r.setSlots(n)
	}
}

func (r *ring) setSlots(n int) {
	old := *r
	r.slots = make([]entry, n)
	for pos := r.head; pos != r.tail; pos++ {
		*r.at(pos) = *old.at(pos)
	}
}
