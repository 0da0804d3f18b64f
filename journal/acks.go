package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// acks gathers acknowledgements: many come alone, and a journal writes a
// thousand neighbours as cheaply as one. Nobody waits for a timer: whoever
// comes while nobody writes, writes, and what comes meanwhile goes with the
// next turn.
//
// What is not written yet comes again after a kill. So it is bounded: where
// the one who writes does not get on, the others wait for it, and whoever
// brings many waits until they are written.
type acks struct {
	mu        sync.Mutex
	gather    []uint64
	unwritten int       // of gather and of the turn that is being written
	turns     uint64    // that have ended
	ended     sync.Cond // a turn has ended
	writing   bool
	fault     error // of the last turn

	// Of whoever writes.
	turn  []uint64
	spans []Span
}

// mostUnwritten is how many there may be before others wait.
const mostUnwritten = 8

func (a *acks) add(j Journal, seqs ...uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.unwritten >= mostUnwritten {
		a.ended.Wait()
	}
	a.gather = append(a.gather, seqs...)
	a.unwritten += len(seqs)
	if a.writing {
		mine := a.turns + 2 // after the one that is being written
		for len(seqs) >= mostUnwritten && a.turns < mine {
			a.ended.Wait()
		}
		return
	}
	a.writing = true
	defer func() { a.writing = false }() // deferred: a journal may end the goroutine
	for len(a.gather) > 0 {
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
