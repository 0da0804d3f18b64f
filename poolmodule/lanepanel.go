package poolmodule

import (
	"context"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// lanePanel is what a lane shows of itself, whatever its type. None of it can
// be changed while it runs: its handlers read it without a lock.
type lanePanel struct {
	name  string
	cfg   pool.LaneConfig                 // with defaults
	open  func() (lifecycle.Health, bool) // that of its gate, where that is not open
	stats func() pool.LaneStats
}

func (l lanePanel) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "lane",
		Stats:   func() any { return l.stats() },
		Metrics: l.metrics,
		Health:  func(context.Context) lifecycle.Health { return l.health(l.stats()) },
		Knobs:   l.knobs,
		Alarms:  l.alarms(),
	}
}

func (l lanePanel) metrics() []lifecycle.Metric {
	s := l.stats()
	return []lifecycle.Metric{
		count("queued_items", "Items that wait for a worker.", s.Queued),
		count("running_items", "Items in the hands of a handler, of the dead letters or of a hook.", s.Running),
		count("retrying_items", "Items that wait for their next try.", s.Retrying),
		count("burying_items", "Those of them that failed for good and wait until the dead letters take them.", s.Burying),
		count("leftover_items", "Items that the stop has left over and nobody has settled yet.", s.Leftover),
		count("journal_entries", "Entries in the journal that are not crossed out.", s.InJournal),
		count("writing_submitters", "Submitters that are writing an item down.", s.Writing),
		count("waiting_submitters", "Submitters that wait for the end of the replay.", s.Submitters),
		{Name: "replayed_items", Help: "Items of an earlier life that have entered.", Type: lifecycle.Counter, Value: float64(s.Replayed)},
		count("replay_left_items", "Items of an earlier life that are still to enter.", s.ReplayLeft),
		count("unreadable_items", "Items of an earlier life that no codec could read.", s.Unreadable),
	}
}

func (l lanePanel) health(s pool.LaneStats) lifecycle.Health {
	if h, ok := l.open(); ok {
		return h
	}
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{"pool": s.Pool, "journal": s.Journal, "dead_letters": s.DeadLetters}}
	if s.ReplayLeft > 0 {
		h.Details["replay_left"] = s.ReplayLeft // new work waits until then
	}
	switch {
	case s.Burying > 0:
		h.Status = lifecycle.Warning
		h.Reason = fmt.Sprintf("%d items failed for good and the dead letters do not take them; see why in the log, and at the journal's health", s.Burying)
	case s.Unreadable > 0:
		h.Status = lifecycle.Warning
		h.Reason = fmt.Sprintf("%d items of an earlier life cannot be read; give the codec that wrote them, or move them to the dead letters (lastcall journal bury lane:%s)", s.Unreadable, l.name)
	}
	return h
}

func (l lanePanel) knobs() []lifecycle.Knob {
	key := func(field string) string { return "lanes." + l.name + "." + field }
	duration := func(field, help string, value time.Duration) lifecycle.Knob {
		return lifecycle.Knob{Name: field, Key: key(field), Help: help, Type: lifecycle.DurationKnob, Value: value, Cold: true}
	}
	r, s := l.cfg.Retry, l.stats()
	return []lifecycle.Knob{
		duration("timeout", "Bounds one try of one item; 0: nothing does.", l.cfg.Timeout),
		duration("max_age", "Items that are older when their turn comes fail; 0: none does.", l.cfg.MaxAge),
		{
			Name: "retry.max_attempts", Key: key("retry.max_attempts"), Help: "How often an item is tried in all.",
			Type: lifecycle.IntKnob, Value: int64(r.MaxAttempts), Cold: true,
		},
		duration("retry.initial_delay", "The first delay between two tries.", r.InitialDelay),
		duration("retry.max_delay", "Bounds the delays.", r.MaxDelay),
		{
			Name: "retry.multiplier", Key: key("retry.multiplier"), Help: "The factor from one delay to the next.",
			Type: lifecycle.FloatKnob, Value: r.Multiplier, Cold: true,
		},
		{
			Name: "retry.jitter", Key: key("retry.jitter"), Help: "The part by which a delay is varied at random.",
			Type: lifecycle.FloatKnob, Value: r.Jitter, Cold: true,
		},
		{
			Name: "journal", Key: key("journal"), Help: "When items are written down.", Type: lifecycle.ChoiceKnob, Value: string(s.Journal),
			Choices: []string{string(journal.Off), string(journal.OnStop), string(journal.Always)}, Cold: true,
		},
		{
			Name: "dead_letters", Key: key("dead_letters"), Help: "What becomes of items that failed for good.", Type: lifecycle.ChoiceKnob, Value: string(s.DeadLetters),
			Choices: []string{string(pool.KeepLetters), string(pool.NoLetters)}, Cold: true,
		},
		stopBudget(key("stop_budget"), l.cfg.StopBudget),
	}
}
