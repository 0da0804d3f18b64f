package modules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func (s *store) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "journal",
		Stats:   func() any { return s.stats() },
		Metrics: func() []lifecycle.Metric { return s.stats().metrics() },
		Health:  func(context.Context) lifecycle.Health { return s.stats().health() },
		Knobs:   s.knobs,
		Alarms: []lifecycle.Alarm{{
			Name: "fill", Unit: "%", Threshold: 80,
			Help: "So much of what its files may take is taken by the fullest journal; raise journal.max_bytes, or find out why its work does not end.",
			Of:   func(stats any) float64 { return stats.(storeStats).fullest() },
		}},
	}
}

// storeStats is the directory of the journals at one moment.
type storeStats struct {
	Dir string `json:"dir"`
	// Guarantee says in one sentence what an entry withstands.
	Guarantee string `json:"guarantee"`
	// Open: somebody has needed a journal, or an earlier life has left some.
	Open bool `json:"open"`
	// Journals are those of the directory, by name.
	Journals []journalStats `json:"journals"`

	up bool
}

type journalStats struct {
	Name string `json:"name"`
	// Taken: a component of this process has it open.
	Taken bool `json:"taken"`
	// Refuses is why the last entry could not be written down, Forgets why the
	// last one could not be crossed out. Empty: it could.
	Refuses string `json:"refuses,omitempty"`
	Forgets string `json:"forgets,omitempty"`
	// Unopened is why it could not be opened when the directory was.
	Unopened string             `json:"unopened,omitempty"`
	Health   filejournal.Health `json:"health"`

	full bool // Refuses is for want of room
}

func (s *store) stats() storeStats {
	s.mu.Lock()
	d, taken, failed := s.dir, maps.Clone(s.taken), maps.Clone(s.found.failed)
	st := storeStats{Dir: s.cfg.WithDefaults().Dir, Guarantee: s.cfg.Sync.Guarantee(), Open: d != nil && !s.closed, Journals: []journalStats{}, up: s.up}
	s.mu.Unlock()
	if d == nil {
		return st
	}
	st.Dir = d.Dir() // a test's is its own
	for name, h := range d.Health() {
		j := journalStats{Name: name, Health: h}
		if w := taken[name]; w != nil {
			j.Taken = true
			j.Refuses, j.full = w.refusal()
			j.Forgets = inWords(w.forgets.Load())
		}
		st.Journals = append(st.Journals, j)
	}
	for name, err := range failed {
		st.Journals = append(st.Journals, journalStats{Name: name, Unopened: err.Error()})
	}
	slices.SortFunc(st.Journals, func(a, b journalStats) int { return cmp.Compare(a.Name, b.Name) })
	return st
}

// fullest is how much of its bytes the fullest journal takes, in percent.
func (st storeStats) fullest() (percent float64) {
	for _, j := range st.Journals {
		if j.Health.MaxBytes > 0 {
			percent = max(percent, 100*float64(j.Health.Bytes)/float64(j.Health.MaxBytes))
		}
	}
	return percent
}

func (w *watched) refusal() (why string, full bool) {
	err := w.refuses.Load()
	return inWords(err), err != nil && errors.Is(*err, journal.ErrFull)
}

func inWords(err *error) string {
	if err == nil {
		return ""
	}
	return (*err).Error()
}

func (st storeStats) metrics() (metrics []lifecycle.Metric) {
	for _, j := range st.Journals {
		if j.Unopened != "" {
			continue
		}
		add := func(name, help string, n int64) {
			metrics = append(metrics, lifecycle.Metric{Name: name, Help: help, Value: float64(n), Labels: map[string]string{"journal": j.Name}})
		}
		add("entries", "Entries that are not crossed out.", int64(j.Health.Entries))
		add("recovered_entries", "Entries that an earlier life has left.", int64(j.Health.Recovered))
		add("files_bytes", "What the files take.", j.Health.Bytes)
		add("max_bytes", "What the files may take.", j.Health.MaxBytes)
		places, lost := j.damage()
		add("damaged_places", "Places that could not be read back, torn ends left out.", int64(places))
		add("damaged_entries", "Entries that were not crossed out and that damage has taken.", int64(lost))
		add("refusing", "1: the last entry could not be written down.", number(j.Refuses != ""))
		add("forgetting", "1: the last entry could not be crossed out.", number(j.Forgets != ""))
		add("faulty", "1: the disk took nothing when it was last asked to.", number(j.Health.Fault != nil))
	}
	return metrics
}

