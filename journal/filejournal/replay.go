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
	next   uint64 // behind what was yielded
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
	for _, s := range j.segments[j.behindLocked(last, lastBase):] {
		if s.live > 0 && s.base < r.end {
			s.pins++
			s.readers++
			return s, j.readableLocked(s), nil
		}
	}
	return nil, mark{}, nil
}

// behindLocked is where the segments begin that come after last, which may be
// gone.
func (j *Journal) behindLocked(last *segment, lastBase uint64) int {
	if last == nil {
		return 0
	}
	if i := slices.Index(j.segments, last); i >= 0 && last.base == lastBase {
		return i + 1
	}
	begin := len(j.segments)
	for begin > 0 && j.segments[begin-1].base >= lastBase {
		begin--
	}
	if begin > 0 && j.segments[begin-1].ours && j.segments[begin-1].past > lastBase {
		begin-- // it was compacted, with what came after; what we have seen of it we pass
	}
	return begin
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
		if !ok {
			break
		}
		if f.kind == kindSeal || f.entry >= r.end || r.left {
			return nil
		}
		if err := r.entry(ctx, s, f); err != nil {
			return err
		}
	}
	end := s.base + uint64(written.count)
	if sc.next < end && (sc.next < r.end || s.compacted()) {
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
	alive, err := r.alive(s, f)
	if err != nil || !alive {
		return err
	}
	e, err := decode(f.body)
	if err != nil {
		return err // not to be: it was reported, and counts as gone
	}
	e.Seq = f.entry
	if e.ID == "" {
		epoch := s.epoch
		if f.kind == kindMoved {
			epoch = f.epoch
		}
		e.ID = madeID(epoch, f.entry)
	}
	r.left = !r.yield(e, nil)
	return nil
}

// alive reports whether an entry is to be yielded.
func (r *replay) alive(s *segment, f frame) (bool, error) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	i := int(f.seq - s.base)
	switch {
	case r.j.closing:
		return false, journal.ErrClosed
	case i >= s.count: // moved, since we entered, to a segment we come to next
		return false, nil
	case s.acked.has(i), s.ours && f.entry < r.next: // moved here since we saw it
		return false, nil
	}
	r.next = f.entry + 1
	return true, nil
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
	first, last := s.missing(g)
	j.report(s, Damage{
		Offset: int64(g.from), Bytes: int64(g.to - g.from), First: first, Last: last,
		Reason: "it was good before, and is no frame now",
	}, r.buffer)
	j.live -= before - s.live
}
