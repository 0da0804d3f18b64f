package filejournal

import (
	"errors"
	"runtime"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// group is what is written and forced with one call each: the frames of all
// who append to one segment while the disk is busy with the group before.
type group struct {
	s     *segment
	off   int64
	buf   []byte
	first uint64        // sequence number
	n     int           // entries
	moved bool          // its first segment has failed
	err   error         // set before done is closed
	done  chan struct{} // closed by the committer
}

// groupLocked is the group that gathers for a segment.
func (j *Journal) groupLocked(s *segment) *group {
	if n := len(j.groups); n > 0 && j.groups[n-1].s == s {
		return j.groups[n-1]
	}
	g := &group{s: s, off: s.tail, buf: j.scratch[:0], first: s.end(), done: make(chan struct{})}
	j.scratch = nil
	s.pins++
	j.groups = append(j.groups, g)
	return g
}

// grow gives n bytes at the end of the group, and eight for the zeros behind
// them, which the next frame overwrites.
func (g *group) grow(n int) []byte {
	at := len(g.buf)
	for cap(g.buf) < at+n+8 {
		g.buf = append(g.buf[:cap(g.buf)], 0)
	}
	g.buf = g.buf[:at+n]
	p := g.buf[at : at+n+8]
	clear(p[n:])
	return p
}

// commit writes groups until the journal is closed and none is left.
func (j *Journal) commit() {
	for open := true; open; {
		select {
		case <-j.wake:
		case <-j.quit:
			open = false
		}
		for groups := j.takeGroups(); len(groups) > 0; groups = j.takeGroups() {
			for len(groups) > 0 {
				groups = j.commitFirst(groups)
			}
			// Who has just been woken appends again: in the next group, not
			// in the one after.
			runtime.Gosched()
		}
	}
}

func (j *Journal) takeGroups() []*group {
	j.mu.Lock()
	defer j.mu.Unlock()
	groups := j.groups
	j.groups, j.dirty = nil, len(groups) > 0
	return groups
}

// commitFirst writes the first group and returns those that are left. When
// that fails the segment is left behind, with all groups that wait for it, and
// they are tried once more in another.
func (j *Journal) commitFirst(groups []*group) []*group {
	g, rest := groups[0], groups[1:]
	err := j.behind(g)
	if err == nil {
		err = g.write()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		j.committedLocked(g)
		return rest
	}
	if !errors.Is(err, errLeftBehind) {
		j.fault = err
	}
	if g.moved {
		j.refuseLocked(g, err)
		return rest
	}
	waiting, rest := j.waitingLocked(g, rest)
	if failed := j.moveGroupsLocked(waiting); failed != nil {
		for _, g := range waiting {
			j.refuseLocked(g, errors.Join(err, failed))
		}
		return rest
	}
	return append(waiting, rest...)
}

var errLeftBehind = errors.New("the file failed before and is not written any more")

// behind says that the group's segment has failed meanwhile: it is never
// tried again.
func (j *Journal) behind(g *group) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if g.s.failed {
		return errors.Join(errLeftBehind, j.fault)
	}
	return nil
}

func (g *group) write() error {
	if _, err := g.s.f.WriteAt(g.buf[:len(g.buf)+8], g.off); err != nil {
		return err
	}
	return g.s.f.Sync()
}

// committedLocked lets those go who wait for a group that is on the disk.
func (j *Journal) committedLocked(g *group) {
	s := g.s
	s.written = mark{g.off + int64(len(g.buf)), int(g.first-s.base) + g.n}
	s.synced = s.written
	j.fault = nil
	j.endGroupLocked(g)
}

// refuseLocked lets them go with an error, and takes their entries back.
func (j *Journal) refuseLocked(g *group, err error) {
	s := g.s
	s.failed = true
	j.dropActiveLocked(s)
	if g.n > 0 {
		j.withdrawLocked(journal.Span{First: g.first, Last: g.first + uint64(g.n) - 1})
	}
	g.err = err
	j.endGroupLocked(g)
}

func (j *Journal) endGroupLocked(g *group) {
	g.s.pins--
	if g.s.live == 0 && g.s != j.active {
		j.sweepLocked()
	}
	j.scratch = keepSmall(g.buf)
	g.buf = nil
	close(g.done)
}

// waitingLocked is every group for the segment of g, taken out of the queues.
func (j *Journal) waitingLocked(g *group, rest []*group) (waiting, others []*group) {
	same := func(o *group) bool { return o.s == g.s }
	waiting = []*group{g}
	for _, list := range [][]*group{rest, j.groups} {
		for _, o := range list {
			if same(o) {
				waiting = append(waiting, o)
			}
		}
	}
	j.groups = slices.DeleteFunc(j.groups, same)
	return waiting, slices.DeleteFunc(rest, same)
}

// moveGroupsLocked gives the groups of a segment that has failed, in their
// order, to another, under the sequence numbers they have.
func (j *Journal) moveGroupsLocked(groups []*group) error {
	old, first := groups[0].s, groups[0]
	size := 0
	for _, g := range groups {
		size += len(g.buf)
	}
	wasActive := j.active == old
	old.failed = true
	j.dropActiveLocked(old)
	from := mark{first.off, int(first.first - old.base)}
	s, err := j.refugeLocked(old, from, size, first.n) // no other has been written to the old one
	if err != nil {
		return err
	}
	j.leaveLocked(old, from, s, wasActive)
	for _, g := range groups {
		g.s, g.off, g.moved = s, s.tail, true
		old.pins--
		s.pins++
		size := 0
		for p := g.buf; len(p) > 0; {
			n := aligned(frameHead + int(le.Uint32(p[4:])))
			reseal(p, s.seed)
			if kind := p[15]; kind == kindSeal {
				s.sealed = true
			} else {
				size += n
			}
			p = p[n:]
		}
		s.grow(g.n, size)
		j.live += g.n
	}
	return nil
}
