package filejournal

import (
	"errors"
	"slices"
)

// One entry that is not acknowledged keeps its whole segment. Compaction
// copies what is alive in neighbouring segments to one that is no larger than
// it must be, and takes them away:
//
//	  ┌─ a · · · ─┐┌─ · · b · ─┐┌─ · c · · ─┐        ┌ a b c ┐
//	  └───────────┘└───────────┘└───────────┘   ─▶   └───────┘
//
//	1. made under another name, whole: the frames, with the sequence number
//	   and the epoch each entry was appended under, and in the header which
//	   sequence numbers it stands for: from the first one that was given in
//	   the old segments to the last, whether alive or not
//	2. forced, whatever sync says: what it copies may be safe for months
//	3. what was acknowledged meanwhile is acknowledged in it, too
//	4. renamed, and in memory it takes their place      ◀ the one moment
//	5. the directory is forced
//	6. the old ones are removed
//
// Who dies before 4 leaves the old ones and a file that is removed unread.
// Who dies after leaves the new one. An older segment that begins among the
// numbers it stands for does not count any more: it is one of those that were
// copied, or one that was acknowledged whole before and is not removed yet. So
// there are never both, and never neither. Until the last of them is removed
// the new one stays, even if all of it is acknowledged, and is not compacted
// again. What all that is worth is told in doc.go.

// worth says whether a run of n segments of old bytes is worth a copy of size
// bytes.
type worth func(n int, old, size int64) bool

// winsRoom: half of it at least.
func winsRoom(_ int, old, size int64) bool { return 2*size <= old }

// winsRoomOrFiles: or one file for several.
func winsRoomOrFiles(n int, old, size int64) bool {
	return n > 1 && size <= old || winsRoom(n, old, size)
}

// smallSegment is what a segment counts at least where sizes are compared: below it
// files are too many sooner than too large.
const smallSegment = 64 << 10

// run is a row of neighbouring segments.
type run struct {
	segments []*segment
	acked    []bitset // as they were when the run was chosen
	old      int64    // bytes of their files
	frames   int64    // about what their living entries take when moved
	live     int
}

func (r *run) size() int64 { return compactSize(r.frames, r.live) }

// compactSize is the size of a file for frames of so many bytes and entries.
func compactSize(frames int64, n int) int64 {
	need := headerSize + frames + frameHead + int64(n)*slotSize
	return need + -need&(headerSize-1)
}

// weigh notes what the living entries of a segment take.
func (s *segment) weigh(sizes []int) {
	s.weight, s.weighed = 0, s.live
	for i, size := range sizes {
		if !s.acked.has(i) {
			s.weight += int64(size)
		}
	}
}

// moved is about what the living entries take when they are moved. Unless
// they have been counted, all entries of the segment are as large.
func (s *segment) moved() int64 {
	weight, weighed := s.weight, s.weighed
	if weighed == 0 {
		weight, weighed = s.tail-headerSize, s.count
	}
	frames := weight * int64(s.live) / int64(weighed)
	if !s.compacted() {
		frames += int64(s.live) * movedHead
	}
	return frames
}

// learn notes the sequence number of an entry that was moved.
func (s *segment) learn(f frame) {
	if f.kind != kindMoved && !s.compacted() {
		return
	}
	s.past = max(s.past, f.entry+1) // the header may be gone
	s.learnGap(int(f.seq - s.base))
	s.seqs = append(s.seqs, max(f.entry, s.beyond(len(s.seqs))))
}

// learnGap gives the entries up to place n that are missing numbers that fit.
func (s *segment) learnGap(n int) {
	for s.compacted() && len(s.seqs) < n {
		s.seqs = append(s.seqs, s.beyond(len(s.seqs)))
		s.past = max(s.past, s.seqs[len(s.seqs)-1]+1)
	}
}

// beyond is the least sequence number that the entry in place i may have.
func (s *segment) beyond(i int) uint64 {
	if i == 0 {
		return s.base
	}
	return s.seqs[i-1] + 1
}

