package filejournal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// ErrReadOnly: the journal was opened by a [View].
var ErrReadOnly = errors.New("read only: a view changes nothing; open the directory instead")

// View is a directory that is read and not touched: no lock is held, no byte
// is written, nothing goes to quarantine. It is a [journal.Opener] whose
// journals refuse to append and to acknowledge with [ErrReadOnly]. All methods
// are safe for concurrent use.
//
// A view does not keep a service from starting. [View.Close] says whether one
// has come while the view was open.
type View struct {
	dir   string
	since time.Time // when the directory was taken last

	mu   sync.Mutex
	open []*Journal
}

// Look begins a view of a directory. It is refused with a [HeldError] if a
// process uses the directory, and with [os.ErrNotExist] if there is none.
func Look(dir string) (*View, error) {
	since, err := takenAt(dir)
	if err != nil {
		return nil, err
	}
	if err := HeldBy(dir); err != nil {
		return nil, err
	}
	return &View{dir: dir, since: since}, nil
}

// takenAt is when a process has taken the directory last: each writes its
// number into the lock. Zero: none has.
func takenAt(dir string) (time.Time, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "look", Path: dir, Err: errors.New("it is no directory; give that of a service's journals")}
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("filejournal: %w", err)
	}
	info, err = os.Stat(lockPath(dir))
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("filejournal: %w", err)
	}
	return info.ModTime(), nil
}

// Names lists the journals that are in the directory.
func (v *View) Names() ([]string, error) { return namesIn(v.dir) }

// Open reads the journal of this name. One that is not there is empty. It may
// be opened several times.
func (v *View) Open(ctx context.Context, name string) (journal.Journal, error) {
	j := v.journal(name)
	if _, err := j.survey(ctx, func(int64) {}); err != nil {
		return nil, j.failed("open", errors.Join(err, j.abandon()))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = append(v.open, j)
	return viewed{j}, nil
}

// journal is one that reads and has read nothing yet.
func (v *View) journal(name string) *Journal {
	return &Journal{
		name: name, dir: filepath.Join(v.dir, dirName(name)), fs: lookOnly{}, looking: true, onShut: func() {},
		nextSeq: 1, room: make(chan struct{}), wake: make(chan struct{}, 1), quit: make(chan struct{}),
	}
}

// Close closes the journals of the view. Its error matches [journal.ErrLocked]
// if a process has taken the directory since [Look]: what was read meanwhile
// may be half of it, and damage that was seen none.
func (v *View) Close() error {
	v.mu.Lock()
	open := v.open
	v.open = nil
	v.mu.Unlock()
	var errs []error
	for _, j := range open {
		errs = append(errs, j.Close())
	}
	return errors.Join(append(errs, v.undisturbed())...)
}

func (v *View) undisturbed() error {
	if err := HeldBy(v.dir); err != nil {
		return came(err)
	}
	taken, err := takenAt(v.dir)
	if err == nil && !taken.Equal(v.since) {
		err = came(&HeldError{Dir: v.dir, Holder: readHolder(v.dir)})
	}
	return err
}

func came(err error) error {
	return fmt.Errorf("filejournal: a process came while the directory was read, so what was read may be half of it: %w", err)
}

// viewed is a journal that is only read.
type viewed struct{ *Journal }

func (j viewed) Append(context.Context, ...journal.Entry) (journal.Span, error) {
	return journal.Span{}, j.failed("append", ErrReadOnly)
}

func (j viewed) Ack(context.Context, ...journal.Span) error { return j.failed("ack", ErrReadOnly) }

// lookOnly is the file system of the machine, for reading.
type lookOnly struct{}

func (lookOnly) MkdirAll(string) error { return ErrReadOnly }

func (lookOnly) List(dir string) ([]string, error) { return disk{}.List(dir) }

func (lookOnly) Create(string) (file, error) { return nil, ErrReadOnly }

func (lookOnly) Open(name string) (file, error) { return wrap(os.Open(filepath.Clean(name))) }

func (lookOnly) Rename(string, string) error { return ErrReadOnly }

func (lookOnly) Remove(string) error { return ErrReadOnly }

func (lookOnly) SyncDir(string) error { return nil }
