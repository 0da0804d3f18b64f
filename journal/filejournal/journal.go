package filejournal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/lastcall-go/lastcall/journal"
)

// Journal is one journal of a [Directory]. It is a [journal.Journal] and says
// besides how it is. All methods are safe for concurrent use.
type Journal struct {
	name   string
	dir    string
	cfg    Config
	fs     fileSystem
	epoch  uint64
	onShut func() // tells the directory
	// looking: it is a view; nothing is changed on the disk.
	looking bool

	making sync.Mutex // held by whoever makes a segment; taken before mu

	mu       sync.Mutex
	segments []*segment // by base; what holds entries, and the active one
	active   *segment   // nil: the last one failed and no other is ready
	spares   []*segment // made ahead
	free     []*segment // acknowledged whole, to be made again
	trash    []*segment // to be removed
	outdated []*loaded  // found, though others have taken their place
	bytes    int64      // of all of them
	nextSeq  uint64
	number   uint64 // of the segment that was made last
	scratch  []byte
	live     int

	groups  []*group      // [SyncAlways]: what the committer will write, in order
	dirty   bool          // something is not forced to the disk
	tidying bool          // the trash is being emptied
	room    chan struct{} // closed, and made anew, when there may be room
	damage  []Damage
	found   int // entries of an earlier life
	fault   error
	closing bool

	wake       chan struct{} // there is something to commit or to force
	quit       chan struct{} // closed by Close
	background sync.WaitGroup
	shut       sync.Once
	shutErr    error
}

func openJournal(ctx context.Context, fs fileSystem, cfg Config, name string, onShut func()) (*Journal, error) {
	j := &Journal{
		name: name, dir: filepath.Join(cfg.Dir, dirName(name)), cfg: cfg, fs: fs, epoch: drawEpoch(), onShut: onShut,
		nextSeq: 1, room: make(chan struct{}), wake: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	if err := j.open(ctx); err != nil {
		return nil, j.failed("open", errors.Join(err, j.abandon()))
	}
	return j, nil
}

func (j *Journal) open(ctx context.Context) error {
	if err := j.fs.MkdirAll(j.dir); err != nil {
		return err
	}
	if err := j.load(ctx); err != nil {
		return err
	}
	j.making.Lock()
	for ctx.Err() == nil && j.compact(winsRoomOrFiles) {
	}
	j.making.Unlock()
	// A full disk is no reason not to replay. It is one to say so at once.
	if err := j.make(j.cfg.SegmentBytes, j.bareLocked); err != nil && !errors.Is(err, journal.ErrFull) {
		return err
	}
	switch {
	case j.cfg.Sync == SyncAlways:
		j.background.Go(j.commit)
	case j.cfg.Sync > 0:
		j.background.Go(j.syncEvery)
	}
	return nil
}

// powerSafe reports whether a power loss is to be withstood.
func (j *Journal) powerSafe() bool { return j.cfg.Sync != SyncProcess }

func (j *Journal) failed(op string, err error) error {
	return &journal.Error{Journal: j.name, Op: op, Err: err}
}

func drawEpoch() uint64 {
	var p [8]byte
	_, _ = rand.Read(p[:]) // it never fails
	return le.Uint64(p[:])
}

// ID is the id that was made for the entry appended at seq, if it was
// appended without one and in this life: the epoch of the life, and seq.
func (j *Journal) ID(seq uint64) string { return madeID(j.epoch, seq) }

func madeID(epoch, seq uint64) string { return fmt.Sprintf("%016x-%d", epoch, seq) }

// Len is how many entries are not acknowledged.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.live
}

// Guarantee says in one sentence what this journal withstands.
func (j *Journal) Guarantee() string { return j.cfg.Sync.Guarantee() }

// Close writes the end of the journal, waits for appends under way, and lets
// go of the files. Files that hold nothing are removed.
func (j *Journal) Close() error {
	j.shut.Do(func() {
		if err := j.close(); err != nil {
			j.shutErr = j.failed("close", err)
		}
	})
	return j.shutErr
}

func (j *Journal) close() error {
	j.halt()
	j.making.Lock()
	defer j.making.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	if s := j.active; s != nil {
		errs = append(errs, s.seal())
		j.active = nil
	}
	if j.powerSafe() {
		for _, s := range j.segments {
			if s.live > 0 && !s.failed && s.synced != s.here() {
				errs = append(errs, s.f.Sync())
			}
		}
	}
	j.sweepLocked()
	unused := slices.Concat(j.spares, j.free, j.trash)
	errs = append(errs, j.letGo())
	for _, s := range unused {
		errs = append(errs, j.fs.Remove(s.path))
	}
	return errors.Join(errs...)
}

// halt refuses what comes and waits for the goroutines.
func (j *Journal) halt() {
	j.mu.Lock()
	j.closing = true
	j.tellRoomLocked()
	j.mu.Unlock()
	close(j.quit)
	j.background.Wait()
}

// abandon lets go of everything as it is: nothing is sealed, forced or removed.
func (j *Journal) abandon() error {
	j.halt()
	j.making.Lock()
	defer j.making.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.letGo()
}

// letGo closes every file and tells the directory.
func (j *Journal) letGo() error {
	var errs []error
	for _, list := range [][]*segment{j.segments, j.spares, j.free, j.trash} {
		for _, s := range list {
			errs = append(errs, s.close())
		}
	}
	j.segments, j.spares, j.free, j.trash, j.active = nil, nil, nil, nil, nil
	j.onShut()
	return errors.Join(errs...)
}
