package filejournal

import (
	"errors"
	"io"
	"path/filepath"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// copying is a segment in the making, and those whose place it will take.
type copying struct {
	j      *Journal
	key    key
	image  []byte // the page of the header, and frames
	seqs   []uint64
	from   []*segment
	counts []int // what was copied of each
	old    int64 // bytes of their files
	buffer []byte
}

func (c *copying) size() int64 { return compactSize(int64(len(c.image)-headerSize), len(c.seqs)) }

func (c *copying) base() uint64 { return c.from[0].base }

// past is behind what the old ones stand for. One whose file has failed may
// have held more, which is in the next.
func (c *copying) past() uint64 {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	last := c.from[len(c.from)-1]
	past := last.end()
	if i := slices.Index(c.j.segments, last) + 1; i < len(c.j.segments) {
		past = min(past, c.j.segments[i].base)
	}
	return past
}

var errChanged = errors.New("a segment is not any more as it was")

// add copies what is alive in a segment.
func (c *copying) add(s *segment, acked bitset) error {
	c.from, c.old = append(c.from, s), c.old+s.size
	c.buffer = slices.Grow(c.buffer[:0], int(s.tail))[:s.tail]
	if _, err := s.f.ReadAt(c.buffer, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	seed, had := c.key.seed(), len(c.seqs)
	sc := newScanner(c.buffer, s.key, s.base)
	for f, _, bad, ok := sc.scan(); ok; f, _, bad, ok = sc.scan() {
		if i := int(f.seq - s.base); bad || i >= s.count {
			return errChanged
		} else if acked.has(i) {
			continue
		}
		epoch := s.epoch
		if f.kind == kindMoved {
			epoch = f.epoch
		}
		at, n := len(c.image), movedSize(len(f.body))
		c.image = slices.Grow(c.image, n)[:at+n]
		clear(c.image[at:])
		putMoved(c.image[at:], seed, c.base()+uint64(len(c.seqs)), f.entry, epoch, f.body)
		c.seqs = append(c.seqs, f.entry)
	}
	if sc.next != s.base+uint64(s.count) {
		return errChanged
	}
	c.counts = append(c.counts, len(c.seqs)-had)
	return nil
}

// write makes the file, whole and forced, but not yet under its name.
func (c *copying) write() (heir *segment, err error) {
	n := len(c.seqs)
	heir = &segment{
		key: c.key, seed: c.key.seed(), path: filepath.Join(c.j.dir, c.key.name()), size: c.size(), ours: true,
		base: c.base(), past: c.past(), seqs: c.seqs, count: n, live: n, acked: bitset(nil).grow(n),
		tail: int64(len(c.image)), sealed: true, weight: int64(len(c.image) - headerSize), weighed: n,
	}
	heir.written, heir.synced = heir.here(), heir.here()
	h := header{key: heir.key, base: heir.base, size: heir.size, past: heir.past}
	h.put(c.image)
	file := slices.Grow(c.image, int(heir.size)-len(c.image))[:heir.size]
	clear(file[len(c.image):])
	putSeal(file[len(c.image):], heir.seed, heir.base+uint64(n))

	if heir.f, err = c.j.fs.Create(heir.path + tempSuffix); err != nil {
		return nil, err
	}
	if _, err = heir.f.WriteAt(file, 0); err == nil {
		err = heir.f.Sync()
	}
	if err != nil {
		return nil, c.giveUp(heir, err)
	}
	return heir, nil
}

func (c *copying) giveUp(heir *segment, err error) error {
	return errors.Join(err, heir.close(), c.j.fs.Remove(heir.path+tempSuffix))
}

var errBusy = errors.New("a replay is reading what was to be compacted")

// publish puts the heir in the place of the old ones, on the disk and in
// memory. The mutex is held, so that no acknowledgement falls between.
func (c *copying) publish(heir *segment) (err error) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	defer func() {
		if err != nil {
			err = c.giveUp(heir, err)
		}
	}()
	if j.closing {
		return journal.ErrClosed
	}
	if slices.ContainsFunc(c.from, func(s *segment) bool { return s.readers > 0 }) {
		return errBusy
	}
	if err := c.catchUpLocked(heir); err != nil {
		return err
	}
	if err := j.fs.Rename(heir.path+tempSuffix, heir.path); err != nil {
		return err
	}
	at := slices.Index(j.segments, c.from[0])
	j.segments = slices.Replace(j.segments, at, at+len(c.from), heir)
	j.bytes += heir.size
	heir.pins++ // until the old ones are gone
	return nil
}

// catchUpLocked acknowledges in the heir what was acknowledged in the old ones
// since they were copied.
func (c *copying) catchUpLocked(heir *segment) error {
	at := 0
	for i, s := range c.from {
		seqs := c.seqs[at : at+c.counts[i]]
		at += c.counts[i]
		if s.live == len(seqs) {
			continue
		}
		for _, seq := range seqs {
			if place, _ := s.find(journal.Span{First: seq, Last: seq}); !s.acked.has(place) {
				continue
			}
			if _, err := heir.ack(journal.Span{First: seq, Last: seq}); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeOld removes the segments whose place was taken, when it is certain that
// it was. The heir stays as long as one of them may be there.
func (c *copying) removeOld(heir *segment) {
	j := c.j
	unsure := j.fs.SyncDir(j.dir)
	errs := []error{unsure}
	for _, s := range c.from {
		errs = append(errs, s.close())
		if unsure == nil {
			errs = append(errs, j.fs.Remove(s.path))
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if unsure == nil {
		j.bytes -= c.old
	}
	heir.pins--
	if err := errors.Join(errs...); err != nil {
		j.fault, heir.keep = err, true
	}
	if heir.live == 0 {
		j.sweepLocked()
	}
	j.tellRoomLocked()
}
