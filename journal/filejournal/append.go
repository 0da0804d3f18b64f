package filejournal

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/lastcall-go/lastcall/journal"
)

// Append writes the entries down. What they withstand when it returns nil is
// said by [Sync].
func (j *Journal) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	if len(entries) == 0 {
		return journal.Span{}, nil
	}
	if len(entries) == 1 && j.cfg.Sync != SyncAlways {
		if seq := j.appendOne(&entries[0]); seq > 0 {
			return journal.Span{First: seq, Last: seq}, nil
		}
	}
	j.mu.Lock()
	span, groups, err := j.appendLocked(ctx, entries)
	j.mu.Unlock()
	for _, g := range groups {
		<-g.done
		err = errors.Join(err, g.err)
	}
	if err != nil {
		if groups != nil {
			j.withdraw(span)
		}
		return journal.Span{}, j.failed("append", err)
	}
	return span, nil
}

// appendOne is the short way of a single entry into mapped memory that has
// room for it. It returns 0, and has done nothing, where the long way is to be
// taken: there it is found out why.
func (j *Journal) appendOne(e *journal.Entry) uint64 {
	most := mostSize(e)
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.active
	if s == nil || s.mem == nil || j.closing || !s.fits(most) {
		return 0
	}
	seq := j.nextSeq
	size, err := encodeOne(s.mem[s.tail:], s.seed, seq, e)
	if err != nil {
		return 0
	}
	j.grewLocked(s, 1, size)
	if s.tail > s.size/4 && !s.asked {
		j.askForSpareLocked()
	}
	return seq
}

// grewLocked counts entries that were put at the tail of a segment.
func (j *Journal) grewLocked(s *segment, n, size int) {
	s.grow(n, size)
	j.live += n
	j.nextSeq += uint64(n)
	if j.powerSafe() && !j.dirty {
		j.dirty = true
		j.wakeLocked()
	}
}

// appendLocked finds room and writes. A segment that fails is left behind, and
// the entries are written once more, to another.
func (j *Journal) appendLocked(ctx context.Context, entries []journal.Entry) (journal.Span, []*group, error) {
	var failed error // by the first try
	for range 2 {
		if err := j.waitForRoomLocked(ctx, entries); err != nil {
			return journal.Span{}, nil, errors.Join(err, failed)
		}
		span, groups, err := j.putLocked(entries)
		if err == nil {
			if failed != nil {
				j.fault = nil
			}
			j.askForSpareLocked()
			return span, groups, nil
		}
		j.fault, failed = err, err
		j.withdrawLocked(span)
	}
	return journal.Span{}, nil, failed
}

// putLocked writes entries for which there is room. On an error the span says
// what was written before.
func (j *Journal) putLocked(entries []journal.Entry) (span journal.Span, groups []*group, err error) {
	span = journal.Span{First: j.nextSeq, Last: j.nextSeq - 1}
	for len(entries) > 0 {
		n := entrySize(&entries[0])
		if j.active == nil || !j.active.fits(n) {
			if err := j.rollLocked(n); err != nil {
				return span, nil, err
			}
		}
		s, count, size := j.active, 0, 0
		for n > 0 && fits(s.size, s.tail+int64(size), s.count+count, n) {
			count, size, n = count+1, size+n, 0
			if count < len(entries) {
				n = entrySize(&entries[count])
			}
		}
		g, err := j.putHereLocked(s, entries[:count], size)
		if err != nil {
			s.failed = true
			j.dropActiveLocked(s)
			return span, nil, err
		}
		if g != nil {
			groups = append(groups, g)
		}
		j.grewLocked(s, count, size)
		span.Last = j.nextSeq - 1
		entries = entries[count:]
	}
	return span, groups, nil
}

