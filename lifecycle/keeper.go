package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
)

// Keeper keeps values of configuration for the next start: in a file, say.
type Keeper interface {
	// Keep writes down values by their whole configuration keys ([Knob].Key:
	// "pools.sms.workers"), beside those that it keeps already, and returns when
	// they would be found after a crash. Each is of the type of its knob (int64,
	// float64, bool, string, [time.Duration]). All are kept or none: after an
	// error the next start finds what it would have found before. One that can
	// say beforehand that a value would have no effect (another source outranks
	// it) returns an error.
	//
	// By says who wants it, and from where: "alice (10.0.0.7:51234)".
	//
	// It is called by several goroutines at once. The changes that it is part of
	// go on until it returns, so it must not ask the [Conductor] for changes; it
	// should return soon after ctx has ended.
	Keep(ctx context.Context, values map[string]any, by string) error
}

// ErrNotKept is matched by the error of a change that cannot be kept for the
// next start: nobody keeps any ([Conductor.PersistIn]), a knob has no key, or
// the keeper has failed. What had been changed was taken back.
var ErrNotKept = errors.New("it cannot be kept for the next start")

// PersistIn says who keeps changes for the next start, those with
// [Change].Persist. Until then, or with nil, they are refused. The last call
// holds.
func (c *Conductor) PersistIn(k Keeper) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keeper = k
}

// keeping is what a change needs that is to be kept.
type keeping struct {
	keeper Keeper
	keys   map[string]string // by the names of the knobs
}

// keeping says whether all that is wanted could be kept.
func (c *Conductor) keeping(knobs []Knob, wanted map[string]any) (*keeping, error) {
	c.mu.Lock()
	k := &keeping{c.keeper, map[string]string{}}
	c.mu.Unlock()
	if k.keeper == nil {
		return nil, fmt.Errorf("%w: start with a configuration file, or leave persist out", ErrNotKept)
	}
	for _, knob := range knobs {
		k.keys[knob.Name] = knob.Key
	}
	var wrong []KnobError
	for _, name := range sortedNames(wanted) {
		if k.keys[name] == "" {
			wrong = append(wrong, KnobError{name, fmt.Errorf("%w, as it has no configuration key; leave it out, or persist", ErrNotKept)})
		}
	}
	if len(wrong) > 0 {
		return nil, &KnobErrors{wrong}
	}
	return k, nil
}

// keep gives the keeper what the knobs are now. A panic of it is an error.
func (k *keeping) keep(ctx context.Context, entry Turned) error {
	values := make(map[string]any, len(entry.After))
	for name, value := range entry.After {
		values[k.keys[name]] = value
	}
	done := make(chan error, 1)
	go runHook(ctx, func(ctx context.Context) error { return k.keeper.Keep(ctx, values, entry.asker()) }, done)
	if err := <-done; err != nil {
		return fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return nil
}

// asker is who has asked for a change, and from where.
func (t Turned) asker() string {
	switch {
	case t.By == "":
		return t.From
	case t.From == "":
		return t.By
	}
	return t.By + " (" + t.From + ")"
}

// unmake takes back a change that was made and could not be kept. The time of
// the change may be over: it has its own.
func (c *Conductor) unmake(ctx context.Context, t *tuning, entry *Turned, why error) error {
	c.mu.Lock()
	grace := c.config.Grace
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	back := Turned{Before: entry.After, After: maps.Clone(entry.Before)}
	err := t.call(ctx, back)
	if _, revision, lookErr := t.look(); lookErr == nil {
		entry.Revision = revision
	}
	if err != nil {
		return fmt.Errorf("%w; it is in force until the next start, as it could not be taken back: %w", why, err)
	}
	return fmt.Errorf("%w; so it was taken back", why)
}
