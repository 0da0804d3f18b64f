package filejournal

import (
	"cmp"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// A segment whose disk has failed is left behind: it is never written, forced
// or trusted again beyond some mark. What it held there goes to a refuge, a
// segment that begins at the mark, under the same sequence numbers. A reader
// that finds both takes the newer, unless that was not written to its end.

// refugeLocked makes a segment for size bytes of frames that an old one held
// beyond a mark. A spare is taken first: its room on the disk is certain.
// MaxBytes is no reason to lose what was accepted. It counts once it holds so
// many entries.
func (j *Journal) refugeLocked(old *segment, from mark, size, holds int) (*segment, error) {
	s, err := j.shelterLocked(size + (old.count-from.count)*slotSize)
	if err != nil {
		return nil, err
	}
	if err := s.begin(old.base+uint64(from.count), holds); err != nil {
		s.failed = true
		j.discardLocked(s)
		return nil, err
	}
	return s, nil
}

func (j *Journal) shelterLocked(n int) (*segment, error) {
	size := sizeFor(j.cfg.SegmentBytes, n)
	for i, s := range j.spares {
		if s.size >= size {
			j.spares = slices.Delete(j.spares, i, i+1)
			return s, nil
		}
	}
	s, err := j.create(j.nextKeyLocked(), size)
	if err != nil {
		return nil, asFull(err)
	}
	j.bytes += size
	return s, nil
}

// leaveLocked makes the refuge count for what the old segment held beyond the
// mark, and the place for what is appended next if the old one was.
func (j *Journal) leaveLocked(old *segment, from mark, s *segment, wasActive bool) {
	j.live -= old.cut(from)
	i, _ := slices.BinarySearchFunc(j.segments, s.base+1, func(s *segment, base uint64) int { return cmp.Compare(s.base, base) })
	j.segments = slices.Insert(j.segments, i, s)
	if wasActive {
		j.active = s
	}
}

// cut takes the entries behind a mark out of the segment, and returns how many
// of them were alive.
func (s *segment) cut(from mark) (alive int) {
	for i := from.count; i < s.count; i++ {
		if !s.acked.has(i) {
			alive++
		}
		s.acked.clear(i)
	}
	s.count, s.tail, s.live = from.count, from.tail, s.live-alive
	s.written = from
	return alive
}

func (b bitset) clear(i int) { b[i/64] &^= 1 << (i % 64) }

// moveUnsyncedLocked appends again, to a refuge, what a segment whose sync has
// failed held beyond the last sync that did not. On an error nothing has
// changed, and it can be tried again.
func (j *Journal) moveUnsyncedLocked(old *segment, wasActive bool) error {
	from, n := old.synced, old.count-old.synced.count
	frames := make([]byte, old.tail-from.tail)
	if _, err := old.f.ReadAt(frames, from.tail); err != nil {
		return err
	}
	s, err := j.refugeLocked(old, from, len(frames), n)
	if err != nil {
		return err
	}
	kept, gone := resealAll(frames, old, s, n)
	if err := s.put(append(kept, make([]byte, 8)...), s.tail); err != nil {
		s.failed = true
		j.discardLocked(s)
		return err
	}
	acked, sealed := slices.Clone(old.acked), old.sealed
	j.leaveLocked(old, from, s, wasActive)
	s.grow(n, len(kept))
	for i := range n {
		if acked.has(from.count + i) {
			seq := s.base + uint64(i)
			_, _ = s.ack(journal.Span{First: seq, Last: seq}) // if it is not written, it comes again
		}
	}
	for _, span := range gone {
		j.report(s, Damage{First: span.First, Last: span.Last, Reason: old.name() + " could not be forced to the disk, nor read again"}, nil)
	}
	j.live += s.live
	if sealed || !wasActive {
		j.sealLocked(s)
	}
	if s.failed {
		j.dropActiveLocked(s)
	}
	return nil
}

// resealAll makes the frames of n entries that an old segment held ones of
// another. It leaves out what the disk has spoilt, and says what that was.
func resealAll(frames []byte, old, s *segment, n int) (out []byte, gone []journal.Span) {
	sc := &scanner{data: frames, seed: old.seed, next: s.base, last: s.base + uint64(n) - 1}
	next, end := s.base, s.base+uint64(n)
	for f, _, _, ok := sc.scan(); ok; f, _, _, ok = sc.scan() {
		if f.seq > next {
			gone = append(gone, journal.Span{First: next, Last: f.seq - 1})
		}
		p := frames[f.off : f.off+f.size]
		reseal(p, s.seed)
		out = append(out, p...)
		next = f.seq + 1
	}
	if next < end {
		gone = append(gone, journal.Span{First: next, Last: end - 1})
	}
	return out, gone
}
