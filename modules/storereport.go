package modules

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize/english"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// begin says what was found, once, and marks the directory as that of a run.
func (s *store) begin(d *filejournal.Directory, recovered int) {
	s.log.Info("journals, what is written down: "+d.Guarantee(), zap.String("dir", d.Dir()))
	for name, h := range d.Health() {
		s.report(name, h)
	}
	if s.desk != nil {
		s.desk.open(d.Dir(), s.log)
	}
	if s.conductor == nil {
		s.tellRecovered(recovered)
		return
	}
	if !s.borrows() {
		// A disk that is full is no reason not to replay.
		if err := s.conductor.KeepReceiptIn(filepath.Join(d.Dir(), "last-run.json")); err != nil {
			s.log.Warn("the next start will not know how this run ended", zap.Error(err))
		}
	}
	s.tellRecovered(recovered)
	s.waiting.Go(func() {
		select {
		case <-s.conductor.When(lifecycle.Started):
			s.tellForgotten()
		case <-s.quit:
		}
	})
}

func (s *store) tellRecovered(n int) {
	switch killed := s.conductor != nil && s.conductor.LastRun().Killed(); {
	case killed:
		s.log.Warn("killed: " + english.Plural(n, "entry", "entries") + " recovered")
	case n > 0:
		s.log.Info(english.Plural(n, "entry", "entries") + " of an earlier run recovered")
	}
}

// tellForgotten names the journals that hold something, and that nobody has
// asked for: a lane that was renamed leaves its work behind.
func (s *store) tellForgotten() {
	s.mu.Lock()
	s.up = true
	forgotten, failed := map[string]int{}, maps.Clone(s.found.failed)
	for name, j := range s.found.open {
		if n := j.Len(); n > 0 && journal.IsWork(name) {
			forgotten[name] = n
		}
	}
	s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		s.log.Error("journal: nobody has asked for it, and what is in it cannot be known", zap.String("journal", name), zap.Error(failed[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(forgotten)) {
		s.log.Warn("journal: nobody has asked for what is in it; was its component renamed, or its journal switched off?",
			zap.String("journal", name), zap.Int("entries", forgotten[name]))
	}
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

// describe is what the receipt says of the journals.
func (s *store) describe() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.left)) {
		switch n := s.left[name]; {
		case n == 0:
		case journal.IsWork(name):
			lines = append(lines, name+": "+english.Plural(n, "entry", "entries")+" for the next start")
		case name == journal.DeadLettersName:
			lines = append(lines, english.Plural(n, "dead letter", "")+" in the box, for somebody to look at")
		}
	}
	return lines
}
