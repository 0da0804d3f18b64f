package modules

import (
	"context"
	"errors"
	"time"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// anyReason is the choice of those who do not choose by reason.
const anyReason = "any"

// work is what is done with letters.
type work func(context.Context, deadletter.Box, deadletter.Options) (deadletter.Summary, error)

// action is an action of the box, which says beforehand what it would do.
func (b boxPanel) action(name, help string, do work) lifecycle.Action {
	reasons := []string{anyReason}
	for _, r := range journal.Reasons() {
		reasons = append(reasons, string(r))
	}
	text := func(name, help string) lifecycle.Knob {
		return lifecycle.Knob{Name: name, Help: help, Type: lifecycle.TextKnob, Value: ""}
	}
	return lifecycle.Action{
		Name: name, Help: help,
		Args: []lifecycle.Knob{
			text("id", "The id of the work; empty: any."),
			text("component", "Whose work it was, such as lane:sms; empty: anybody's."),
			text("key", "The key of the work; empty: any."),
			{Name: "reason", Help: "Why it was given up.", Type: lifecycle.ChoiceKnob, Value: anyReason, Choices: reasons},
			{Name: "older_than", Help: "How long ago it died, at least; 0: whenever.", Type: lifecycle.DurationKnob, Value: time.Duration(0), Min: time.Duration(0)},
			{Name: "limit", Help: "How many, the oldest first; 0: all that are chosen.", Type: lifecycle.IntKnob, Value: 0, Min: 0, Max: 1_000_000},
			{Name: "all", Help: "Every letter is meant. It must be said where nothing else chooses.", Type: lifecycle.BoolKnob, Value: false},
		},
		Do:       func(ctx context.Context, args map[string]any) (any, error) { return b.work(ctx, do, args, false) },
		Rehearse: func(ctx context.Context, args map[string]any) (any, error) { return b.work(ctx, do, args, true) },
	}
}

// work chooses letters and does it. What has been done when ctx ends is done;
// the error says how many that were.
func (b boxPanel) work(ctx context.Context, do work, args map[string]any, dryRun bool) (any, error) {
	chosen, err := filterOf(args)
	if err != nil {
		return nil, err
	}
	if b.stats().Letters == 0 {
		return deadletter.Summary{DryRun: dryRun}, nil // to ask must not make a box
	}
	s, err := do(ctx, b.box, deadletter.Options{Filter: chosen, DryRun: dryRun})
	if err != nil {
		return nil, &cutShort{s, err}
	}
	return s, nil
}

func filterOf(args map[string]any) (deadletter.Filter, error) {
	f := deadletter.Filter{Component: args["component"].(string), Key: args["key"].(string), Limit: int(args["limit"].(int64))}
	if id := args["id"].(string); id != "" {
		f.IDs = []string{id}
	}
	if r := args["reason"].(string); r != anyReason {
		f.Reason = journal.Reason(r)
	}
	if d := args["older_than"].(time.Duration); d > 0 {
		f.Until = time.Now().Add(-d)
	}
	if f.IsZero() && !args["all"].(bool) {
		return f, errors.New("nothing chooses among the letters; give one of the others, or all=true")
	}
	return f, nil
}
