package modules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// knobAt is a knob by its configuration key.
type knobAt struct {
	component string
	lifecycle.Knob
}

// knobs are those of all components, by their keys.
func (r *reloader) knobs() map[string]knobAt {
	all := map[string]knobAt{}
	for _, c := range r.conductor.Components() {
		knobs, _, err := r.conductor.Knobs(c.Name)
		if err != nil {
			continue // its panel panics: its keys need a restart
		}
		for _, k := range knobs {
			if k.Key != "" {
				all[k.Key] = knobAt{c.Name, k}
			}
		}
	}
	return all
}

// setInCode are the keys that were not built as the sources say: fx.Replace or
// fx.Decorate has put something else in the place, which is stronger.
func (r *reloader) setInCode() map[string]bool {
	keys := map[string]bool{}
	for key, k := range r.knobs() {
		if v, ok := r.boot.Value(key); ok && !k.is(v) {
			keys[key] = true
		}
	}
	return keys
}

// is compares what a knob is with a value of the configuration, which is in the
// types of YAML.
func (k knobAt) is(v config.Value) bool { return isSame(k.Value, v) }

func isSame(knob any, v config.Value) bool { return fmt.Sprint(knob) == fmt.Sprint(v.Value) }

// turn is what changes of one component.
type turn struct {
	component string
	values    map[string]any
	keys      map[string]config.Difference // by the names of knobs
}

// plan is what a reload does.
type plan struct {
	turns   []turn
	changes []keyChange
}

// planOf compares with what was last good, and not with what the knobs are: one
// that was turned by hand stays, unless its own key has changed.
func (r *reloader) planOf(knobs map[string]knobAt, next *config.Values) plan {
	r.mu.Lock()
	current := r.current
	r.mu.Unlock()
	turns := map[string]turn{}
	var p plan
	for _, d := range current.Diff(next) {
		k, effect := knobs[d.Key], r.effect(knobs, d)
		p.changes = append(p.changes, r.changeOf(d, k, effect))
		if effect != inForce || r.isKept(d) {
			continue
		}
		t, ok := turns[k.component]
		if !ok {
			t = turn{k.component, map[string]any{}, map[string]config.Difference{}}
			turns[k.component] = t
		}
		t.values[k.Name], t.keys[k.Name] = d.After.Value, d
	}
	for _, component := range slices.Sorted(maps.Keys(turns)) {
		p.turns = append(p.turns, turns[component])
	}
	return p
}

// isKept: the change is in force already. It was turned first, and then written.
func (r *reloader) isKept(d config.Difference) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.kept[d.Key], func(w written) bool { return isSame(w.counts, d.After) })
}

func (r *reloader) effect(knobs map[string]knobAt, d config.Difference) effect {
	r.mu.Lock()
	inCode := r.inCode[d.Key]
	r.mu.Unlock()
	k, ok := knobs[d.Key]
	switch {
	case inCode:
		return setInCode
	case !ok || k.Cold || d.After.Origin.Source == "":
		return needsRestart
	}
	return inForce
}

// pendingIn is what of next needs a restart: whatever differs from what the
// application was built from, and has no knob.
func (r *reloader) pendingIn(knobs map[string]knobAt, next *config.Values) []keyChange {
	var pending []keyChange
	for _, d := range r.boot.Diff(next) {
		if r.effect(knobs, d) == needsRestart {
			pending = append(pending, r.changeOf(d, knobs[d.Key], needsRestart))
		}
	}
	return pending
}

// turnAll makes all turns or none, as far as it can: each is tried dry before
// the first is made, and when one is refused all the same, those before it are
// taken back.
func (r *reloader) turnAll(ctx context.Context, turns []turn) []config.Problem {
	var problems []config.Problem
	for _, t := range turns {
		if _, err := r.conductor.Turn(ctx, t.component, t.change(true)); err != nil {
			problems = append(problems, t.problems(err)...)
		}
	}
	if len(problems) > 0 {
		return problems
	}
	var made []lifecycle.Turned
	for _, t := range turns {
		turned, err := r.conductor.Turn(ctx, t.component, t.change(false))
		if err != nil {
			return append(t.problems(err), r.takeBack(ctx, made)...)
		}
		made = append(made, turned)
	}
	return nil
}

func (t turn) change(dry bool) lifecycle.Change {
	return lifecycle.Change{Values: t.values, By: configComponent, From: t.from(), DryRun: dry}
}

// from is every place that has something to do with it: "config.yaml:12".
func (t turn) from() string {
	var places []string
	for _, name := range slices.Sorted(maps.Keys(t.keys)) {
		if place := placeOf(t.keys[name]); !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return strings.Join(places, ", ")
}

// placeOf is where the change of a key stands, or stood.
func placeOf(d config.Difference) string {
	after := d.After.Origin.String()
	switch {
	case d.After.Origin.File != "" || d.Before.Origin.File == "":
		return after
	case after == "":
		return "taken out of " + d.Before.Origin.String()
	}
	return after + ", as it was taken out of " + d.Before.Origin.String()
}

// problems says what is wrong with each key.
func (t turn) problems(err error) []config.Problem {
	var all []config.Problem
	var knobs *lifecycle.KnobErrors
	if errors.As(err, &knobs) {
		for _, wrong := range knobs.Wrong {
			d := t.keys[wrong.Knob]
			all = append(all, config.Problem{Key: d.Key, Origin: d.After.Origin, Msg: wrong.Err.Error()})
		}
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(t.keys)) {
		d := t.keys[name]
		all = append(all, config.Problem{Key: d.Key, Origin: d.After.Origin, Msg: err.Error()})
	}
	return all
}

func (r *reloader) takeBack(ctx context.Context, made []lifecycle.Turned) []config.Problem {
	var problems []config.Problem
	for _, turned := range slices.Backward(made) {
		back := lifecycle.Change{Values: turned.Before, By: configComponent, From: "the files were rejected after all"}
		if _, err := r.conductor.Turn(ctx, turned.Component, back); err != nil {
			problems = append(problems, config.Problem{Msg: fmt.Sprintf("%s was changed and could not be taken back: %v", turned.Component, err)})
		}
	}
	return problems
}
