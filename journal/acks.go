package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// acks gathers acknowledgements: many come alone, and a journal writes a few
// neighbours as cheaply as one. Nobody waits for others to come: whoever brings
// some while nobody writes, writes, and what comes meanwhile goes with the next
// turn. Only what is left ([Keeper.DoneSoon]) waits, for a few more.
//
// What is not written yet comes again after a kill. So it is bounded: where
// the one who writes does not get on, the others wait for it, and whoever
// brings many waits until they are written.
type acks struct {
	// expected counts the entries of which it will be said that they are done.
	// Those who append write it, the others read it rarely; so it has a line of
	// the cache for itself.
	expected atomic.Uint64
	_        [56]byte

	mu        sync.Mutex
	gather    []uint64
	brought   uint64    // how many in all
	seen      uint64    // expected, when it was read last
	unwritten int       // of gather and of the turn that is being written
	turns     uint64    // that have ended
	ended     sync.Cond // a turn has ended, or the clock
	writing   bool
	hurry     bool  // somebody waits until all of gather is written
	fault     error // of the last turn

	clock   *time.Timer // ends the waiting of what is left; nil before the first
	ticking bool        // clock is set, or its goroutine runs
	closed  bool

	// Of whoever writes.
	turn  []uint64
	spans []Span
}

const (
	// mostUnwritten is how many there may be before others wait.
	mostUnwritten = 8
	// fewLeft are worth a turn. As many again may come while it is written.
	fewLeft = mostUnwritten / 2
	// longestLeft is how long something may be left.
	longestLeft = 10 * time.Millisecond
)

func (a *acks) add(j Journal, seqs ...uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bringLocked(seqs...)
	if !a.writing {
		a.writeAllLocked(j)
		return
	}
	a.hurry = true
	mine := a.turns + 2 // after the one that is being written
	for len(seqs) >= mostUnwritten && a.turns < mine {
		a.ended.Wait()
	}
}

// leave is add that leaves the writing to whoever comes next, if somebody will.
func (a *acks) leave(j Journal, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bringLocked(seq)
	switch {
	case a.writing: // and goes on, or sets the clock
	case a.isDueLocked():
		a.writeAllLocked(j)
	default:
		a.setClockLocked(j)
	}
}

func (a *acks) bringLocked(seqs ...uint64) {
	for a.unwritten >= mostUnwritten {
		a.ended.Wait()
	}
	a.gather = append(a.gather, seqs...)
	a.unwritten += len(seqs)
	a.brought += uint64(len(seqs))
}

// isDueLocked says whether what was left is to be written now: there is enough
// of it, or nobody is at work who would bring more. To see that there is such a
// one an old number will do, as it only rises.
func (a *acks) isDueLocked() bool {
	if len(a.gather) == 0 {
		return false
	}
	if len(a.gather) >= fewLeft || a.hurry || a.closed {
		return true
	}
	if a.brought >= a.seen {
		a.seen = a.expected.Load()
	}
	return a.brought >= a.seen
}

// setClockLocked sees to it that what is left is written in time.
func (a *acks) setClockLocked(j Journal) {
	if a.ticking || a.closed || len(a.gather) == 0 {
		return
	}
	a.ticking = true
	if a.clock == nil {
		a.clock = time.AfterFunc(longestLeft, func() { a.timeUp(j) })
		return
	}
	a.clock.Reset(longestLeft)
}

func (a *acks) timeUp(j Journal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer func() { // deferred: a journal may end the goroutine
		a.ticking = false
		if !a.writing {
			a.setClockLocked(j)
		}
		a.ended.Broadcast()
	}()
	if len(a.gather) == 0 || a.writing || a.closed {
		return
	}
	// Others who write bring one that is their own: no more than the rest is
	// left to them.
	a.unwritten++
	defer func() { a.unwritten-- }()
	a.writeAllLocked(j)
}

// close writes what is left. A turn that is under way is waited for by those
// who have begun it.
func (a *acks) close(j Journal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.clock != nil && a.clock.Stop() {
		a.ticking = false
	}
	for a.ticking { // its goroutine is ours
		a.ended.Wait()
	}
	if !a.writing && len(a.gather) > 0 {
		a.writeAllLocked(j)
	}
}

// writeAllLocked writes what has gathered, and goes on while enough comes.
func (a *acks) writeAllLocked(j Journal) {
	a.writing = true
	defer func() { // deferred: a journal may end the goroutine
		a.writing = false
		a.setClockLocked(j)
	}()
	for more := true; more; more = a.isDueLocked() {
		a.hurry = false
		a.turn, a.gather = a.gather, a.turn[:0]
		a.writeLocked(j)
	}
}

// writeLocked lets go of the lock for as long as the journal writes. A journal
// that panics has failed.
func (a *acks) writeLocked(j Journal) {
	a.mu.Unlock()
	var err error
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the journal panicked: %v", p)
		}
		a.mu.Lock()
		a.fault = err
		a.unwritten -= len(a.turn)
		a.turns++
		a.ended.Broadcast()
	}()
	a.spans = joinSpans(a.spans[:0], a.turn)
	err = j.Ack(context.Background(), a.spans...)
}

// joinSpans appends to dst the fewest spans that cover seqs, which it sorts.
func joinSpans(dst []Span, seqs []uint64) []Span {
	slices.Sort(seqs)
	for _, seq := range seqs {
		if n := len(dst); n > 0 && seq <= dst[n-1].Last+1 {
			dst[n-1].Last = seq
			continue
		}
		dst = append(dst, Span{First: seq, Last: seq})
	}
	return dst
}
