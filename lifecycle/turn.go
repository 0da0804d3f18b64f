package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Knobs are the knobs of a component as they are now, none if it has none,
// each with a value of its type; and their revision, for [Change].If: a number
// that grows whenever somebody finds another value, whoever turned it. The
// error matches [ErrNoComponent], or is the [*PanicError] of the component.
func (c *Conductor) Knobs(component string) (knobs []Knob, revision uint64, err error) {
	comp := c.find(component)
	if comp == nil {
		return nil, 0, fmt.Errorf("lifecycle: knobs of %s: %w", shorten(component), c.noComponent(component))
	}
	knobs, revision, err = comp.tuning.look()
	if err != nil {
		return nil, 0, fmt.Errorf("lifecycle: knobs of %s: %w", component, err)
	}
	return knobs, revision, nil
}

// Turn makes a change, all of it or none, and returns when it is in force. It
// is the one door for changes: of a file, an endpoint, or code. It may be
// called from the beginning of the start to the end of the stop: more workers
// help a drain. Changes of one component are made one after another, those of
// several beside each other.
//
// Values that a knob has already are no change, so a cold knob may be among
// them. Where nothing is to be changed the component is not called.
//
// What shall be kept for the next start (Change.Persist) is given to the keeper
// when it is in force, also values that were so already. If they cannot be kept,
// the change is taken back.
//
// The answer is also the entry in the audit, of refusals too, but for dry runs.
// The error of a refusal, after which nothing is changed, matches
// [ErrNoComponent], [ErrNotUp], [ErrStale], is [*KnobErrors], which says
// everything that is wrong with the values and may match [ErrCold], matches
// [ErrNotKept], or is what the component said: a [*PanicError] may leave the
// change half made.
//
// ctx bounds it. When it ends the component is told; one that still does not
// return, for the grace of [Config], is left to itself. The audit then says
// what came of it, and until then other changes of the component wait.
func (c *Conductor) Turn(ctx context.Context, component string, ch Change) (Turned, error) {
	if ch.By == "" && ch.From == "" {
		ch.From = callerOutside()
	}
	ch.Values = maps.Clone(ch.Values)
	entry := Turned{Component: component, By: ch.By, From: ch.From, Before: map[string]any{}, After: map[string]any{}}
	comp := c.find(component)
	if comp == nil {
		entry.Component = shorten(component)
		return c.conclude(entry, ch.DryRun, c.noComponent(component))
	}
	came := c.behind(ctx, comp.tuning.door, entry, ch.DryRun, func(inside context.Context) outcome {
		turned, err := c.turn(inside, comp.tuning, entry, ch)
		return outcome{Turned: turned, err: err}
	})
	return came.Turned, came.err
}

// turn is Turn, for whoever has entered.
func (c *Conductor) turn(ctx context.Context, t *tuning, entry Turned, ch Change) (Turned, error) {
	knobs, revision, err := t.look()
	if err != nil {
		return c.conclude(entry, ch.DryRun, err)
	}
	now := valuesOf(knobs)
	t.holds.forget(now)
	entry.Revision = revision
	switch {
	case ch.If != 0 && ch.If != revision:
		return c.conclude(entry, ch.DryRun, fmt.Errorf("%w: the change was made for revision %d, and it is %d", ErrStale, ch.If, revision))
	case ch.For < 0:
		return c.conclude(entry, ch.DryRun, fmt.Errorf("for: %v is negative; say how long it shall hold, or leave it out", ch.For))
	case ch.For > 0 && ch.Persist:
		return c.conclude(entry, ch.DryRun, errors.New("it cannot hold for a time and be kept for the next start; leave one of both out"))
	}
	wanted, err := check(knobs, ch.Values)
	if err != nil {
		return c.conclude(entry, ch.DryRun, err)
	}
	var kept *keeping // nil: it is not to be kept
	if ch.Persist {
		if kept, err = c.keeping(knobs, wanted); err != nil {
			return c.conclude(entry, ch.DryRun, err)
		}
	}
	for name, value := range wanted {
		if _, held := t.holds[name]; held || ch.Persist || !reflect.DeepEqual(value, now[name]) {
			entry.Before[name], entry.After[name] = now[name], value
		}
	}
	if len(entry.After) == 0 {
		return c.conclude(entry, true, nil)
	}
	if ch.For > 0 {
		entry.Until = time.Now().Add(ch.For)
	}
	entry.base = t.holds.base()
	if entry, err = c.apply(ctx, t, entry, ch.DryRun, kept); err != nil || ch.DryRun {
		return entry, err
	}
	for name, value := range entry.After {
		if ch.For > 0 {
			t.holds.add(name, entry.Seq, value, entry.Before[name])
		} else {
			delete(t.holds, name)
		}
	}
	if ch.For > 0 {
		c.changes.later(entry.Seq, ch.For, func() { c.takeBack(t, entry.Seq) })
	}
	return entry, nil
}

