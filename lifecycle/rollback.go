package lifecycle

import (
	"context"
	"fmt"
	"reflect"
)

// Rollback takes back one change of the audit: each of its knobs goes back to
// the value that it had before, all of them or none. by and from say who asks,
// from where. A dry run changes nothing; the answer says what would be.
//
// What was before may have held for a time only. The change has ended that, so
// the knob goes back to what lay below it. A change that holds for a time is
// ended early. Of one that was kept for the next start, what was kept before it
// is kept again, or nothing.
//
// It is a change like any other: checked, audited (Turned.Undoes), and there to
// be taken back itself; so of several changes the last is taken back first, and
// then the one before. The errors are those of [Conductor.Turn], and
// [ErrNoEntry]; [ErrStale], if somebody has turned one of the knobs since and
// that has not been taken back; [ErrNoUndo], if it was refused, is an action,
// is itself the end of what held for a time, or would change nothing. A number
// that the audit does not have is the one refusal that is not in it.
func (c *Conductor) Rollback(ctx context.Context, seq uint64, by, from string, dryRun bool) (Turned, error) {
	if by == "" && from == "" {
		from = callerOutside()
	}
	entry := Turned{By: by, From: from, Undoes: seq, Before: map[string]any{}, After: map[string]any{}}
	done, ok := c.changes.entry(seq)
	if !ok {
		return entry, fmt.Errorf("lifecycle: take back change %d: %w", seq, ErrNoEntry)
	}
	entry.Component = done.Component
	if err := done.undoable(); err != nil {
		return c.conclude(entry, dryRun, err)
	}
	t := c.find(done.Component).tuning
	came := c.behind(ctx, t.door, entry, dryRun, func(inside context.Context) outcome {
		turned, err := c.rollback(inside, t, done, entry, dryRun)
		return outcome{Turned: turned, err: err}
	})
	return came.Turned, came.err
}

// undoable says why an entry cannot be taken back, whatever the knobs are.
func (t Turned) undoable() error {
	switch {
	case t.Error != "":
		return fmt.Errorf("%w: change %d was refused", ErrNoUndo, t.Seq)
	case t.Action != "":
		return fmt.Errorf("%w: entry %d is an action, and done", ErrNoUndo, t.Seq)
	case t.ended:
		return fmt.Errorf("%w: change %d held for a time, which is over; make it again", ErrNoUndo, t.Undoes)
	}
	return nil
}

// rollback is Rollback, for whoever has entered.
func (c *Conductor) rollback(ctx context.Context, t *tuning, done, entry Turned, dryRun bool) (Turned, error) {
	knobs, revision, err := t.look()
	if err != nil {
		return c.conclude(entry, dryRun, err)
	}
	now := valuesOf(knobs)
	t.holds.forget(now)
	entry.Revision = revision
	if err := c.changes.stale(done, now); err != nil {
		return c.conclude(entry, dryRun, err)
	}
	held := t.holds.behind(done.Seq)
	for name, value := range done.goesBackTo(held) {
		if _, ends := held[name]; ends || done.Persisted || !reflect.DeepEqual(value, now[name]) {
			entry.Before[name], entry.After[name] = now[name], value
		}
	}
	if len(entry.After) == 0 {
		return c.conclude(entry, dryRun, fmt.Errorf("%w: the knobs are what they were before change %d", ErrNoUndo, done.Seq))
	}
	if _, err := check(knobs, entry.After); err != nil {
		return c.conclude(entry, dryRun, err)
	}
	var kept *keeping
	if done.Persisted {
		if kept, err = c.keeping(knobs, entry.After); err != nil {
			return c.conclude(entry, dryRun, err)
		}
		kept.again = done.kept
	}
	entry.base, entry.ended = t.holds.base(), len(held) > 0
	if entry, err = c.apply(ctx, t, entry, dryRun, kept); err != nil || dryRun {
		return entry, err
	}
	t.holds.end(done.Seq)
	c.changes.forget(done.Seq)
	return entry, nil
}

// goesBackTo is what the knobs of a change were before it; held are those that
// it still holds for a time.
func (t Turned) goesBackTo(held map[string]any) map[string]any {
	back := make(map[string]any, len(t.After))
	for name := range t.After {
		back[name] = t.Before[name]
		if below, ok := t.base[name]; ok {
			back[name] = below
		}
		if below, ok := held[name]; ok {
			back[name] = below
		}
	}
	return back
}

// entry is the entry of the audit with that number.
func (c *changes) entry(seq uint64) (Turned, bool) {
	if seq == 0 {
		return Turned{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, missed := c.audit.since(seq - 1)
	if missed || len(entries) == 0 {
		return Turned{}, false
	}
	return entries[0].copied(), true
}

// stale says who has turned one of the knobs of a change since. Changes that
// were taken back do not count, nor does what took them back.
func (c *changes) stale(done Turned, now map[string]any) error {
	c.mu.Lock()
	later, _ := c.audit.since(done.Seq)
	c.mu.Unlock()
	undone := map[uint64]bool{}
	for i := len(later) - 1; i >= 0; i-- {
		entry := later[i]
		if entry.Component != done.Component || entry.Error != "" || entry.Action != "" || undone[entry.Seq] {
			continue
		}
		undone[entry.Undoes] = true
		if entry.Undoes > done.Seq {
			continue
		}
		for _, name := range sortedNames(done.After) {
			if _, turned := entry.After[name]; turned {
				return fmt.Errorf("%w: change %d has turned %s", ErrStale, entry.Seq, name)
			}
		}
	}
	for _, name := range sortedNames(done.After) {
		if !reflect.DeepEqual(now[name], done.After[name]) {
			return fmt.Errorf("%w: %s is %v, and not what change %d made it", ErrStale, name, now[name], done.Seq)
		}
	}
	return nil
}
