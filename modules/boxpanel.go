package modules

import (
	"context"
	"fmt"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// boxPanel is what the box of dead letters shows of itself, and what it can be
// told to do with the letters. Package deadletter does it.
type boxPanel struct {
	box   *journal.DeadLetters
	store *store
}

func (b boxPanel) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "deadletter",
		Stats:   func() any { return b.stats() },
		Metrics: b.metrics,
		Health:  func(context.Context) lifecycle.Health { return b.health() },
		Inspect: func(ctx context.Context) any { return b.inspect(ctx) },
		Alarms: []lifecycle.Alarm{{
			Name: "dead_letter", Threshold: 1, Grows: true,
			Help: "So much work could not be done and is in the box (lastcall deadletters list); send it again or drop it.",
			Of:   func(stats any) float64 { return float64(stats.(journal.BoxStats).Put) },
		}},
		Actions: []lifecycle.Action{
			b.action("redrive", "Sends letters back to their components, as new work under their old ids.", deadletter.Redrive),
			b.action("drop", "Throws letters away for good.", deadletter.Drop),
		},
	}
}

// stats knows of the letters of an earlier life, too, that nobody has looked at
// in this one.
func (b boxPanel) stats() journal.BoxStats {
	s := b.box.Stats()
	if !s.Open {
		s.Letters = b.store.unasked(journal.DeadLettersName)
	}
	return s
}

// unasked is how many entries are in a journal that nobody has open.
func (s *store) unasked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.found.open[name]; j != nil && !s.closed {
		return j.Len()
	}
	return s.left[name]
}

func (b boxPanel) metrics() []lifecycle.Metric {
	s := b.stats()
	return []lifecycle.Metric{
		{Name: "letters", Help: "Dead letters in the box.", Value: float64(s.Letters)},
		{Name: "underway_letters", Help: "Those of them that are being sent again.", Value: float64(s.Underway)},
	}
}

func (b boxPanel) health() lifecycle.Health {
	s := b.stats()
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{"letters": s.Letters}}
	if s.Letters > 0 {
		h.Status = lifecycle.Warning
		h.Reason = fmt.Sprintf("%d dead letters wait for somebody to look at them (lastcall deadletters list); send them again or drop them", s.Letters)
	}
	return h
}

// A look at the box reads so many letters at most, and shows the first of them.
const (
	mostRead  = 1000
	mostShown = 20
)

// boxInspection says what kinds of letters there are.
type boxInspection struct {
	Stats journal.BoxStats `json:"stats"`
	// Read is how many letters were looked at, the oldest first: not all of them,
	// if Letters is more.
	Read        int                    `json:"read"`
	ByComponent map[string]int         `json:"by_component"`
	ByReason    map[journal.Reason]int `json:"by_reason"`
	Oldest      []letter               `json:"oldest"`
	// Error is what ended the look early.
	Error string `json:"error,omitempty"`
}

func (b boxPanel) inspect(ctx context.Context) boxInspection {
	i := boxInspection{Stats: b.stats(), ByComponent: map[string]int{}, ByReason: map[journal.Reason]int{}, Oldest: []letter{}}
	if i.Stats.Letters == 0 {
		return i // a look must not make a box
	}
	for l, err := range b.box.All(ctx) {
		if err != nil {
			i.Error = err.Error()
			break
		}
		i.Read++
		i.ByComponent[l.Component]++
		i.ByReason[l.Reason]++
		if len(i.Oldest) < mostShown {
			i.Oldest = append(i.Oldest, shownLetter(&l, false))
		}
		if i.Read == mostRead {
			break
		}
	}
	return i
}
