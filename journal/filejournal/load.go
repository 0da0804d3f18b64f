package filejournal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
)

// loaded is a segment of an earlier life, as it was found.
type loaded struct {
	segment
	head   header
	copies int     // of the header that are good
	blank  bool    // it was made, or made again, and never begun
	length int64   // of the file
	heir   *loaded // the compacted segment that has taken its place
}

// load reads what an earlier life has left, and makes it the beginning of this
// one.
func (j *Journal) load(ctx context.Context) error {
	if _, err := j.survey(ctx, func(int64) {}); err != nil {
		return err
	}
	j.settle()
	return nil
}

// survey reads what is there, every byte of it. It tells the bytes of each
// segment as it goes. What is found wrong goes to quarantine; nothing else is
// written.
func (j *Journal) survey(ctx context.Context, seen func(bytes int64)) ([]*loaded, error) {
	found, err := j.find()
	if err != nil {
		return nil, err
	}
	var last uint64 // base of the segment that was written last
	for _, l := range found {
		last = max(last, l.head.base)
	}
	var buffer []byte
	for i, l := range found {
		if ctx.Err() != nil {
			return nil, errors.Join(context.Cause(ctx), closeAll(found[i:]))
		}
		j.number = max(j.number, l.key.number)
		buffer = j.read(l, buffer)
		j.examine(l, buffer, l.copies > 0 && l.head.base == last)
		j.segments = append(j.segments, &l.segment)
		j.bytes += l.size
		seen(l.length)
	}
	for _, l := range j.outdated {
		seen(l.length)
	}
	j.order()
	return found, nil
}

func closeAll(found []*loaded) error {
	var errs []error
	for _, l := range found {
		errs = append(errs, l.f.Close())
	}
	return errors.Join(errs...)
}

// find opens the segments, in the order of their numbers, and removes what
// was never finished making.
func (j *Journal) find() (found []*loaded, err error) {
	names, err := j.fs.List(j.dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(found))
		}
	}()
	for _, name := range names {
		path := filepath.Join(j.dir, name)
		if strings.HasSuffix(name, segmentSuffix+tempSuffix) && !j.looking {
			if err := j.fs.Remove(path); err != nil {
				return found, err
			}
		}
		k, ok := parseName(name)
		if !ok {
			continue // not ours: let it be
		}
		l := &loaded{segment: segment{key: k, seed: k.seed(), path: path}}
		if l.f, err = j.fs.Open(path); err != nil {
			return found, err
		}
		if l.length, err = l.f.Size(); err != nil {
			return found, errors.Join(err, l.f.Close())
		}
		page := make([]byte, min(l.length, headerSize))
		_, _ = l.f.ReadAt(page, 0) // an error is met again when all is read
		var foreign bool
		l.head, l.copies, foreign = readHeader(page, k)
		l.blank = l.copies == 0 && (foreign || blank(page))
		l.size = cmp.Or(l.head.size, l.length)
		found = append(found, l)
	}
	slices.SortFunc(found, func(a, b *loaded) int { return cmp.Compare(a.key.number, b.key.number) })
	found, j.outdated = outdated(found)
	return found, closeAll(j.outdated)
}

// outdated tells the segments whose place a compacted one has taken from those
// that count. They are there if the process died before it could remove them.
func outdated(found []*loaded) (count, old []*loaded) {
	for _, l := range found {
		for _, heir := range found {
			if l.head.base > 0 && heir.head.replaces(l.head) {
				l.heir = heir
			}
		}
		if l.heir == nil {
			count = append(count, l)
		} else {
			old = append(old, l)
		}
	}
	return count, old
}

// blank reports whether a header was never written, or not to its end.
func blank(page []byte) bool {
	return len(page) == headerSize && le.Uint64(page) == 0 && le.Uint64(page[headerCopy:]) == 0
}

// read fills the buffer with the segment. What the disk refuses to give is
// zeros, and damage.
func (j *Journal) read(l *loaded, buffer []byte) []byte {
	const piece = 1 << 20
	buffer = slices.Grow(buffer[:0], int(l.length))[:l.length]
	for off := 0; off < len(buffer); off += piece {
		p := buffer[off:min(off+piece, len(buffer))]
		n, err := l.f.ReadAt(p, int64(off))
		if err != nil && !errors.Is(err, io.EOF) {
			clear(p[n:])
			j.report(&l.segment, Damage{Offset: int64(off + n), Bytes: int64(len(p) - n), Reason: "the disk cannot read it: " + err.Error()}, nil)
		}
	}
	return buffer
}