func number(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

func (j journalStats) damage() (places, lost int) {
	for _, d := range j.Health.Damage {
		if !d.Torn {
			places++
			lost += d.Lost
		}
	}
	return places, lost
}

// health is down where new work is refused, and a warning where there is
// something to mend.
func (st storeStats) health() lifecycle.Health {
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{"dir": st.Dir, "guarantee": st.Guarantee}}
	var reasons []string
	for _, j := range st.Journals {
		status, reason := j.health(st.up)
		if status == lifecycle.Up {
			continue
		}
		if h.Status != lifecycle.Down {
			h.Status = status
		}
		reasons = append(reasons, j.Name+": "+reason)
	}
	h.Reason = strings.Join(reasons, "; ")
	return h
}

func (j journalStats) health(up bool) (lifecycle.Status, string) {
	places, lost := j.damage()
	switch {
	case j.full:
		return lifecycle.Down, "work is refused, or lost at a stop: " + j.Refuses + "; raise journal.max_bytes, make room on the disk, or find out why the work does not end"
	case j.Refuses != "":
		return lifecycle.Down, "work is refused, or lost at a stop, as it cannot be written down: " + j.Refuses + "; look at the disk"
	case j.Unopened != "":
		return lifecycle.Warning, "what is in it cannot be known: " + j.Unopened
	case j.Health.Fault != nil:
		return lifecycle.Warning, fmt.Sprintf("the disk takes nothing at present: %v; look at it", j.Health.Fault)
	case places > 0:
		return lifecycle.Warning, fmt.Sprintf("damaged in %d places, %d entries are missing; what is intact was replayed, the bytes are in its quarantine (lastcall journal inspect)", places, lost)
	case j.Forgets != "":
		return lifecycle.Warning, "work that is done would come again after a kill, as it cannot be crossed out: " + j.Forgets + "; look at the disk"
	case up && !j.Taken && j.Health.Entries > 0 && journal.IsWork(j.Name):
		return lifecycle.Warning, fmt.Sprintf("nobody has asked for the %d entries in it; was its component renamed, or its journal switched off?", j.Health.Entries)
	default:
		return lifecycle.Up, ""
	}
}

func (s *store) knobs() []lifecycle.Knob {
	c := s.cfg.WithDefaults()
	syncs := []string{"process", "always"}
	if !slices.Contains(syncs, c.Sync.String()) {
		syncs = append(syncs, c.Sync.String())
	}
	return []lifecycle.Knob{
		{
			Name: "sync", Key: "journal.sync", Type: lifecycle.ChoiceKnob, Value: c.Sync.String(), Choices: syncs, Cold: true,
			Help: "When entries are forced to the disk: process (never), always, or after every duration such as 50ms.",
		},
		{
			Name: "max_bytes", Key: "journal.max_bytes", Type: lifecycle.IntKnob, Value: c.MaxBytes, Cold: true,
			Help: "Bounds the files of each journal, in bytes.",
		},
		{
			Name: "segment_bytes", Key: "journal.segment_bytes", Type: lifecycle.IntKnob, Value: c.SegmentBytes, Cold: true,
			Help: "The size of the files a journal is made of, in bytes.",
		},
		{
			Name: "when_full", Key: "journal.when_full", Type: lifecycle.ChoiceKnob, Value: string(c.WhenFull),
			Choices: []string{string(filejournal.Reject), string(filejournal.Block)}, Cold: true,
			Help: "What becomes of an entry for which there is no room.",
		},
	}
}
