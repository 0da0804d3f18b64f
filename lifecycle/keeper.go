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
	// float64, bool, string, [time.Duration]), or nil: it is no longer kept. All
	// are kept or none: after an error the next start finds what it would have
	// found before. One that can say beforehand that a value would have no effect
	// (another source outranks it) returns an error.
	//
	// Was is what it has kept until now for these keys, of any type that it takes
	// back itself; a key is missing of which it has kept nothing. It is given to
	// it again when the change is taken back ([Conductor.Rollback]).
	//
	// By says who wants it, and from where: "alice (10.0.0.7:51234)".
	//
	// It is called by several goroutines at once. The changes that it is part of
	// go on until it returns, so it must not ask the [Conductor] for changes; it
	// should return soon after ctx has ended.
	Keep(ctx context.Context, values map[string]any, by string) (was map[string]any, err error)
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
	// again is what was kept before, by the names of the knobs, and is to be so
	// again; nil: what the knobs are now is to be kept.
	again map[string]any
}

// keeping says whether all that is wanted could be kept.
func (c *Conductor) keeping(knobs []Knob, wanted map[string]any) (*keeping, error) {
	c.mu.Lock()
	k := &keeping{keeper: c.keeper, keys: map[string]string{}}
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

// keep gives the keeper what is to be kept, and says what was kept before, by
// the names of the knobs. A panic of it is an error.
func (k *keeping) keep(ctx context.Context, entry Turned) (was map[string]any, err error) {
	values := make(map[string]any, len(entry.After))
	for name, value := range entry.After {
		if k.again != nil {
			value = k.again[name]
		}
		values[k.keys[name]] = value
	}
	done := make(chan error, 1)
	var before map[string]any
	go runHook(ctx, func(ctx context.Context) (err error) {
		before, err = k.keeper.Keep(ctx, values, entry.asker())
		return err
	}, done)
	if err := <-done; err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	was = make(map[string]any, len(entry.After))
	for name := range entry.After {
		was[name] = before[k.keys[name]]
	}
	return was, nil
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
