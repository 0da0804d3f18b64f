package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
)

// Act tells a component to do something.
type Act struct {
	// Action is the name of one of the component's actions.
	Action string
	// Args by their names; what has come through JSON or YAML is converted, as
	// in a [Change]. Those that are not here are what the component says.
	Args map[string]any
	// By says who asks, From where. They are written into the audit.
	By, From string
	// DryRun does nothing: the entry says with which arguments it would be done,
	// and the answer, where the component can tell, what it would be.
	DryRun bool
}

// Act has a component do something, and returns when it is done. Like
// [Conductor.Turn] it may be called from the beginning of the start to the end
// of the stop: a batcher can be told to flush while it drains. An action is not
// done twice at a time: the second waits for the first, so that one that hangs
// does not heap up. Other actions of the component, and changes of its knobs, go
// on beside it.
//
// The answer is what the component says. The entry is in the audit, with every
// argument, of what was refused and what failed too, but for dry runs. The error
// matches [ErrNoComponent], [ErrNoAction], [ErrNotUp], is [*KnobErrors], which
// says everything that is wrong with the arguments, or is what the component
// said: after that, or a [*PanicError], only the component knows how far it came.
//
// ctx bounds it as it bounds a change.
func (c *Conductor) Act(ctx context.Context, component string, a Act) (answer any, entry Turned, err error) {
	if a.By == "" && a.From == "" {
		a.From = callerOutside()
	}
	came := c.actOf(ctx, component, a)
	return came.answer, came.Turned, came.err
}

func (c *Conductor) actOf(ctx context.Context, component string, a Act) outcome {
	entry := Turned{Component: component, Action: shorten(a.Action), By: a.By, From: a.From, Before: map[string]any{}, After: map[string]any{}}
	comp := c.find(component)
	if comp == nil {
		entry.Component = shorten(component)
		return c.unacted(entry, a, c.noComponent(component))
	}
	action, err := comp.tuning.action(a.Action)
	if err == nil {
		entry.After, err = action.told(a.Args)
	}
	if err != nil {
		return c.unacted(entry, a, err)
	}
	through := comp.tuning.acting[a.Action]
	if a.DryRun {
		through = make(door, 1) // it waits for nobody
	}
	return c.behind(ctx, through, entry, a.DryRun, func(inside context.Context) outcome {
		return c.act(inside, comp.tuning, action, entry, a.DryRun)
	})
}

func (c *Conductor) unacted(entry Turned, a Act, err error) outcome {
	entry, err = c.conclude(entry, a.DryRun, err)
	return outcome{Turned: entry, err: err}
}

// act is Act, for whoever has entered.
func (c *Conductor) act(ctx context.Context, t *tuning, action Action, entry Turned, dryRun bool) (came outcome) {
	do := action.Do
	if dryRun {
		do = action.Rehearse
	}
	if do != nil {
		came.answer, came.err = t.do(ctx, do, entry)
	}
	_, entry.Revision, _ = t.look() // of one that panics there is none
	came.Turned, came.err = c.conclude(entry, dryRun, came.err)
	return came
}

// do lets the component do it.
func (t *tuning) do(ctx context.Context, f func(context.Context, map[string]any) (any, error), entry Turned) (any, error) {
	args := entry.copied().After
	var answer any
	done := make(chan error, 1)
	go func() {
		// What the component starts now is its own, and not the caller's.
		ctx := pprof.WithLabels(ctx, pprof.Labels(labelApp, t.app, labelComponent, t.component))
		pprof.SetGoroutineLabels(ctx)
		runHook(ctx, func(ctx context.Context) (err error) {
			answer, err = f(ctx, args)
			return err
		}, done)
	}()
	if err := <-done; err != nil {
		return nil, err
	}
	return answer, nil
}

// action is the action of that name.
func (t *tuning) action(name string) (Action, error) {
	var known []string
	for _, action := range t.panel.Actions {
		switch {
		case action.Do == nil:
		case action.Name == name:
			return action, nil
		default:
			known = append(known, action.Name)
		}
	}
	return Action{}, fmt.Errorf("%w%s", ErrNoAction, didYouMean(name, known))
}

// told is every argument of an action: what was asked for, in the types of
// theirs, and what they are without.
func (a Action) told(asked map[string]any) (map[string]any, error) {
	args, wrong := checkEach(a.Args, asked, anArgument)
	for _, arg := range a.Args {
		if _, ok := asked[arg.Name]; ok {
			continue
		}
		value, err := arg.untold()
		if err != nil {
			wrong = append(wrong, KnobError{arg.Name, err})
			continue
		}
		args[arg.Name] = value
	}
	if len(wrong) > 0 {
		return map[string]any{}, &KnobErrors{wrong}
	}
	return args, nil
}

func (k Knob) untold() (any, error) {
	if k.Value == nil {
		return nil, errors.New("it must be given")
	}
	value, err := k.read(k.Value)
	if err != nil {
		return nil, fmt.Errorf("its own default is wrong, and must be mended in the component: %w", err)
	}
	return value, nil
}
