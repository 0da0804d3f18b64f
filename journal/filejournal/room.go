package filejournal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

const (
	keepFree = 2                      // segments that wait to be made again
	lookHalt = 100 * time.Millisecond // between two looks at a disk that is full
)

// waitForRoomLocked returns when the entries have room, in the active segment
// and the spares, with the mutex held all the while since it saw that.
func (j *Journal) waitForRoomLocked(ctx context.Context, entries []journal.Entry) error {
	for {
		if j.closing {
			return journal.ErrClosed
		}
		size := j.missingLocked(entries)
		if size == 0 {
			return nil
		}
		if err := j.measure(entries); err != nil {
			return err
		}
		room := j.room
		j.mu.Unlock()
		err := j.make(size, func() bool { return j.missingLocked(entries) > 0 })
		j.mu.Lock()
		if errors.Is(err, journal.ErrFull) && (j.cfg.WhenFull == Block || j.roomComesLocked()) {
			j.mu.Unlock()
			err = wait(ctx, room)
			j.mu.Lock()
		}
		if err != nil {
			return err
		}
	}
}

// roomComesLocked reports whether acknowledged segments are just being removed,
// or will be free when the disk has done with them: that is not full.
func (j *Journal) roomComesLocked() bool {
	return j.tidying || slices.ContainsFunc(j.segments, func(s *segment) bool {
		return s.live == 0 && s != j.active && !s.keep && s.pins > s.readers
	})
}

// wait returns when there may be room. A disk that is full does not say when
// it is not any more.
func wait(ctx context.Context, room <-chan struct{}) error {
	again := time.NewTimer(lookHalt)
	defer again.Stop()
	select {
	case <-room:
	case <-again.C:
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", context.Cause(ctx), journal.ErrFull)
	}
	return nil
}

// missingLocked is the size of the next segment that must be made for the
// entries to fit, or 0.
func (j *Journal) missingLocked(entries []journal.Entry) int64 {
	var size, tail int64
	count := 0
	if s := j.active; s != nil {
		size, tail, count = s.size, s.tail, s.count
	}
	var taken [8]int64 // numbers of spares, usually one
	used := taken[:0]
	for i := range entries {
		n := entrySize(&entries[i])
		if !fits(size, tail, count, n) {
			s := j.spareLocked(n, used)
			if s == nil {
				return sizeFor(j.cfg.SegmentBytes, n)
			}
			used = append(used, int64(s.number))
			size, tail, count = s.size, headerSize, 0
		}
		tail += int64(n)
		count++
	}
	return 0
}

// spareLocked is the first spare, but for those used, that an entry fits into.
func (j *Journal) spareLocked(n int, used []int64) *segment {
	for _, s := range j.spares {
		if fits(s.size, headerSize, 0, n) && !slices.Contains(used, int64(s.number)) {
			return s
		}
	}
	return nil
}

// measure refuses entries that would not fit into an empty journal.
func (j *Journal) measure(entries []journal.Entry) error {
	var total, size, tail int64
	count := 0
	for i := range entries {
		n := entrySize(&entries[i])
		if n > maxBody {
			return journal.ErrTooLarge
		}
		if !fits(size, tail, count, n) {
			size, tail, count = sizeFor(j.cfg.SegmentBytes, n), headerSize, 0
			total += size
		}
		tail += int64(n)
		count++
	}
	if total > j.cfg.MaxBytes {
		return fmt.Errorf("%w: %d entries take %d bytes in files, max_bytes is %d", journal.ErrTooLarge, len(entries), total, j.cfg.MaxBytes)
	}
	return nil
}

// bareLocked reports whether there is no spare.
func (j *Journal) bareLocked() bool { return len(j.spares) == 0 }

// make makes a spare, unless it is not needed any more when its turn comes.
// Where there is no room for it, it is won by compaction if that can be. What a
// disk or a bound refuses matches [journal.ErrFull].
func (j *Journal) make(size int64, neededLocked func() bool) error {
	j.making.Lock()
	defer j.making.Unlock()
	for {
		err := j.tryMake(size, neededLocked)
		if !errors.Is(err, journal.ErrFull) || !j.compact(winsRoom) {
			return err
		}
	}
}

