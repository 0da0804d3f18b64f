package lifecycle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// changes are the changes of knobs in one application, and the actions: those
// that go on, those that are to be taken back, and the audit of all.
type changes struct {
	// over ends, with ErrNotUp, when nothing is changed any more.
	over context.Context //nolint:containedctx // it outlives every call: it belongs to the application
	end  context.CancelCauseFunc
	// going counts those that go on; none is added once closed.
	going sync.WaitGroup

	mu     sync.Mutex
	closed bool
	timers map[uint64]*time.Timer // by the number of the change to take back
	audit  ring[Turned]
}

func newChanges() *changes {
	c := &changes{timers: map[uint64]*time.Timer{}}
	c.over, c.end = context.WithCancelCause(context.Background())
	return c
}

func (c *changes) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.going.Add(1)
	return true
}

// later calls f after d, unless the stop is over by then.
func (c *changes) later(change uint64, d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.timers[change] = time.AfterFunc(d, func() {
		c.mu.Lock()
		delete(c.timers, change)
		c.mu.Unlock()
		f()
	})
}

// close ends all changes and waits for those that go on, for d at the longest.
// It reports whether they are over.
func (c *changes) close(d time.Duration) bool {
	c.mu.Lock()
	c.closed = true
	for _, timer := range c.timers {
		timer.Stop()
	}
	clear(c.timers)
	c.mu.Unlock()
	c.end(ErrNotUp)
	return patiently(d, c.going.Wait)
}

// forget leaves a change as it is: it is not taken back any more.
func (c *changes) forget(change uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if timer := c.timers[change]; timer != nil {
		timer.Stop()
		delete(c.timers, change)
	}
}

// Audit are the last 1,000 changes of knobs, and actions, oldest first: made,
// refused, and taken back.
func (c *Conductor) Audit() []Turned {
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	entries, _ := c.changes.audit.since(0)
	for i, entry := range entries {
		entries[i] = entry.copied()
	}
	return entries
}

// conclude puts what came of a change into the audit, and tells of it; only
// answers if it shall not.
func (c *Conductor) conclude(entry Turned, only bool, err error) (Turned, error) {
	entry.At = time.Now()
	if err != nil {
		entry.Error, entry.Until, entry.Persisted = secret.Text(err.Error()), time.Time{}, false
		err = fmt.Errorf("lifecycle: %s: %w", strings.TrimSpace(entry.verb()+" "+entry.Component), err)
	}
	if only {
		return entry, err
	}
	text := entry.String() // it may call methods of the component's values
	c.changes.mu.Lock()
	entry.Seq = c.changes.audit.last + 1
	kept := entry.copied()
	c.changes.audit.add(kept)
	// Under the lock, so that events come in the order of the audit.
	c.events.add(Event{At: entry.At, Kind: entry.kind(), Component: entry.Component, Text: text, Data: kept})
	c.changes.mu.Unlock()
	c.logTurned(kept, err)
	return entry, err
}

func (c *Conductor) logTurned(entry Turned, err error) {
	level, said := zap.InfoLevel, "knobs turned"
	switch failed := entry.Error != ""; {
	case entry.Component == "" && failed:
		level, said = zap.WarnLevel, entry.ofItself()
	case entry.Component == "":
		said = entry.ofItself()
	case entry.Action != "" && failed:
		level, said = zap.WarnLevel, "action not done"
	case entry.Action != "":
		said = "action done"
	case failed:
		level, said = zap.WarnLevel, "knobs not turned"
	}
	fields := []zap.Field{zap.String("by", entry.By), zap.String("from", entry.From)}
	if entry.Component != "" {
		fields = append(fields, zap.String("component", entry.Component))
		if change := entry.changed(); change != "" { // empty: refused before it was known
			fields = append(fields, zap.String("change", change))
		}
	}
	if entry.Error != "" {
		fields = append(fields, zap.String("error", entry.Error))
	}
	if panicked := (*PanicError)(nil); errors.As(err, &panicked) {
		fields = append(fields, zap.String("stack", panicked.Stack))
	}
	if !entry.Until.IsZero() {
		fields = append(fields, zap.Time("until", entry.Until))
	}
	if entry.Persisted {
		fields = append(fields, zap.Bool("persisted", true))
	}
	c.say(func(log *zap.Logger) { log.Log(level, said, fields...) })
}

func (t Turned) copied() Turned {
	t.Before, t.After = maps.Clone(t.Before), maps.Clone(t.After)
	return t
}

func (t Turned) verb() string { return cmp.Or(t.Action, "turn") }

func (t Turned) kind() string {
	if t.Action != "" {
		return EventAction
	}
	return EventKnobs
}

// changed is what changes: "queue 100 → 200, workers 4 → 8"; or what is done:
// "flush key eu, wait true".
func (t Turned) changed() string {
	parts := make([]string, 0, len(t.After))
	for _, name := range sortedNames(t.After) {
		before, after := t.Before[name], t.After[name]
		if secret.Key(name) {
			before, after = secret.Hidden, secret.Hidden
		}
		if t.Action != "" {
			parts = append(parts, fmt.Sprintf("%s %v", name, after))
		} else {
			parts = append(parts, fmt.Sprintf("%s %v → %v", name, before, after))
		}
	}
	return secret.Text(strings.TrimSpace(t.Action + " " + strings.Join(parts, ", ")))
}

// String is the sentence for a person: "workers 4 → 8, by alice".
func (t Turned) String() string {
	text := t.changed()
	if t.By != "" {
		text += ", by " + t.By
	}
	if t.Error != "" {
		text += ", refused: " + t.Error
	}
	return strings.TrimPrefix(text, ", ")
}

// MarshalJSON writes durations as text, as a [Receipt] does. They come back as
// that.
func (t Turned) MarshalJSON() ([]byte, error) {
	type fields Turned
	text := fields(t)
	text.Before, text.After = map[string]any{}, map[string]any{}
	for name, value := range t.Before {
		text.Before[name] = inJSON(value)
	}
	for name, value := range t.After {
		text.After[name] = inJSON(value)
	}
	return json.Marshal(text)
}
