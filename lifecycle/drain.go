package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrStops is matched by the error of [Conductor.Drain] and [Conductor.Undrain]
// once the stop has begun. Nothing was changed.
var ErrStops = errors.New("the stop has begun: it drains by itself, and is not taken back")

// Drained says who has drained an application that does not stop.
type Drained struct {
	By    string    `json:"by,omitempty"`
	From  string    `json:"from,omitempty"`
	Since time.Time `json:"since"`
}

// String is the sentence for a person: "drained by alice since 10:15:04".
func (d Drained) String() string {
	text := "drained"
	if d.By != "" {
		text += " by " + d.By
	}
	if d.From != "" {
		text += " from " + d.From
	}
	return text + " since " + d.Since.Format(time.TimeOnly)
}

// The actions of the application itself, in the audit.
const (
	actionDrain   = "drain"
	actionUndrain = "undrain"
)

// drains is the drain that can be taken back.
type drains struct {
	// turn is taken by whoever drains or undrains: gates are paused and resumed
	// as a whole.
	turn    sync.Mutex
	resumes []func() // of the gates that are paused, in the order of the stop

	// Guarded by Conductor.mu:
	by       *Drained // nil: it is not drained
	isClosed bool     // every gate is paused, and nothing can come in
}

// Drain has the application take no new work, and go on with what is inside: it
// is not ready any more, and the gates of all components are paused in the order
// of the stop, ingress first. It returns at once; [Progress].Stage says
// [StageDraining] until nothing is inside, and then [StageDrained]. Nothing is
// stopped: [Conductor.Undrain] takes it back, also where something never comes
// to its end. A stop that comes is the stop that it would have been, but for the
// time that Config.PreStopDelay has had by then.
//
// by and from say who asks, from where, and are written into the audit; where
// both are empty the line of code is. Drained during the start, the components
// that are still to be started start, and take no work. Of one that is drained
// already nothing is changed. The error matches [ErrNotUp] before the start,
// [ErrStops] when the stop has begun, and is a [*PanicError] of a component that
// was told of the pause of its gate: then the gates are open as before.
func (c *Conductor) Drain(by, from string) error {
	return c.turnDrain(actionDrain, by, from, func(entry Turned) (bool, error) {
		if isFirst, err := c.beginDrain(entry.By, entry.From); !isFirst {
			return false, err
		}
		// Whatever is wrong with it (a cycle), there is an order.
		o, _ := c.order()
		for _, g := range gatesOf(o.serial) {
			err := caught(func() { c.drains.resumes = append(c.drains.resumes, g.Pause()) })
			if err != nil {
				return false, errors.Join(fmt.Errorf("%s: %w", g.Name(), err), c.open())
			}
		}
		c.mu.Lock()
		c.drains.isClosed = true
		c.mu.Unlock()
		return true, nil
	})
}

// Undrain takes a [Conductor.Drain] back: the gates open again, ingress last,
// and the application is ready. A gate that somebody else has paused stays
// paused by him. Of an application that is not drained nothing is changed. The
// error matches [ErrStops] when the stop has begun, or is a [*PanicError] of a
// component that was told of it: then the gates are open all the same.
func (c *Conductor) Undrain(by, from string) error {
	return c.turnDrain(actionUndrain, by, from, func(Turned) (bool, error) {
		if isDrained, err := c.mayUndrain(); !isDrained {
			return false, err
		}
		if err := c.open(); err != nil {
			return true, fmt.Errorf("the gates are open again, but not every component took it: %w", err)
		}
		return true, nil
	})
}

// open resumes the gates that are paused, for whoever has the turn.
func (c *Conductor) open() error {
	c.mu.Lock()
	c.drains.isClosed = false
	c.mu.Unlock()
	var errs []error
	for _, resume := range slices.Backward(c.drains.resumes) {
		errs = append(errs, caught(resume))
	}
	c.drains.resumes = nil
	// Ready when it is, and not before.
	c.mu.Lock()
	c.drains.by = nil
	c.mu.Unlock()
	return errors.Join(errs...)
}

// Drained is who has drained the application; nil: nobody, or it was taken back.
func (c *Conductor) Drained() *Drained {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drainedLocked()
}

func (c *Conductor) drainedLocked() *Drained {
	if c.drains.by == nil {
		return nil
	}
	d := *c.drains.by
	return &d
}

// turnDrain does one of the two, and has it audited if it has changed something,
// or was refused.
func (c *Conductor) turnDrain(action, by, from string, do func(Turned) (changed bool, err error)) error {
	if by == "" && from == "" {
		from = callerOutside()
	}
	entry := Turned{Action: action, By: by, From: from, Before: map[string]any{}, After: map[string]any{}}
	c.drains.turn.Lock()
	defer c.drains.turn.Unlock()
	changed, err := do(entry)
	_, err = c.conclude(entry, !changed && err == nil, err)
	return err
}

func (c *Conductor) beginDrain(by, from string) (isFirst bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == Constructing:
		return false, ErrNotUp
	case c.state >= Stopping:
		return false, ErrStops
	case c.drains.by != nil:
		return false, nil
	}
	c.drains.by = &Drained{By: by, From: from, Since: time.Now()}
	return true, nil
}

func (c *Conductor) mayUndrain() (isDrained bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= Stopping {
		return false, ErrStops
	}
	return c.drains.by != nil, nil
}

// ofItself is the sentence about an entry of the audit that is about no
// component, but about the application itself.
func (t Turned) ofItself() string {
	switch {
	case t.Error != "":
		return t.verb() + " refused"
	case t.Action == actionDrain:
		return "drained: no new work is accepted, what is inside is finished"
	default:
		return "undrained: new work is accepted again"
	}
}