// apply makes the change that the entry says.
func (c *Conductor) apply(ctx context.Context, t *tuning, entry Turned, dryRun bool, kept *keeping) (Turned, error) {
	entry.Persisted = kept != nil
	if dryRun {
		return c.conclude(entry, true, nil)
	}
	err := t.call(ctx, entry)
	if knobs, revision, lookErr := t.look(); lookErr == nil {
		entry.Revision = revision
		if now := valuesOf(knobs); err == nil {
			for name := range entry.After {
				entry.After[name] = now[name] // the component has the last word
			}
		}
	}
	if err == nil && kept != nil {
		if entry.kept, err = kept.keep(ctx, entry); err != nil {
			err = c.unmake(ctx, t, &entry, err)
		}
	}
	return c.conclude(entry, false, err)
}

// takeBack ends a change that was made for a time.
func (c *Conductor) takeBack(t *tuning, change uint64) {
	ctx, leave, err := c.enterDoor(context.Background(), t.door)
	if err != nil {
		return // the stop is over
	}
	defer leave()
	entry := Turned{Component: t.component, By: "lifecycle", From: fmt.Sprintf("the end of change %d", change), Undoes: change, ended: true, Before: map[string]any{}}
	knobs, revision, err := t.look()
	if err != nil {
		entry.After = map[string]any{}
		_, _ = c.conclude(entry, false, err) // told there
		return
	}
	now := valuesOf(knobs)
	t.holds.forget(now)
	entry.Revision = revision
	entry.After = t.holds.end(change)
	if len(entry.After) == 0 {
		return // somebody has turned it since
	}
	for name := range entry.After {
		entry.Before[name] = now[name]
	}
	c.restore(ctx, t, entry)
}

// restore is apply for what is taken back: what lies below stays held.
func (c *Conductor) restore(ctx context.Context, t *tuning, entry Turned) {
	err := t.call(ctx, entry)
	if _, revision, lookErr := t.look(); lookErr == nil {
		entry.Revision = revision
	}
	_, _ = c.conclude(entry, false, err) // told there
}

// tuning is the door to the knobs of one component.
type tuning struct {
	app       string // the conductor's id
	component string
	panel     Panel
	// door has a place for the one who turns, and looks at holds.
	door  door
	holds holds
	// acting has a place for the one who has an action done, by its name.
	acting map[string]door

	panics atomic.Uint64 // of functions of the panel

	mu       sync.Mutex
	revision uint64
	seen     map[string]any // the values of that revision
}

func newTuning(app, component string, p *Panel) *tuning {
	t := &tuning{app: app, component: component, door: make(door, 1), holds: holds{}, acting: map[string]door{}}
	if p != nil {
		t.panel = *p
		for _, action := range p.Actions {
			t.acting[action.Name] = make(door, 1)
		}
	}
	return t
}

// look asks the component for its knobs, and gives what it finds a revision.
func (t *tuning) look() ([]Knob, uint64, error) {
	for {
		t.mu.Lock()
		before := t.revision
		t.mu.Unlock()
		knobs, err := t.knobs()
		if err != nil {
			return nil, 0, err
		}
		if revision, ok := t.see(valuesOf(knobs), before); ok {
			return knobs, revision, nil
		}
	}
}

// see compares values with those seen last. It refuses those that may be older:
// A looks, B turns and is seen, and then A comes with what was before.
func (t *tuning) see(values map[string]any, before uint64) (revision uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.revision > 0 && maps.EqualFunc(values, t.seen, reflect.DeepEqual) {
		return t.revision, true
	}
	if t.revision != before {
		return 0, false
	}
	t.revision++
	t.seen = values
	return t.revision, true
}

// knobs are what the component says, each value in the type of its knob. One
// that is of another type is text: it can be seen, and turned.
func (t *tuning) knobs() (knobs []Knob, err error) {
	if t.panel.Knobs == nil {
		return nil, nil
	}
	knobs = answer(&t.panics, t.panel.Knobs, func(p *PanicError) []Knob { err = p; return nil })
	knobs = slices.Clone(knobs)
	for i, k := range knobs {
		for _, v := range []*any{&knobs[i].Value, &knobs[i].Min, &knobs[i].Max} {
			*v = k.readable(*v)
		}
		knobs[i].Cold = k.Cold || t.panel.Turn == nil
	}
	return knobs, err
}

// call lets the component turn what changes.
func (t *tuning) call(ctx context.Context, entry Turned) error {
	values := maps.Clone(entry.After)
	maps.DeleteFunc(values, func(name string, value any) bool { return reflect.DeepEqual(value, entry.Before[name]) })
	if len(values) == 0 {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		// What the component starts now is its own, and not the caller's.
		ctx := pprof.WithLabels(ctx, pprof.Labels(labelApp, t.app, labelComponent, t.component))
		pprof.SetGoroutineLabels(ctx)
		runHook(ctx, func(ctx context.Context) error { return t.panel.Turn(ctx, values) }, done)
	}()
	return <-done
}

func valuesOf(knobs []Knob) map[string]any {
	values := make(map[string]any, len(knobs))
	for _, k := range knobs {
		values[k.Name] = k.Value
	}
	return values
}

func sortedNames(values map[string]any) []string { return slices.Sorted(maps.Keys(values)) }