// tryMake makes a spare from a segment that is free, or from nothing.
func (j *Journal) tryMake(size int64, neededLocked func() bool) error {
	j.mu.Lock()
	if j.closing || !neededLocked() {
		j.mu.Unlock()
		return nil
	}
	reuse := j.takeFreeLocked(size)
	if reuse == nil && j.bytes+size > j.cfg.MaxBytes {
		bytes := j.bytes
		j.mu.Unlock()
		return fmt.Errorf("%w: its files take %d bytes, max_bytes is %d", journal.ErrFull, bytes, j.cfg.MaxBytes)
	}
	k := j.nextKeyLocked()
	j.mu.Unlock()

	s, err := j.recycle(reuse, k)
	if reuse == nil {
		s, err = j.create(k, size)
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil:
		if reuse != nil {
			j.discardLocked(reuse)
		}
		j.fault = asFull(err)
		return j.fault
	case reuse == nil:
		j.bytes += size
	}
	j.fault = nil
	j.spares = append(j.spares, s)
	return nil
}

func (j *Journal) nextKeyLocked() key {
	j.number++
	return key{number: j.number, epoch: j.epoch}
}

// asFull says that an error of the disk is one of room.
func asFull(err error) error {
	if noRoom(err) {
		return fmt.Errorf("%w: %w", journal.ErrFull, err)
	}
	return err
}

func (j *Journal) takeFreeLocked(size int64) *segment {
	if n := len(j.free); n > 0 && size == j.cfg.SegmentBytes {
		s := j.free[n-1]
		j.free = j.free[:n-1]
		return s
	}
	return nil
}

// create makes a segment from nothing: a file whose room on the disk is its
// own, under its name when it is whole.
func (j *Journal) create(k key, size int64) (_ *segment, err error) {
	s := &segment{key: k, seed: k.seed(), path: filepath.Join(j.dir, k.name()), size: size, ours: true}
	temp := s.path + tempSuffix
	if s.f, err = j.fs.Create(temp); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(), j.fs.Remove(temp))
		}
	}()
	if err := j.furnish(s); err != nil {
		return nil, err
	}
	if err := j.fs.Rename(temp, s.path); err != nil {
		return nil, err
	}
	temp = s.path
	if j.powerSafe() {
		err = j.fs.SyncDir(j.dir)
	}
	return s, err
}

// furnish gives a file its room. Where each append is forced to the disk,
// zeros are written as well: blocks that were never written cost every sync
// that follows a write to the file system's own journal.
func (j *Journal) furnish(s *segment) error {
	err := s.f.Allocate(s.size)
	unsupported := errors.Is(err, errors.ErrUnsupported)
	if err != nil && !unsupported {
		return err
	}
	if unsupported || j.cfg.Sync == SyncAlways {
		if err := zero(s.f, s.size); err != nil {
			return err
		}
	}
	if j.powerSafe() {
		if err := s.f.Sync(); err != nil {
			return err
		}
	}
	if !unsupported {
		if s.mem, err = s.f.Map(s.size); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}

func zero(f file, size int64) error {
	page := make([]byte, min(size, 1<<20))
	for off := int64(0); off < size; off += int64(len(page)) {
		if _, err := f.WriteAt(page[:min(int64(len(page)), size-off)], off); err != nil {
			return err
		}
	}
	return nil
}

// recycle gives a free segment a new key. Its old content needs no removal:
// it does not fit the key.
func (j *Journal) recycle(s *segment, k key) (*segment, error) {
	if s == nil {
		return nil, nil
	}
	path := filepath.Join(j.dir, k.name())
	if err := j.fs.Rename(s.path, path); err != nil {
		return nil, err
	}
	s.key, s.seed, s.path = k, k.seed(), path
	if j.powerSafe() {
		return s, j.fs.SyncDir(j.dir)
	}
	return s, nil
}

// retireLocked takes leave of a segment that is in no list any more.
func (j *Journal) retireLocked(s *segment) {
	if s.ours && !s.failed && !s.compacted() && s.size == j.cfg.SegmentBytes && len(j.free) < keepFree {
		j.free = append(j.free, s)
		j.tellRoomLocked()
		return
	}
	j.discardLocked(s)
}

// discardLocked has a segment removed, on a goroutine of its own.
func (j *Journal) discardLocked(s *segment) {
	j.trash = append(j.trash, s)
	if !j.closing && !j.tidying {
		j.tidying = true
		j.background.Go(j.tidy)
	}
}

func (j *Journal) tidy() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.trash) > 0 && !j.closing {
		trash := j.trash
		j.trash = nil
		j.mu.Unlock()
		var size int64
		var errs []error
		for _, s := range trash {
			size += s.size
			errs = append(errs, s.close(), j.fs.Remove(s.path))
		}
		j.mu.Lock()
		j.bytes -= size
		if err := errors.Join(errs...); err != nil {
			j.fault = err
		}
		j.tellRoomLocked()
	}
	j.tidying = false
}

// tellRoomLocked wakes who waits for room.
func (j *Journal) tellRoomLocked() {
	close(j.room)
	j.room = make(chan struct{})
}