// putHereLocked writes entries of size bytes to the tail of a segment: into
// mapped memory, with one write, or, where the committer does that, into a
// group.
func (j *Journal) putHereLocked(s *segment, entries []journal.Entry, size int) (*group, error) {
	if j.cfg.Sync == SyncAlways {
		g := j.groupLocked(s)
		encode(g.grow(size), s.seed, j.nextSeq, entries)
		g.n += len(entries)
		return g, nil
	}
	p := s.room(j.scratch, size)
	if s.mem != nil {
		return nil, encodeMapped(p, s.seed, j.nextSeq, entries)
	}
	j.scratch = keepSmall(p)
	encode(p, s.seed, j.nextSeq, entries)
	_, err := s.f.WriteAt(p, s.tail)
	return nil, err
}

// encode writes the frames of entries into p, and zeros behind the last.
func encode(p []byte, seed uint32, seq uint64, entries []journal.Entry) {
	for i := range entries {
		p = p[putEntry(p, seed, seq+uint64(i), &entries[i]):]
	}
}

func encodeMapped(p []byte, seed uint32, seq uint64, entries []journal.Entry) (err error) {
	defer unguard(debug.SetPanicOnFault(true), &err)
	encode(p, seed, seq, entries)
	return nil
}

func encodeOne(p []byte, seed uint32, seq uint64, e *journal.Entry) (size int, err error) {
	defer unguard(debug.SetPanicOnFault(true), &err)
	return putEntry(p, seed, seq, e), nil
}

// keepSmall forgets a buffer that one large entry has made.
func keepSmall(p []byte) []byte {
	if cap(p) > 1<<20 {
		return nil
	}
	return p
}

// rollLocked seals the active segment and begins a spare that an entry of n
// bytes fits into.
func (j *Journal) rollLocked(n int) error {
	i := 0
	for i < len(j.spares) && !fits(j.spares[i].size, headerSize, 0, n) {
		i++
	}
	s := j.spares[i]
	j.spares = append(j.spares[:i:i], j.spares[i+1:]...)
	if err := s.begin(j.nextSeq, 0); err != nil {
		s.failed = true
		j.discardLocked(s)
		return err // the old one goes on, not sealed
	}
	old := j.active
	j.active = s
	j.segments = append(j.segments, s)
	if old != nil {
		j.sealLocked(old)
		if old.live == 0 {
			j.sweepLocked()
		}
	}
	return nil
}

// sealLocked ends a segment. One that cannot be ended is only missing its
// end, which the next one tells.
func (j *Journal) sealLocked(s *segment) {
	if j.cfg.Sync != SyncAlways {
		if err := s.seal(); err != nil {
			s.failed, j.fault = true, err
		}
		return
	}
	g := j.groupLocked(s)
	putSeal(g.grow(frameHead), s.seed, s.end())
	s.sealed = true
}

// dropActiveLocked makes the next append look for another segment.
func (j *Journal) dropActiveLocked(s *segment) {
	if j.active == s {
		j.active = nil
	}
}

// askForSpareLocked has the next segment made while this one fills.
func (j *Journal) askForSpareLocked() {
	s := j.active
	if s.asked || s.tail < s.size/4 || len(j.spares) > 0 || j.closing {
		return
	}
	s.asked = true
	j.background.Go(func() {
		_ = j.make(j.cfg.SegmentBytes, j.bareLocked) // the append that needs it will say why not
		j.touchSpares()
	})
}

// touchSpares has the system find memory for what will soon be written: a page
// that is met for the first time costs an append as much as thirty others.
func (j *Journal) touchSpares() {
	j.mu.Lock()
	var cold [][]byte
	for _, s := range j.spares {
		if !s.touched && s.mem != nil {
			s.touched = true
			cold = append(cold, s.mem)
		}
	}
	j.mu.Unlock()
	for _, mem := range cold {
		touch(mem)
	}
}

func (j *Journal) withdraw(span journal.Span) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.withdrawLocked(span)
}

// withdrawLocked takes back entries that were not accepted.
func (j *Journal) withdrawLocked(span journal.Span) {
	if span.Len() > 0 {
		_ = j.ackLocked(span) // the segment has failed; in memory they are gone
		j.sweepLocked()
	}
}

// wakeLocked tells the goroutine that commits or forces.
func (j *Journal) wakeLocked() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
