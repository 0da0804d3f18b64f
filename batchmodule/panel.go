package batchmodule

import (
	"context"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// core is a batcher, whatever its type.
type core interface {
	Name() string
	Stats() batch.Stats
	Limits() batch.Limits
	Resize(batch.Limits) error
	Flush(ctx context.Context) error
	Landed() []batch.Landed
}

// panel is what a batcher shows of itself.
type panel struct {
	core
	cfg  batch.Config                    // with defaults; of its limits those at the start
	open func() (lifecycle.Health, bool) // that of its gate, where that is not open
}

func (p panel) panel() *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "batcher",
		Stats:   func() any { return p.Stats() },
		Metrics: func() []lifecycle.Metric { return metrics(p.Stats()) },
		Health:  func(context.Context) lifecycle.Health { return p.health(p.Stats()) },
		Inspect: func(context.Context) any { return inspection{p.Landed()} },
		Knobs:   p.knobs,
		Turn:    func(_ context.Context, values map[string]any) error { return p.turn(values) },
		Alarms:  p.alarms(),
		Actions: []lifecycle.Action{{
			Name: "flush", Help: "Flushes what is in the batcher now, and waits until that is settled.",
			Do: func(ctx context.Context, _ map[string]any) (any, error) { return p.flush(ctx) },
		}},
	}
}

func (p panel) key(field string) string { return "batchers." + p.Name() + "." + field }

func metrics(s batch.Stats) []lifecycle.Metric {
	count := func(name, help string, n int) lifecycle.Metric {
		return lifecycle.Metric{Name: name, Help: help, Value: float64(n)}
	}
	metrics := []lifecycle.Metric{
		count("buffered_items", "Items in batches that are being filled, or wait for a slot.", s.Buffered),
		count("in_flight_items", "Items with the sink, or that wait for a retry or for the dead letters.", s.InFlight),
		count("leftover_items", "Items that the stop has left over and nobody has settled yet.", s.Left),
		count("buffer_capacity", "How many items may be inside.", s.Limits.Buffer),
		count("max_items", "How many items a batch may have.", s.Limits.MaxItems),
		count("keys", "Keys that have items inside.", s.Keys),
		count("waiting_producers", "Calls of Add that wait for room, or for the end of the replay.", s.Waiting),
		count("running_flushes", "Flushes that run.", s.Slots),
		count("pausing_flushes", "Those of them that wait before they try again.", s.Pausing),
		count("parallel_flushes", "How many flushes may run.", s.Limits.Parallel),
		{Name: "linger_seconds", Help: "How long a batch waits for more items.", Value: s.Limits.Linger.Seconds()},
		{Name: "oldest_batch_seconds", Help: "Age of the oldest batch, by its first item.", Value: s.Oldest.Seconds()},
		count("journal_entries", "Entries in the journal that are not crossed out.", s.InJournal),
		count("writing_items", "Items that have a place and are being written down.", s.Writing),
		{Name: "replayed_items", Help: "Items of an earlier life that have entered.", Type: lifecycle.Counter, Value: float64(s.Replayed)},
		count("replay_left_items", "Items of an earlier life that are still to enter.", s.ReplayLeft),
		count("unreadable_items", "Items of an earlier life that no codec could read.", s.Unreadable),
	}
	for _, f := range []struct {
		trigger string
		n       uint64
	}{
		{"count", s.Flushes.Count}, {"bytes", s.Flushes.Bytes}, {"linger", s.Flushes.Linger},
		{"room", s.Flushes.Room}, {"manual", s.Flushes.Manual}, {"drain", s.Flushes.Drain},
	} {
		metrics = append(metrics, lifecycle.Metric{
			Name: "flushes", Help: "Flushes that have ended, by what triggered them.", Type: lifecycle.Counter,
			Value: float64(f.n), Labels: map[string]string{"trigger": f.trigger},
		})
	}
	return metrics
}

