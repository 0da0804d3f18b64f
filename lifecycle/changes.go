package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// changes are the changes of knobs in one application: those that go on, those
// that are to be taken back, and the audit of all.
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

// enterDoor waits until nobody else turns knobs of the component, and counts one
// that does. The context it returns ends with ctx, and with the stop.
func (c *Conductor) enterDoor(ctx context.Context, t *tuning) (inside context.Context, leave func(), err error) {
	if c.State() == Constructing || !c.changes.begin() {
		return nil, nil, ErrNotUp
	}
	inside, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(c.changes.over, func() { cancel(context.Cause(c.changes.over)) })
	uncount := func() {
		release()
		cancel(nil)
		c.changes.going.Done()
	}
	select {
	case t.door <- struct{}{}:
		if inside.Err() == nil { // else both had come
			return inside, func() { <-t.door; uncount() }, nil
		}
		<-t.door
	case <-inside.Done():
	}
	err = fmt.Errorf("it did not come to its turn: %w", context.Cause(inside))
	uncount()
	return nil, nil, err
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

// Audit are the last 1,000 changes of knobs, oldest first: made, refused, and
// taken back.
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
		entry.Error, entry.Until, entry.Persisted = err.Error(), time.Time{}, false
		err = fmt.Errorf("lifecycle: turn %s: %w", entry.Component, err)
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
	c.events.add(Event{At: entry.At, Kind: EventKnobs, Component: entry.Component, Text: text, Data: kept})
	c.changes.mu.Unlock()
	c.logTurned(kept)
	return entry, err
}

func (c *Conductor) logTurned(entry Turned) {
	level, said := zap.InfoLevel, "knobs turned"
	fields := []zap.Field{zap.String("component", entry.Component), zap.String("change", entry.changed()), zap.String("by", entry.By), zap.String("from", entry.From)}
	switch {
	case entry.Error != "":
		level, said = zap.WarnLevel, "knobs not turned"
		fields = append(fields, zap.String("error", entry.Error))
	case !entry.Until.IsZero():
		fields = append(fields, zap.Time("until", entry.Until))
	}
	c.say(func(log *zap.Logger) { log.Log(level, said, fields...) })
}

func (t Turned) copied() Turned {
	t.Before, t.After = maps.Clone(t.Before), maps.Clone(t.After)
	return t
}

// changed is what changes: "queue 100 → 200, workers 4 → 8".
func (t Turned) changed() string {
	parts := make([]string, 0, len(t.After))
	for _, name := range sortedNames(t.After) {
		parts = append(parts, fmt.Sprintf("%s %v → %v", name, t.Before[name], t.After[name]))
	}
	return strings.Join(parts, ", ")
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
