package actuator

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// inspectTime is how long a closer look may take.
const inspectTime = 5 * time.Second

// component is one at one moment.
type component struct {
	Name   string                   `json:"name"`
	Kind   string                   `json:"kind"`
	Module string                   `json:"module,omitempty"`
	Band   lifecycle.Band           `json:"band"`
	State  lifecycle.ComponentState `json:"state"`
	Since  time.Time                `json:"since"`
	Moved  string                   `json:"moved,omitempty"`
	After  []string                 `json:"after,omitempty"`
	// StandsOn are the components that it needs, those that they need left out.
	StandsOn []string `json:"stands_on,omitempty"`

	Health  health          `json:"health"`
	Ledger  *ledger         `json:"ledger,omitempty"`
	Stats   json.RawMessage `json:"stats,omitempty"`
	Inspect json.RawMessage `json:"inspect,omitempty"`
	// Knobs are those of [lifecycle.Knob], Revision is theirs.
	Knobs    json.RawMessage `json:"knobs,omitempty"`
	Revision uint64          `json:"revision,omitempty"`
	// Actions are what it can be told to do.
	Actions json.RawMessage `json:"actions,omitempty"`
	// Hooks are what became of them, by name: start, stop, pre_destroy.
	Hooks json.RawMessage `json:"hooks,omitempty"`
	// Problems say, by the name of the field, why it is not there.
	Problems map[string]string `json:"problems,omitempty"`
}

// ledger is that of the component's gate.
type ledger struct {
	Gate  string `json:"gate"`
	State string `json:"state"`
	intake.Ledger
	Balanced bool `json:"balanced"`
}

// picture asks a component for everything that is cheap to tell.
func (a *Actuator) picture(c lifecycle.Component, h health) component {
	shown := component{
		Name: c.Name, Kind: kindOf(c), Module: c.Module, Band: c.Band,
		State: c.State, Since: c.Since, Moved: c.Moved, After: c.After, StandsOn: c.StandsOn, Health: h,
	}
	shown.addLedger(a, c)
	if hooks := hooksOf(c); len(hooks) > 0 {
		shown.put(&shown.Hooks, "hooks", a, hooks)
	}
	if list := actionsOf(c); len(list) > 0 {
		shown.put(&shown.Actions, "actions", a, list)
	}
	if c.Panel == nil || !a.live() {
		return shown
	}
	if c.Panel.Stats != nil {
		shown.put(&shown.Stats, "stats", a, c.Panel.Stats())
	}
	if c.Panel.Knobs == nil {
		return shown
	}
	knobs, revision, err := a.conductor.Knobs(c.Name)
	if err != nil {
		shown.missing("knobs", a, err)
		return shown
	}
	shown.put(&shown.Knobs, "knobs", a, knobs)
	shown.Revision = revision
	return shown
}

// live reports whether panels may be called.
func (a *Actuator) live() bool {
	state := a.conductor.State()
	return state > lifecycle.Constructing && state < lifecycle.Stopped
}

func (c *component) addLedger(a *Actuator, of lifecycle.Component) {
	if of.Gate == nil {
		return
	}
	l, err := of.Ledger()
	if err != nil {
		c.missing("ledger", a, err)
		return
	}
	c.Ledger = &ledger{a.mask().text(of.Gate.Name()), of.Gate.State().String(), l, l.Balanced()}
}

func hooksOf(c lifecycle.Component) map[string]*lifecycle.HookReport {
	hooks := map[string]*lifecycle.HookReport{}
	for name, report := range map[string]*lifecycle.HookReport{"start": c.Start, "stop": c.Stop, "pre_destroy": c.PreDestroy} {
		if report != nil {
			hooks[name] = report
		}
	}
	return hooks
}

// inspect looks closer, if there is something to see.
func (c *component) addInspection(ctx context.Context, a *Actuator, of lifecycle.Component) {
	if of.Panel == nil || of.Panel.Inspect == nil || !a.live() {
		return
	}
	answer, err := a.inspections.ask(a, of.Name, inspectTime, a.cfg.Health.Cache, of.Panel.Inspect).wait(ctx)
	if err != nil {
		c.missing("inspect", a, err)
		return
	}
	c.put(&c.Inspect, "inspect", a, answer)
}

// put fills a field with what a panel has answered.
func (c *component) put(field *json.RawMessage, name string, a *Actuator, answer any) {
	if err, failed := answer.(error); failed { // a panel that has panicked
		c.missing(name, a, err)
		return
	}
	raw, err := a.mask().json(answer)
	if err != nil {
		c.missing(name, a, err)
		return
	}
	*field = raw
}

func (c *component) missing(name string, a *Actuator, err error) {
	if c.Problems == nil {
		c.Problems = map[string]string{}
	}
	c.Problems[name] = a.mask().text(err.Error())
}

// revisionTag is the ETag of knobs.
func revisionTag(revision uint64) string { return strconv.Quote(strconv.FormatUint(revision, 10)) }