// examine finds the frames and the acknowledgements in the bytes of a
// segment. last says that it was the one written last: it may end anywhere.
func (j *Journal) examine(l *loaded, data []byte, last bool) {
	s := &l.segment
	s.base, s.past, s.holds = l.head.base, l.head.past, int(l.head.holds)
	var gaps []gap
	var unreadable []frame
	var sizes []int // of the frames, by place
	sc := newScanner(data, s.key, s.base)
	for !s.sealed {
		f, g, bad, ok := sc.scan()
		if !ok {
			break
		}
		if s.base == 0 {
			s.base = f.seq
		}
		if bad {
			gaps = append(gaps, g)
		}
		if f.kind == kindSeal {
			s.sealed = true
			continue
		}
		if _, err := view(f.body); err != nil {
			unreadable = append(unreadable, f)
		}
		s.learn(f)
		sizes = append(sizes, make([]int, int(f.seq-s.base)-len(sizes))...)
		sizes = append(sizes, f.size)
	}
	if sc.next > s.base {
		s.count = int(sc.next - s.base)
	}
	s.learnGap(s.count)
	s.tail = int64(sc.off)
	if s.sealed {
		s.tail -= frameHead
	}
	s.written, s.synced = s.here(), s.here()
	s.live, s.acked = s.count, bitset(nil).grow(s.count)
	j.nextSeq = max(j.nextSeq, s.end(), j.readSlots(s, data))
	s.failed = l.length != s.size

	for _, g := range gaps {
		first, last := s.missing(g)
		j.report(s, Damage{Offset: int64(g.from), Bytes: int64(g.to - g.from), First: first, Last: last, Reason: "it is no frame, or its checksum is wrong"}, data)
	}
	for _, f := range unreadable {
		j.report(s, Damage{Offset: int64(f.off), Bytes: int64(f.size), First: f.entry, Last: f.entry, Reason: errBody.Error()}, data)
	}
	j.examineEnd(l, sc, data, last && !s.compacted())
	s.weigh(sizes)
}

// examineEnd looks at what is around the frames.
func (j *Journal) examineEnd(l *loaded, sc *scanner, data []byte, last bool) {
	s := &l.segment
	if l.blank && s.count == 0 {
		return
	}
	if n := sc.remains(); n > 0 && !s.sealed {
		d := Damage{Offset: int64(sc.off), Bytes: int64(n), Reason: "the end of the segment is no frame"}
		if last {
			d.Torn, d.Reason = true, "the last frame was not finished"
		}
		j.report(s, d, data)
	}
	if l.copies > 0 && l.length != s.size {
		j.report(s, Damage{Offset: l.length, Reason: fmt.Sprintf("the file has %d bytes of %d", l.length, s.size)}, data)
	}
	if l.copies == 0 && s.count == 0 {
		// Nothing in it is understood: it may be of another version.
		j.report(s, Damage{Reason: "neither a header nor a frame is found; the file is left alone"}, nil)
		s.keep = true
	} else if l.copies < 2 && s.count > 0 {
		j.report(s, Damage{Bytes: min(headerSize, l.length), Reason: fmt.Sprintf("%d of 2 copies of the header are good", l.copies)}, data)
	}
}

// readSlots takes the acknowledgements into account. It returns the sequence
// number behind the last one that is acknowledged.
func (j *Journal) readSlots(s *segment, data []byte) (behind uint64) {
	var empty []int
	for slot := 0; ; slot++ {
		at := slotAt(s.size, slot)
		if at < s.tail+frameHead || at < headerSize {
			return behind
		}
		if at+slotSize > int64(len(data)) {
			continue // the file was cut
		}
		span, ok := readSlot(data[at:], s.seed, slot, s.base)
		if !ok {
			empty = append(empty, slot)
			continue
		}
		s.holes, s.slots = empty, slot+1
		behind = max(behind, span.Last+1)
		first, last := max(span.First, s.base), min(span.Last, s.base+uint64(s.count)-1)
		if s.count > 0 && first <= last {
			s.strike(int(first-s.base), int(last-first)+1)
		}
	}
}

// order puts the segments in order and counts what is alive.
func (j *Journal) order() {
	slices.SortStableFunc(j.segments, func(a, b *segment) int { return cmp.Compare(a.base, b.base) })
	for i, s := range j.segments {
		// After a failed sync what was not forced was appended again to a
		// later segment, under the same numbers; to several, if that failed.
		// After a failed write, of which a part may have arrived, the numbers
		// went to what was appended next.
		for _, next := range j.segments[i+1:] {
			switch {
			case next.base >= s.end() || next.count == 0:
			case next.brokenOff(s):
				next.partial = true
				j.outlive(next, s.base, s.end())
			case next.spoilt || next.count < next.holds || s.compacted(): // something may be there alone
				j.outlive(s, next.base, next.end())
			default: // what only s has was refused
				j.outlive(s, next.base, max(s.end(), next.end()))
			}
		}
	}
	for _, s := range j.segments {
		j.live += s.live
	}
	j.found = j.live
}

// brokenOff reports whether a segment is a refuge for what another holds and
// was not written to its end: then it never counted.
func (s *segment) brokenOff(old *segment) bool {
	return s.count < s.holds && !s.sealed && s.end() < old.end() && !old.spoilt
}

// outlive makes the entries from base up to end count elsewhere, not in s.
func (j *Journal) outlive(s *segment, base, end uint64) {
	if j.looking {
		s.forget(base, end-1)
		return
	}
	// In writing: the other may be gone before s is.
	if _, err := s.ack(journal.Span{First: base, Last: end - 1}); err != nil {
		j.fault = err
	}
}

// settle ends the segments and takes leave of those that are done.
func (j *Journal) settle() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.count > 0 && !s.sealed && !s.keep && !s.partial {
			_ = s.seal() // if not: the next life finds the end as this one did
		}
	}
	j.removeOutdatedLocked()
	j.sweepLocked()
}

// removeOutdatedLocked removes the segments whose place others have taken. If
// one cannot be, or might be needed, since there is damage in its heir, no
// heir goes before it: it would come back.
func (j *Journal) removeOutdatedLocked() {
	for _, l := range j.outdated { // the oldest first: it may be that of another
		if !l.heir.spoilt {
			err := j.fs.Remove(l.path)
			if err == nil {
				continue
			}
			j.fault = err
		}
		for _, s := range j.segments {
			s.keep = s.keep || s.compacted()
		}
		return
	}
	j.outdated = nil
}
