package filejournal

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// Replay yields what is not acknowledged. It holds one segment in memory at a
// time.
func (j *Journal) Replay(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		r := &replay{j: j, yield: yield}
		if err := r.run(ctx); err != nil && !r.left {
			yield(journal.Entry{}, j.failed("replay", err))
		}
	}
}

// replay is one walk through the segments.
type replay struct {
	j      *Journal
	yield  func(journal.Entry, error) bool
	next   uint64 // what is before it was yielded or passed
	end    uint64 // what is appended from here on is not for us
	buffer []byte
	left   bool // the caller has had enough
}

func (r *replay) run(ctx context.Context) error {
	r.j.mu.Lock()
	r.end = r.j.nextSeq
	r.j.mu.Unlock()
	var last *segment
	var lastBase uint64
	for !r.left {
		s, written, err := r.enter(last, lastBase)
		if err != nil || s == nil {
			return err
		}
		last, lastBase = s, s.base
		if err := r.segment(ctx, s, written); err != nil {
			return err
		}
	}
	return nil
}

// enter pins the next segment in which something is alive.
func (r *replay) enter(last *segment, lastBase uint64) (*segment, mark, error) {
	j := r.j
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing {
		return nil, mark{}, journal.ErrClosed
	}
	begin := slices.Index(j.segments, last) + 1
	if last != nil && begin == 0 {
		begin = len(j.segments)
		for begin > 0 && j.segments[begin-1].base >= lastBase {
			begin--
		}
	}
	for _, s := range j.segments[begin:] {
		if s.live > 0 && s.base < r.end {
			s.pins++
			s.readers++
			return s, j.readableLocked(s), nil
		}
	}
	return nil, mark{}, nil
}

// readableLocked is how far a segment may be read: what the committer has not
// written yet nobody was promised.
func (j *Journal) readableLocked(s *segment) mark {
	if j.cfg.Sync == SyncAlways {
		return s.written
	}
	return s.here()
}

func (r *replay) leave(s *segment) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	s.pins--
	s.readers--
	if s.live == 0 {
		r.j.sweepLocked()
	}
}

func (r *replay) segment(ctx context.Context, s *segment, written mark) error {
	defer r.leave(s)
	if err := r.read(s, written.tail); err != nil {
		return err
	}
	sc := newScanner(r.buffer, s.key, s.base)
	for {
		f, g, bad, ok := sc.scan()
		if bad {
			r.report(s, g)
		}
		if !ok || f.kind == kindSeal || f.seq >= r.end || r.left {
			break
		}
		if err := r.entry(ctx, s, f); err != nil {
			return err
		}
	}
	if end := s.base + uint64(written.count); !r.left && sc.next < min(end, r.end) {
		r.report(s, gap{from: sc.off, to: len(r.buffer), first: sc.next, last: end - 1})
	}
	return nil
}

// read fills the buffer with the frames. What the disk refuses to give is
// zeros, where the scanner will find nothing.
func (r *replay) read(s *segment, tail int64) error {
	r.buffer = slices.Grow(r.buffer[:0], int(tail))[:tail]
	n, err := s.f.ReadAt(r.buffer, 0)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	clear(r.buffer[n:])
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if r.j.closing {
		return journal.ErrClosed
	}
	r.j.fault = err
	return nil
}

func (r *replay) entry(ctx context.Context, s *segment, f frame) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	alive, err := r.alive(s, f.seq)
	if err != nil || !alive {
		return err
	}
	e, err := decode(f.body)
	if err != nil {
		return err // not to be: it was reported, and counts as gone
	}
	e.Seq = f.seq
	if e.ID == "" {
		e.ID = madeID(s.epoch, f.seq)
	}
	r.left = !r.yield(e, nil)
	return nil
}

// alive reports whether an entry is to be yielded.
func (r *replay) alive(s *segment, seq uint64) (bool, error) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	i := int(seq - s.base)
	switch {
	case r.j.closing:
		return false, journal.ErrClosed
	case i >= s.count: // moved, since we entered, to a segment we come to next
		return false, nil
	case s.ours && seq < r.next: // moved here since we saw it
		return false, nil
	}
	r.next = seq + 1
	return !s.acked.has(i), nil
}

// report writes down damage that came since the journal was opened.
func (r *replay) report(s *segment, g gap) {
	j := r.j
	j.mu.Lock()
	defer j.mu.Unlock()
	known := slices.ContainsFunc(j.damage, func(d Damage) bool {
		return d.Segment == s.name() && d.Offset == int64(g.from)
	})
	if known {
		return
	}
	before := s.live
	j.report(s, Damage{
		Offset: int64(g.from), Bytes: int64(g.to - g.from), First: g.first, Last: g.last,
		Reason: "it was good before, and is no frame now",
	}, r.buffer)
	j.live -= before - s.live
}
