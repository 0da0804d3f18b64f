package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/dustin/go-humanize/english"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// journals: where lanes and batchers write their work down, and the box for
// what could not be done.
func journals() fx.Option { return fx.Provide(newStore, newDeadLetters) }

func journalConfig() fx.Option { return Section("journal", filejournal.Config{}) }

type storeIn struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    filejournal.Config `optional:"true"`
	Logger    *zap.Logger        `optional:"true"`
}

// store opens journals in the directory of the service. Nothing is on the disk
// before somebody asks for one.
type store struct {
	cfg filejournal.Config
	log *zap.Logger

	mu       sync.Mutex // also held while the directory is opened
	dir      *filejournal.Directory
	borrowed string         // a temporary directory, to be removed
	left     map[string]int // by journal: what waits for the next start
}

func newStore(in storeIn) journal.Opener {
	s := &store{cfg: in.Config, log: in.Logger, left: map[string]int{}}
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
	d, err := s.directory()
	if err != nil {
		return nil, err
	}
	j, err := d.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	s.report(name, d.Health()[name])
	return watched{Journal: j, closing: func(left int) { s.closed(name, left) }}, nil
}

func (s *store) directory() (*filejournal.Directory, error) {
	s.mu.Lock()
	d, fresh, err := s.directoryLocked()
	s.mu.Unlock()
	if fresh {
		s.log.Info("journals: "+d.Guarantee(), zap.String("dir", d.Dir()))
	}
	return d, err
}

func (s *store) directoryLocked() (d *filejournal.Directory, fresh bool, err error) {
	if s.dir != nil {
		return s.dir, false, nil
	}
	cfg := s.cfg
	if cfg.Dir == "" && testing.Testing() {
		// Tests of a service must not find what other tests have left.
		dir, err := os.MkdirTemp("", "lastcall-journal-")
		if err != nil {
			return nil, false, fmt.Errorf("modules: journal: %w", err)
		}
		s.borrowed, cfg.Dir = dir, dir
	}
	s.dir, err = filejournal.Open(cfg)
	if err != nil {
		return nil, false, fmt.Errorf("%w; choose another journal.dir, or switch the journals off (lanes.NAME.journal, batchers.NAME.journal)", err)
	}
	return s.dir, true, nil
}

// report says what was found in a journal.
func (s *store) report(name string, h filejournal.Health) {
	log := s.log.With(zap.String("journal", name))
	for _, d := range h.Damage {
		if d.Torn {
			log.Info("journal: a torn end, of an entry that was never promised", zap.Stringer("damage", d))
		} else {
			log.Error("journal: damaged; what is intact is replayed", zap.Stringer("damage", d))
		}
	}
	if h.Fault != nil {
		log.Warn("journal: the disk takes nothing at present", zap.Error(h.Fault))
	}
}

func (s *store) closed(name string, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[name] = left
}

// describe is what the receipt says of the journals.
func (s *store) describe() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.left)) {
		switch n := s.left[name]; {
		case n == 0:
		case name == journal.DeadLettersName:
			lines = append(lines, english.Plural(n, "dead letter", "")+" in the box, for somebody to look at")
		default:
			lines = append(lines, name+": "+english.Plural(n, "entry", "entries")+" for the next start")
		}
	}
	return lines
}

func (s *store) close() error {
	s.mu.Lock()
	d, borrowed := s.dir, s.borrowed
	s.mu.Unlock()
	var errs []error
	if d != nil {
		errs = append(errs, d.Close())
	}
	if borrowed != "" {
		errs = append(errs, os.RemoveAll(borrowed))
	}
	return errors.Join(errs...)
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

// newDeadLetters is the box, kept with the journals.
func newDeadLetters(lc fx.Lifecycle, o journal.Opener) *journal.DeadLetters {
	box := journal.NewDeadLetters(o)
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "deadletters",
		PreDestroy: func(context.Context) error { return box.Close() },
	})
	return box
}
