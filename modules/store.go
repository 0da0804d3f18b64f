package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// store opens journals in the directory of the service. Nothing is on the disk
// before somebody asks for one; then all that an earlier life has left are
// opened at once, so that it is known what there is, and told if nobody takes
// it.
type store struct {
	cfg       filejournal.Config
	log       *zap.Logger
	conductor *lifecycle.Conductor // nil: bare Fx
	desk      *desk                // nil: nobody serves the box

	turn    chan struct{} // one token: whoever has it opens or closes the directory
	quit    chan struct{} // closed by close
	waiting sync.WaitGroup

	mu     sync.Mutex
	dir    *filejournal.Directory
	found  found
	taken  map[string]*watched // those that somebody has open
	left   map[string]int      // by journal: what waits for the next start
	up     bool                // the start is over: who needs a journal has asked for it
	closed bool
}

// found are the journals of earlier lives that nobody has asked for yet.
type found struct {
	open   map[string]journal.Journal
	failed map[string]error // those that cannot be opened
}

func newStore(in storeIn) *store {
	s := &store{
		cfg: in.Config, log: in.Logger, conductor: in.Conductor,
		turn: make(chan struct{}, 1), quit: make(chan struct{}),
		taken: map[string]*watched{}, left: map[string]int{},
	}
	s.turn <- struct{}{}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	in.View.store.Store(s)
	lifecycle.Append(in.Lifecycle, lifecycle.Hook{
		Name:    "journal",
		OnStart: s.look,
		// Whoever has a journal depends on this and has ended before.
		PreDestroy: s.close,
		Describe:   s.describe,
		Panel:      s.panel(),
	})
	return s
}

// look opens the directory if an earlier life has left journals there: they are
// told of, also if nobody asks for one any more.
func (s *store) look(ctx context.Context) error {
	dir := s.cfg.WithDefaults().Dir
	if s.borrows() {
		return nil
	}
	v, err := filejournal.Look(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		names, err := v.Names()
		_ = v.Close() // nothing was read
		if err == nil && len(names) == 0 {
			return nil
		}
	}
	// Whoever needs a journal is refused, and says so; and a process that holds
	// the directory looks after it.
	if _, err := s.directory(ctx); err != nil && !errors.Is(err, journal.ErrLocked) {
		s.log.Warn("journal: what an earlier run has left cannot be looked at", zap.Error(err))
	}
	return nil
}

// Open is [journal.Opener].
func (s *store) Open(ctx context.Context, name string) (journal.Journal, error) {
	d, err := s.directory(ctx)
	if err != nil {
		return nil, err
	}
	j := s.takeFound(name)
	if j == nil {
		if j, err = d.Open(ctx, name); err != nil {
			_, closed := s.held() // meanwhile, it may be why
			return nil, errors.Join(closed, err)
		}
	}
	return s.give(&watched{Journal: j, store: s, name: name}), nil
}

func (s *store) give(w *watched) *watched {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[w.name] = w
	return w
}

// takeBack notes what is left in a journal that is being closed.
func (s *store) takeBack(w *watched, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[w.name] == w {
		delete(s.taken, w.name)
	}
	s.left[w.name] = left
}

// takeFound is the journal, if it was opened when the directory was.
func (s *store) takeFound(name string) journal.Journal {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.found.open[name]
	delete(s.found.open, name)
	delete(s.found.failed, name)
	return j
}

// directory is the directory, opened by whoever comes first. The others wait
// for it no longer than they like.
func (s *store) directory(ctx context.Context) (*filejournal.Directory, error) {
	if d, err := s.held(); d != nil || err != nil {
		return d, err
	}
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.giveTurn()
	if d, err := s.held(); d != nil || err != nil {
		return d, err
	}
	d, found, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	recovered := found.entries()
	s.mu.Lock()
	s.dir, s.found = d, found
	s.mu.Unlock()
	s.begin(d, recovered)
	return d, nil
}

// held is the directory; nil: it is not opened yet.
func (s *store) held() (*filejournal.Directory, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("modules: journal: %w", journal.ErrClosed)
	}
	return s.dir, nil
}

func (s *store) takeTurn(ctx context.Context) error {
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("modules: journal: its directory is still being opened: %w", context.Cause(ctx))
	}
}

func (s *store) giveTurn() { s.turn <- struct{}{} }

// open opens the directory and all that is in it.
func (s *store) open(ctx context.Context) (_ *filejournal.Directory, _ found, err error) {
	cfg := s.cfg
	if s.borrows() {
		if cfg.Dir, err = os.MkdirTemp("", "lastcall-journal-"); err != nil {
			return nil, found{}, fmt.Errorf("modules: journal: %w", err)
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(cfg.Dir))
			}
		}()
	}
	d, err := filejournal.Open(cfg)
	if err != nil {
		return nil, found{}, fmt.Errorf("%w; choose another journal.dir, or switch the journals off (lanes.NAME.journal, batchers.NAME.journal)", err)
	}
	names, err := d.Names()
	if err != nil {
		return nil, found{}, errors.Join(err, d.Close())
	}
	all := found{open: map[string]journal.Journal{}, failed: map[string]error{}}
	for _, name := range names {
		if j, err := d.Open(ctx, name); err != nil {
			all.failed[name] = err
		} else {
			all.open[name] = j
		}
	}
	return d, all, nil
}

// borrows: tests of a service must not find what other tests have left.
func (s *store) borrows() bool { return s.cfg.Dir == "" && testing.Testing() }

func (f found) entries() (n int) {
	for name, j := range f.open {
		if journal.IsWork(name) {
			n += j.Len()
		}
	}
	return n
}

// close lets go of the directory. It waits for one that is being opened, within
// ctx.
func (s *store) close(ctx context.Context) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.giveTurn()
	s.mu.Lock()
	closed, d := s.closed, s.dir
	s.closed = true
	for name, j := range s.found.open {
		s.left[name] = j.Len()
	}
	s.mu.Unlock()
	if closed {
		return nil
	}
	close(s.quit)
	s.stopServing()
	s.waiting.Wait()
	if d == nil {
		return nil
	}
	err := d.Close() // the journals, too, that nobody has asked for
	if s.borrows() {
		err = errors.Join(err, os.RemoveAll(d.Dir()))
	}
	return err
}
