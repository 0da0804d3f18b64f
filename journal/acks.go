package journal

import (
	"context"
	"slices"
	"sync"
)

// acks gathers acknowledgements: many come alone, and a journal writes a
// thousand neighbours as cheaply as one. Nobody waits for a timer: whoever
// comes while nobody writes, writes, and what comes meanwhile goes with the
// next turn.
type acks struct {
	mu      sync.Mutex
	gather  []uint64
	writing bool
	fault   error // of the last turn

	// Of whoever writes.
	turn  []uint64
	spans []Span
}

func (a *acks) add(j Journal, seqs ...uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gather = append(a.gather, seqs...)
	if a.writing {
		return
	}
	a.writing = true
	for len(a.gather) > 0 {
		a.turn, a.gather = a.gather, a.turn[:0]
		a.mu.Unlock()
		a.spans = joinSpans(a.spans[:0], a.turn)
		err := j.Ack(context.Background(), a.spans...)
		a.mu.Lock()
		a.fault = err
	}
	a.writing = false
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