// missing is between which sequence numbers the entries of a gap were.
func (s *segment) missing(g gap) (first, last uint64) {
	if !s.compacted() || g.first > g.last {
		return g.first, g.last
	}
	i, behind := int(g.first-s.base), int(g.last-s.base)+1
	if last = s.end() - 1; behind < len(s.seqs) {
		last = s.seqs[behind] - 1
	}
	return s.beyond(i), last
}

// compact copies one run of segments, if one is worth it, and reports whether
// it has. It needs making. What fails leaves the old ones as they are.
func (j *Journal) compact(worth worth) bool {
	for {
		j.mu.Lock()
		r := j.chooseLocked(worth)
		j.mu.Unlock()
		if r == nil {
			return false
		}
		n, err := j.replace(r, worth)
		j.mu.Lock()
		for _, s := range r.segments {
			s.pins--
		}
		again := false
		switch {
		case errors.Is(err, errNotWorth):
			for _, s := range r.segments[:n] {
				s.tried = max(1, s.live)
			}
			again = true
		case errors.Is(err, errBusy):
			again = true // without what is being read
		case err != nil:
			j.fault = asFull(err)
		}
		j.sweepLocked() // what was acknowledged whole while it was pinned
		j.mu.Unlock()
		if !again {
			return err == nil
		}
	}
}

// chooseLocked pins a run of segments that is worth it. A neighbour is taken in
// as long as it is at most twice as large as all behind it: so nothing is
// copied again for every little that comes.
func (j *Journal) chooseLocked(worth worth) *run {
	if j.closing {
		return nil
	}
	var runs []*run
	apart := 0 // runs that have no neighbour any more
	for _, s := range j.segments {
		if !j.settledLocked(s) {
			apart = len(runs)
			continue
		}
		r := &run{segments: []*segment{s}, old: s.size, frames: s.moved(), live: s.live}
		for len(runs) > apart && j.joins(runs[len(runs)-1], r) {
			r = runs[len(runs)-1].with(r)
			runs = runs[:len(runs)-1]
		}
		runs = append(runs, r)
	}
	for _, r := range runs {
		if worth(len(r.segments), r.old, r.size()) {
			for _, s := range r.segments {
				s.pins++
				r.acked = append(r.acked, slices.Clone(s.acked))
			}
			return r
		}
	}
	return nil
}

// settledLocked reports whether a segment may be moved: nobody writes or reads
// it, it is as safe as it will be, and nothing in it is damaged, which is left
// to be looked at. What is in one whose file has failed is safer elsewhere.
func (j *Journal) settledLocked(s *segment) bool {
	return s != j.active && (s.sealed || s.failed) && s.live > 0 && s.pins == 0 && !s.keep && !s.spoilt &&
		(!j.powerSafe() || s.synced.count == s.count) && (s.tried == 0 || 2*s.live <= s.tried)
}

// joins reports whether two runs that are neighbours are to be one.
func (j *Journal) joins(a, b *run) bool {
	return a.with(b).size() <= j.cfg.SegmentBytes && a.size() <= 2*max(b.size(), smallSegment)
}

func (r *run) with(o *run) *run {
	return &run{
		segments: slices.Concat(r.segments, o.segments),
		old:      r.old + o.old, frames: r.frames + o.frames, live: r.live + o.live,
	}
}

// errNotWorth: a closer look has shown it; there may be another run.
var errNotWorth = errors.New("it is not worth it")

// replace puts one segment in the place of a run, or of as many of the first of
// it as fit. It returns how many those are.
func (j *Journal) replace(r *run, worth worth) (int, error) {
	j.mu.Lock()
	c := &copying{j: j, key: j.nextKeyLocked(), image: make([]byte, headerSize, r.size())}
	j.mu.Unlock()
	for i, s := range r.segments {
		before := *c
		if err := c.add(s, r.acked[i]); err != nil || i > 0 && c.size() > j.cfg.SegmentBytes {
			*c = before
			break
		}
	}
	if len(c.from) == 0 {
		return 1, errNotWorth // it cannot be read as it was: a replay will say so
	}
	if !worth(len(c.from), c.old, c.size()) {
		return len(c.from), errNotWorth
	}
	heir, err := c.write()
	if err == nil {
		err = c.publish(heir)
	}
	if err != nil {
		return len(c.from), err
	}
	c.removeOld(heir)
	return len(c.from), nil
}
