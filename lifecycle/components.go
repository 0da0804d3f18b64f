package lifecycle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// ComponentState is where one component is on its one-way road:
//
//	              its turn             OnStart succeeds          its turn           PreDestroy is over
//	constructed ───────────▶ starting ──────────────────▶ started ────────▶ stopping ──────────────▶ stopped
//	     │                      └─────▶ failed                                  ▲
//	     └──────────────────────────────────────────────────────────────────────┘
//	                         never started: only its PreDestroy runs
//
// One that has failed stays so; its PreDestroy runs all the same.
type ComponentState string

// The states of a component.
const (
	ComponentConstructed ComponentState = "constructed"
	ComponentStarting    ComponentState = "starting"
	ComponentStarted     ComponentState = "started"
	ComponentStopping    ComponentState = "stopping"
	// ComponentStopped says that the stop has done with it, not that its hooks
	// were well: their reports say that.
	ComponentStopped ComponentState = "stopped"
	// ComponentFailed: its OnStart failed, hung or panicked.
	ComponentFailed ComponentState = "failed"
)

// Component is one component at one moment. All of it is a copy, but for what
// Gate and Panel lead to, which lives on.
type Component struct {
	Name   string         `json:"name"`
	Module string         `json:"module,omitempty"`
	Band   Band           `json:"band"`
	State  ComponentState `json:"state"`
	// Since is when it came into that state.
	Since time.Time `json:"since"`
	// Moved says why it stops in another band than its own; empty: it does not.
	Moved string `json:"moved,omitempty"`
	// After is that of its [Hook].
	After []string `json:"after,omitempty"`
	// StandsOn are the components that must be there as long as it is: those of
	// After, and those that the dependency graph tells. What one of them stands on
	// in turn is left out.
	StandsOn []string `json:"stands_on,omitempty"`
	// Gate is that of its Hook; nil: it accepts no work. See [Component.Ledger].
	Gate *intake.Gate `json:"-"`
	// Panel is that of its Hook, made safe to call; nil: it has none. When a
	// function of it panics, Stats and Inspect return the [*PanicError], Health
	// is [Unknown] and says why, Metrics and Knobs return nothing. Its Turn is
	// [Conductor.Turn], the Do of its actions [Conductor.Act].
	Panel *Panel `json:"-"`
	// Panics is how often a function of the panel has panicked so far, Turn and
	// actions aside.
	Panics uint64 `json:"panics,omitempty"`
	// Start, Stop and PreDestroy are what became of the hooks; nil: there is
	// none, or it has not returned yet.
	Start      *HookReport `json:"start,omitempty"`
	Stop       *HookReport `json:"stop,omitempty"`
	PreDestroy *HookReport `json:"pre_destroy,omitempty"`
}

// Ledger asks the component's gate; without one it is empty. A panic of the
// component's own function (intake.Counted) is the error.
func (c Component) Ledger() (intake.Ledger, error) {
	if c.Gate == nil {
		return intake.Ledger{}, nil
	}
	return ledgerOf(c.Gate)
}

// Components are all components, in the order in which they stop. It may be
// called at any time; before fx.New has returned the order is not final.
func (c *Conductor) Components() []Component {
	// Whatever is wrong with it (a cycle), there is an order.
	o, _ := c.order()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Component, len(o.serial))
	for i, comp := range o.serial {
		all[i] = comp.pictureLocked(o)
	}
	return all
}

// Component is the component of that name; false: there is none.
func (c *Conductor) Component(name string) (Component, bool) {
	o, _ := c.order()
	comp := c.find(name)
	if comp == nil {
		return Component{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return comp.pictureLocked(o), true
}

func (c *Conductor) find(name string) *component {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.components, func(comp *component) bool { return comp.name == name })
	if i < 0 {
		return nil
	}
	return c.components[i]
}

func (comp *component) pictureLocked(o *order) Component {
	picture := Component{
		Name:       comp.name,
		Module:     comp.module,
		Band:       comp.Band,
		State:      comp.state,
		Since:      comp.since,
		After:      slices.Clone(comp.After),
		Gate:       comp.Gate,
		Panel:      comp.Panel,
		Panics:     comp.tuning.panics.Load(),
		Start:      comp.reports[PhaseStart].copied(),
		Stop:       comp.reports[PhaseStop].copied(),
		PreDestroy: comp.reports[PhasePreDestroy].copied(),
	}
	if comp.index < len(o.because) {
		picture.Moved = o.because[comp.index]
		picture.StandsOn = slices.Clone(o.below[comp.index])
	}
	return picture
}

func (h *HookReport) copied() *HookReport {
	if h == nil {
		return nil
	}
	report := *h
	return &report
}

// ComponentChange is the Data of an event of [EventComponent].
type ComponentChange struct {
	State ComponentState
	// Took is how long it was starting or stopping; zero while it does.
	Took time.Duration
	// Outcome and Error are of the hooks that have just run: of several, the
	// first that went wrong, and all that they said. Empty while they run, and
	// where there is none.
	Outcome Outcome
	Error   string
}

// move brings a component into its next state and tells of it. One that has
// failed stays so.
func (c *Conductor) move(comp *component, to ComponentState, phases ...Phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if comp.state == ComponentFailed {
		return
	}
	change := ComponentChange{State: to}
	now := time.Now()
	if to != ComponentStarting && to != ComponentStopping {
		change.Took = now.Sub(comp.since)
		change.addLocked(comp, phases)
	}
	comp.state, comp.since = to, now
	c.events.add(Event{At: now, Kind: EventComponent, Component: comp.name, Text: change.String(), Data: change})
}

func (c *ComponentChange) addLocked(comp *component, phases []Phase) {
	var wrong []string
	for _, phase := range phases {
		report := comp.reports[phase]
		if report == nil {
			continue
		}
		if c.Outcome == "" || c.Outcome == OK {
			c.Outcome = report.Outcome
		}
		if report.Error != "" {
			wrong = append(wrong, report.Error)
		}
	}
	c.Error = strings.Join(wrong, "; ")
}

// String is the sentence for a person: "started in 12ms".
func (c ComponentChange) String() string {
	switch {
	case c.State == ComponentStarting, c.State == ComponentStopping:
		return string(c.State)
	case c.Error != "":
		return fmt.Sprintf("%s after %s: %s", c.State, round(c.Took), c.Error)
	default:
		return fmt.Sprintf("%s in %s", c.State, round(c.Took))
	}
}

// MarshalJSON writes Took as text.
func (c ComponentChange) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		State   ComponentState `json:"state"`
		Took    durationText   `json:"took,omitempty"`
		Outcome Outcome        `json:"outcome,omitempty"`
		Error   string         `json:"error,omitempty"`
	}{c.State, durationText(c.Took), c.Outcome, c.Error})
}
