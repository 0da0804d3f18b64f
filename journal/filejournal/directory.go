package filejournal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/lastcall-go/lastcall/journal"
)

// Directory is the directory of a service's journals, held by this process
// alone. It is a [journal.Opener]. All methods are safe for concurrent use.
type Directory struct {
	cfg  Config
	fs   fileSystem
	lock *lock

	opening sync.WaitGroup // added to under mu, while it is not closed

	mu       sync.Mutex
	journals map[string]*Journal // nil while it is being opened
	closed   bool
}

// Open takes the directory for this process, and makes it if it is not there.
// A wrong config is reported whole; a directory that another holds, with
// [journal.ErrLocked] and its process id. Nothing in it is read yet.
func Open(cfg Config) (*Directory, error) { return openOn(disk{}, cfg) }

func openOn(fs fileSystem, cfg Config) (*Directory, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("filejournal: %w", err)
	}
	cfg = cfg.WithDefaults()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("filejournal: %w", err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("filejournal: %w", err)
	}
	return &Directory{cfg: cfg, fs: fs, lock: lock, journals: map[string]*Journal{}}, nil
}

// Open opens the journal of this name, a directory below the service's. It
// reads and checks all that an earlier life has left there; what is damaged is
// put into quarantine and reported by [Journal.Health], and is no error.
func (d *Directory) Open(ctx context.Context, name string) (journal.Journal, error) {
	j, err := d.open(ctx, name)
	if err != nil {
		return nil, err // not a Journal that is nil
	}
	return j, nil
}

func (d *Directory) open(ctx context.Context, name string) (*Journal, error) {
	if err := d.reserve(name); err != nil {
		return nil, &journal.Error{Journal: name, Op: "open", Err: err}
	}
	defer d.opening.Done()
	j, err := openJournal(ctx, d.fs, d.cfg, name, func() { d.forget(name) })
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	closed := d.closed
	if _, held := d.journals[name]; held && !closed {
		d.journals[name] = j
	}
	d.mu.Unlock()
	if closed { // while it was opened
		return nil, &journal.Error{Journal: name, Op: "open", Err: errors.Join(journal.ErrClosed, j.Close())}
	}
	return j, nil
}

func (d *Directory) reserve(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return journal.ErrClosed
	}
	if _, held := d.journals[name]; held {
		return fmt.Errorf("%w: it is open in this process", journal.ErrLocked)
	}
	d.journals[name] = nil
	d.opening.Add(1)
	return nil
}

func (d *Directory) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.journals, name)
}

// Names lists the journals that are in the directory, open or not.
func (d *Directory) Names() ([]string, error) { return namesIn(d.cfg.Dir) }

func namesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("filejournal: %w", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := journalName(e.Name()); ok && e.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Dir is where the directory is.
func (d *Directory) Dir() string { return d.cfg.Dir }

// Guarantee says in one sentence what the journals withstand.
func (d *Directory) Guarantee() string { return d.cfg.Sync.Guarantee() }

// Health says how the open journals are, by name.
func (d *Directory) Health() map[string]Health {
	all := map[string]Health{}
	for name, j := range d.opened() {
		all[name] = j.Health()
	}
	return all
}

func (d *Directory) opened() map[string]*Journal {
	d.mu.Lock()
	defer d.mu.Unlock()
	open := map[string]*Journal{}
	for name, j := range d.journals {
		if j != nil {
			open[name] = j
		}
	}
	return open
}

// Close closes the journals that are open and lets go of the directory. It
// waits for those that are being opened. Again, it does nothing.
func (d *Directory) Close() error {
	d.mu.Lock()
	closed := d.closed
	d.closed = true
	d.mu.Unlock()
	if closed {
		return nil
	}
	d.opening.Wait() // another process may have the directory afterwards
	var errs []error
	for _, j := range d.opened() {
		errs = append(errs, j.Close())
	}
	errs = append(errs, unlockDir(d.lock))
	return errors.Join(errs...)
}

// The directory of a journal is its name, with everything escaped that a file
// system might take for something else, and a word before it.
const dirPrefix = "j-"

func dirName(name string) string {
	return dirPrefix + strings.NewReplacer("+", "%20", "~", "%7E", "*", "%2A").Replace(url.QueryEscape(name))
}

func journalName(dir string) (string, bool) {
	escaped, ok := strings.CutPrefix(dir, dirPrefix)
	if !ok {
		return "", false
	}
	name, err := url.QueryUnescape(escaped)
	return name, err == nil && dirName(name) == dir
}
