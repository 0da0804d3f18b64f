package filejournal

import (
	"context"
	"errors"

	"github.com/lastcall-go/lastcall/journal"
)

// Ack writes down that the spans have come to an end. Nothing is forced to
// the disk; the room for it was set aside when the entries were appended.
func (j *Journal) Ack(_ context.Context, spans ...journal.Span) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing {
		return j.failed("ack", journal.ErrClosed)
	}
	var failed error
	for _, span := range spans {
		if span.Len() == 0 {
			continue
		}
		if err := j.ackLocked(span); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		j.fault = failed
		return j.failed("ack", failed)
	}
	return nil
}

// ackLocked marks the entries of a span wherever they are.
func (j *Journal) ackLocked(span journal.Span) (failed error) {
	done := false
	for i := len(j.segments) - 1; i >= 0; i-- {
		s := j.segments[i]
		fresh, err := s.ack(span)
		if err != nil {
			failed = errors.Join(failed, err)
			j.dropActiveLocked(s)
		}
		j.live -= fresh
		done = done || fresh > 0 && s.live == 0
		if s.base <= span.First && span.First < s.end() {
			break
		}
	}
	if done {
		j.sweepLocked()
	}
	return failed
}

// sweepLocked takes leave of segments in which everything is acknowledged.
func (j *Journal) sweepLocked() {
	if j.looking {
		return
	}
	open := false // what came before was not ended, so what follows says where it ends
	kept := j.segments[:0]
	for _, s := range j.segments {
		if s.live > 0 || s == j.active || s.keep || s.pins > 0 || open {
			kept = append(kept, s)
			open = !s.sealed && s != j.active
			continue
		}
		j.retireLocked(s)
	}
	clear(j.segments[len(kept):])
	j.segments = kept
}
