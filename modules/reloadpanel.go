package modules

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func (r *reloader) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "config",
		Stats:   func() any { return r.stats() },
		Metrics: func() []lifecycle.Metric { return r.stats().metrics() },
		Health:  func(context.Context) lifecycle.Health { return r.health() },
		Inspect: func(context.Context) any { return r.inspect() },
	}
}

// configStats is the configuration at one moment.
type configStats struct {
	// Reloads is how often the files have held something else, Rejected how often
	// that was wrong.
	Reloads  uint64 `json:"reloads"`
	Rejected uint64 `json:"rejected"`
	// Last is the last of them; empty: there was none.
	Last   reloadOutcome `json:"last,omitempty"`
	LastAt time.Time     `json:"last_at,omitzero"`
	// Rejecting: the files, as they are now, are rejected.
	Rejecting bool `json:"rejecting"`
	// Pending is how many keys need a restart.
	Pending int `json:"pending"`
	// Watching: the files are watched. Blind says why changes are found by the
	// poll alone; empty: they are notified.
	Watching bool   `json:"watching"`
	Blind    string `json:"blind,omitempty"`
}

func (r *reloader) stats() configStats {
	s := configStats{Watching: r.watcher != nil}
	if s.Watching {
		s.Blind = r.watcher.Blind()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Reloads, s.Rejected = r.last.Seq, r.counts[reloadRejected]
	s.Last, s.LastAt = r.last.Outcome, r.last.At
	s.Rejecting, s.Pending = len(r.wrong) > 0, len(r.pending)
	return s
}

func (s configStats) metrics() []lifecycle.Metric {
	var rejecting float64
	if s.Rejecting {
		rejecting = 1
	}
	return []lifecycle.Metric{
		{Name: "reloads", Help: "How often the files have held something else.", Type: lifecycle.Counter, Value: float64(s.Reloads)},
		{Name: "rejected_reloads", Help: "How often that was wrong.", Type: lifecycle.Counter, Value: float64(s.Rejected)},
		{Name: "rejecting", Help: "1: the files, as they are now, are rejected.", Value: rejecting},
		{Name: "pending_keys", Help: "Keys of the configuration that need a restart.", Value: float64(s.Pending)},
	}
}

// health is a warning where what runs is not what the files say.
func (r *reloader) health() lifecycle.Health {
	var files []config.FileState
	details := map[string]any{}
	if r.watcher != nil {
		files = r.watcher.Files()
		if blind := r.watcher.Blind(); blind != "" {
			details["poll_alone"] = blind
		}
	}
	r.mu.Lock()
	wrong, since, pending := r.wrong, r.since, r.pending
	r.mu.Unlock()

	var reasons []string
	if len(wrong) > 0 {
		details["problems"], details["rejected_since"] = wrong, since
		texts := make([]string, len(wrong))
		for i, w := range wrong {
			texts[i] = w.String()
		}
		reasons = append(reasons, "rejected, what was last good stays in force: "+strings.Join(texts, "; "))
	}
	for _, f := range files {
		if f.Wrong != "" {
			reasons = append(reasons, f.Name+": "+f.Wrong)
		}
	}
	if len(pending) > 0 {
		details["pending"] = pending
		texts := make([]string, len(pending))
		for i, c := range pending {
			texts[i] = c.Key + " (" + c.Origin + ")"
		}
		reasons = append(reasons, "needs a restart: "+strings.Join(texts, ", "))
	}
	if len(reasons) == 0 {
		return lifecycle.Health{Status: lifecycle.Up, Details: details}
	}
	return lifecycle.Health{Status: lifecycle.Warning, Reason: strings.Join(reasons, "; "), Details: details}
}

// configInspection is a closer look at the configuration.
type configInspection struct {
	Stats configStats        `json:"stats"`
	Files []config.FileState `json:"files"`
	// Overrides is the file in which changes are kept; empty: none can be.
	Overrides string `json:"overrides,omitempty"`
	// Problems are why the files, as they are now, are rejected.
	Problems []wrongKey `json:"problems"`
	// Pending are the keys that need a restart, before: as it runs.
	Pending []keyChange `json:"pending"`
	// History are the last reloads, the last one first.
	History []reloaded `json:"history"`
}

func (r *reloader) inspect() configInspection {
	i := configInspection{Stats: r.stats(), Files: []config.FileState{}, Overrides: r.boot.Overrides()}
	if r.watcher != nil {
		i.Files = r.watcher.Files()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i.Problems, i.Pending = append([]wrongKey{}, r.wrong...), append([]keyChange{}, r.pending...)
	i.History = append([]reloaded{}, r.history...)
	slices.Reverse(i.History)
	return i
}