// health is a warning where items cannot get out, or not in.
func (p panel) health(s batch.Stats) lifecycle.Health {
	if h, ok := p.open(); ok {
		return h
	}
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{
		"inside": s.Inside, "buffer": s.Limits.Buffer, "slots": s.Slots, "parallel": s.Limits.Parallel,
		"waiting": s.Waiting, "journal": s.Journal, "dead_letters": s.DeadLetters,
	}}
	if s.ReplayLeft > 0 {
		h.Details["replay_left"] = s.ReplayLeft // new work waits until then
	}
	full := s.Inside >= s.Limits.Buffer || s.Waiting > 0 && s.ReplayLeft == 0
	switch {
	case s.Pausing > 0:
		h.Reason = fmt.Sprintf("%d of %d flushes failed and wait before they try again: %s; look at what the sink calls, or at the dead letters' journal", s.Pausing, s.Slots, s.Trouble)
	case full:
		h.Reason = fmt.Sprintf("full: %d of %d items are inside, %d of %d flushes run, and %d producers wait; raise %s or %s, or make the sink faster",
			s.Inside, s.Limits.Buffer, s.Slots, s.Limits.Parallel, s.Waiting, p.key("parallel"), p.key("buffer"))
	case s.Unreadable > 0:
		h.Reason = fmt.Sprintf("%d items of an earlier life cannot be read; give the codec that wrote them, or move them to the dead letters (lastcall journal bury batch:%s)", s.Unreadable, p.Name())
	default:
		return h
	}
	h.Status = lifecycle.Warning
	return h
}

// inspection is what a closer look shows.
type inspection struct {
	FlushLog []batch.Landed `json:"flush_log"` // the latest first
}

// knobs are the limits as they are now, and what a restart is needed for.
func (p panel) knobs() []lifecycle.Knob {
	l, s, c := p.Limits(), p.Stats(), p.cfg
	hot := func(name, help string, value int) lifecycle.Knob {
		return lifecycle.Knob{Name: name, Key: p.key(name), Help: help, Type: lifecycle.IntKnob, Value: int64(value), Min: int64(1)}
	}
	cold := func(name, help string, t lifecycle.KnobType, value any, choices ...string) lifecycle.Knob {
		return lifecycle.Knob{Name: name, Key: p.key(name), Help: help, Type: t, Value: value, Choices: choices, Cold: true}
	}
	return []lifecycle.Knob{
		hot("max_items", "How many items a batch has at most; not more than buffer.", l.MaxItems),
		{
			Name: "linger", Key: p.key("linger"), Type: lifecycle.DurationKnob, Value: l.Linger, Min: time.Nanosecond,
			Help: "How long the first item of a batch waits for others.",
		},
		hot("parallel", "How many flushes run at the same time; more than 1 gives up order, except within a key.", l.Parallel),
		hot("buffer", "How many items may be inside; at least max_items.", l.Buffer),
		cold("max_bytes", "Bounds the size of a batch; 0: nothing does.", lifecycle.IntKnob, c.MaxBytes),
		cold("when_full", "What becomes of new items when there is no room.", lifecycle.ChoiceKnob, string(c.WhenFull), string(batch.Block), string(batch.Reject)),
		cold("max_keys", "How many keys may have items inside.", lifecycle.IntKnob, int64(c.MaxKeys)),
		cold("flush_timeout", "Bounds one call of the sink.", lifecycle.DurationKnob, c.FlushTimeout),
		cold("max_age", "Items that are older when their flush begins fail; 0: none does.", lifecycle.DurationKnob, c.MaxAge),
		cold("retry.max_attempts", "How often a flush is tried; -1: without end.", lifecycle.IntKnob, int64(c.Retry.MaxAttempts)),
		cold("retry.initial_delay", "The first delay between two attempts.", lifecycle.DurationKnob, c.Retry.InitialDelay),
		cold("retry.max_delay", "Bounds the delays.", lifecycle.DurationKnob, c.Retry.MaxDelay),
		cold("retry.multiplier", "The factor from one delay to the next.", lifecycle.FloatKnob, c.Retry.Multiplier),
		cold("journal", "When items are written down.", lifecycle.ChoiceKnob, string(s.Journal), string(journal.Off), string(journal.OnStop), string(journal.Always)),
		cold("dead_letters", "What becomes of items that failed for good.", lifecycle.ChoiceKnob, string(s.DeadLetters), string(batch.KeepLetters), string(batch.NoLetters)),
		cold("stop_budget", "Bounds the time of its stop; 0: the time that all have.", lifecycle.DurationKnob, c.StopBudget),
	}
}

// flushed is what came of a flush by hand.
type flushed struct {
	// Inside is how many items are in the batcher afterwards, which were added
	// meanwhile.
	Inside int `json:"inside"`
}

// flush returns the errors of the flushes. Items that failed for good are
// settled too, and are where those of any flush are.
func (p panel) flush(ctx context.Context) (any, error) {
	if err := p.Flush(ctx); err != nil {
		return nil, err
	}
	return flushed{p.Stats().Inside}, nil
}

func (p panel) turn(values map[string]any) error {
	number := func(name string) int {
		v, _ := values[name].(int64)
		return int(v)
	}
	linger, _ := values["linger"].(time.Duration)
	return p.Resize(batch.Limits{
		MaxItems: number("max_items"), Linger: linger, Parallel: number("parallel"), Buffer: number("buffer"),
	})
}
