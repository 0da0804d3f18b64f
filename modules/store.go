package modules

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
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

	quit    chan struct{} // closed by close
	waiting sync.WaitGroup
	desk    *desk // nil: nobody serves the box

	mu     sync.Mutex // also held while the directory is opened
	dir    *filejournal.Directory
	early  map[string]journal.Journal // opened, and not asked for yet
	left   map[string]int             // by journal: what waits for the next start
	closed bool
}

func newStore(in storeIn) *store {
	s := &store{
		cfg: in.Config, log: in.Logger, conductor: in.Conductor,
		quit: make(chan struct{}), early: map[string]journal.Journal{}, left: map[string]int{},
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	lifecycle.Append(in.Lifecycle, lifecycle.Hook{
		Name: "journal",
		// Whoever has a journal depends on this and has ended before.
		PreDestroy: func(context.Context) error { return s.close() },
		Describe:   s.describe,
	})
	return s
}

// Open is [journal.Opener].
func (s *store) Open(ctx context.Context, name string) (journal.Journal, error) {
	d, j, err := s.take(ctx, name)
	if err != nil {
		return nil, err
	}
	if j == nil {
		if j, err = d.Open(ctx, name); err != nil {
			return nil, err
		}
	}
	return watched{Journal: j, closing: func(left int) { s.note(name, left) }}, nil
}

// take is the directory, and the journal if it was opened early.
func (s *store) take(ctx context.Context, name string) (*filejournal.Directory, journal.Journal, error) {
	s.mu.Lock()
	fresh := s.dir == nil
	err := s.openLocked(ctx)
	d, j := s.dir, s.early[name]
	var recovered int
	if fresh && err == nil {
		recovered = s.recoveredLocked()
	}
	delete(s.early, name)
	s.mu.Unlock()
	if err == nil && fresh {
		s.begin(d, recovered)
	}
	return d, j, err
}

func (s *store) openLocked(ctx context.Context) error {
	if s.closed {
		return fmt.Errorf("modules: journal: %w", journal.ErrClosed)
	}
	if s.dir != nil {
		return nil
	}
	cfg := s.cfg
	if s.borrows() {
		dir, err := os.MkdirTemp("", "lastcall-journal-")
		if err != nil {
			return fmt.Errorf("modules: journal: %w", err)
		}
		cfg.Dir = dir
	}
	d, err := filejournal.Open(cfg)
	if err != nil {
		return fmt.Errorf("%w; choose another journal.dir, or switch the journals off (lanes.NAME.journal, batchers.NAME.journal)", err)
	}
	s.dir = d
	names, err := d.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		// One that cannot be opened says so to whoever asks for it.
		if j, err := d.Open(ctx, name); err == nil {
			s.early[name] = j
		}
	}
	return nil
}

// borrows: tests of a service must not find what other tests have left.
func (s *store) borrows() bool { return s.cfg.Dir == "" && testing.Testing() }

func (s *store) recoveredLocked() (n int) {
	for name, j := range s.early {
		if isWork(name) {
			n += j.Len()
		}
	}
	return n
}

// isWork: the others remember something, and are not replayed.
func isWork(name string) bool {
	return name != journal.DeadLettersName && !strings.HasPrefix(name, "checkpoint:")
}

func (s *store) note(name string, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[name] = left
}

func (s *store) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	d := s.dir
	for name, j := range s.early {
		s.left[name] = j.Len()
	}
	s.mu.Unlock()
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

// watched is a journal that says, when it is closed, how much is in it.
type watched struct {
	journal.Journal
	closing func(left int)
}

func (w watched) Close() error {
	w.closing(w.Len())
	return w.Journal.Close()
}
