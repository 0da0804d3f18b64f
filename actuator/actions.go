package actuator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// What an action may take that was asked for by an endpoint.
const (
	actTime     = 10 * time.Second
	mostActTime = 5 * time.Minute
)

func (a *Actuator) actionEndpoints() []endpoint {
	const path = "/components/{name}/actions"
	const ofKind = "/{kind}/{name}/actions"
	list := Endpoint{
		ID: "actions", Method: http.MethodGet, Answer: actions{},
		Summary: "What a component can be told to do, and the arguments; one without a value must be given.",
	}
	do := Endpoint{
		ID: "actions", Method: http.MethodPost, Write: true, Body: map[string]any{}, Answer: acted{},
		Query: map[string]string{
			"dryRun":  "`true`: nothing is done, the answer says with which arguments it would be, and what would come of it, where the component can tell",
			"timeout": "1s to 5m: how long it may take (10s)",
		},
		Summary: "Has a component do something, and answers when it is done. The body, which may be left out, is an object of arguments.",
	}
	return []endpoint{
		{list.at(path), a.showActions}, {do.at(path + "/{action}"), a.act},
		{list.at(ofKind), a.showActions}, {do.at(ofKind + "/{action}"), a.act},
	}
}

// actions is what a component can be told to do.
type actions struct {
	Component string   `json:"component"`
	Actions   []action `json:"actions"`
}

type action struct {
	Name string           `json:"name"`
	Help string           `json:"help,omitempty"`
	Args []lifecycle.Knob `json:"args,omitempty"`
}

func actionsOf(c lifecycle.Component) []action {
	list := []action{}
	if c.Panel != nil {
		for _, told := range c.Panel.Actions {
			list = append(list, action{told.Name, told.Help, told.Args})
		}
	}
	return list
}

func (a *Actuator) showActions(w http.ResponseWriter, r *http.Request) error {
	c, err := a.named(r)
	if err != nil {
		return err
	}
	return a.replyMasked(w, r, http.StatusOK, actions{c.Name, actionsOf(c)})
}

// acted is what came of an action.
type acted struct {
	// Answer is what the component says.
	Answer any `json:"answer,omitempty"`
	// Entry is that of the audit.
	Entry lifecycle.Turned `json:"entry"`
}

func (a *Actuator) act(w http.ResponseWriter, r *http.Request) error {
	c, err := a.named(r)
	if err != nil {
		return err
	}
	if err := onlyKeys(r, "dryRun", "timeout"); err != nil {
		return err
	}
	told := lifecycle.Act{Action: r.PathValue("action")}
	if told.DryRun, err = flagOf(r, "dryRun"); err != nil {
		return err
	}
	patience, err := spanOf(r, "timeout", actTime, time.Second, mostActTime)
	if err != nil {
		return err
	}
	if told.Args, err = arguments(r); err != nil {
		return err
	}
	told.By, told.From = a.asker(r)
	ctx, cancel := a.patient(r, patience)
	defer cancel()
	answer, entry, err := a.conductor.Act(ctx, c.Name, told)
	if err != nil {
		return actProblem(err)
	}
	if answer != nil {
		if answer, err = a.mask().json(answer); err != nil {
			return unsaid(entry, err)
		}
	}
	return a.replyMasked(w, r, http.StatusOK, acted{answer, entry})
}

// unsaid is the answer where that of the component cannot be told. What was done
// must not be taken for undone.
func unsaid(entry lifecycle.Turned, err error) error {
	done := fmt.Sprintf("it was done, and is entry %d of the audit", entry.Seq)
	if entry.Seq == 0 {
		done = "nothing was done"
	}
	return problemf(http.StatusInternalServerError, "%s, but what the component says of it cannot be encoded: %v", done, err)
}

// arguments reads the body, of which there need not be one.
func arguments(r *http.Request) (map[string]any, error) {
	raws := map[string]json.RawMessage{}
	if r.Header.Get("Content-Type") == "" {
		if _, err := io.ReadFull(r.Body, make([]byte, 1)); errors.Is(err, io.EOF) {
			return map[string]any{}, nil
		}
	}
	if err := wantJSON(r); err != nil {
		return nil, err
	}
	if err := decode(r, &raws); err != nil {
		return nil, err
	}
	return plainly(raws), nil
}

// actProblem says what an error of an action is in HTTP.
func actProblem(err error) error {
	var wrong *lifecycle.KnobErrors
	var panicked *lifecycle.PanicError
	switch {
	case errors.As(err, &wrong):
		p := problemf(http.StatusUnprocessableEntity, "nothing was done: %v", err)
		p.More = map[string]any{"arguments": inWords(wrong)}
		return p
	case errors.Is(err, lifecycle.ErrNoAction):
		return problemf(http.StatusNotFound, "%v; GET lists what there is", err)
	case errors.As(err, &panicked):
		return problemf(http.StatusInternalServerError, "the component panicked, so a part of it may have been done; look at the component")
	case errors.Is(err, lifecycle.ErrNoComponent), errors.Is(err, lifecycle.ErrNotUp),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return turnProblem(err)
	default: // what the component itself has said
		return problemf(http.StatusUnprocessableEntity, "it was not done, or not all of it: %v", err)
	}
}
