package lifecycle

import (
	"fmt"
	"strings"
)

// Plan is the order in which components will stop; they start the other way
// round.
type Plan struct{ Steps []PlanStep }

// PlanStep is one component of a [Plan].
type PlanStep struct {
	Component string
	Module    string
	Band      Band
	// Moved says why it stops in another band than its own; empty: it does
	// not.
	Moved string
	// Beside are the components of earlier steps that may still be stopping
	// when this one is stopped, if [Config.Parallel] is on and can be.
	Beside []string
}

// Plan is the plan for the components that are registered now. It fails with
// a [CycleError].
func (c *Conductor) Plan() (Plan, error) {
	o, err := c.order()
	if err != nil {
		return Plan{}, err
	}
	c.mu.Lock()
	parallel := c.config.Parallel && c.constructors.tapped
	c.mu.Unlock()
	var p Plan
	over := make([]set, len(o.serial)) // who has stopped when one is stopped
	for i, comp := range o.serial {
		step := PlanStep{Component: comp.name, Module: comp.module, Band: comp.Band, Moved: o.because[comp.index]}
		if parallel {
			over[i] = o.over(i, over)
			for j, earlier := range o.serial[:i] {
				if !over[i].has(j) {
					step.Beside = append(step.Beside, earlier.name)
				}
			}
		}
		p.Steps = append(p.Steps, step)
	}
	return p, nil
}

// over is the set of steps before the i-th that it waits for, directly or
// because those wait for them.
func (o *order) over(i int, before []set) set {
	over := newSet(len(o.serial))
	for j, earlier := range o.serial[:i] {
		if o.mustPrecede(earlier, o.serial[i]) {
			over.add(j)
			over.addAll(before[j])
		}
	}
	return over
}

// String draws the plan, one component a line.
func (p Plan) String() string {
	var b strings.Builder
	w := table(&b)
	for i, s := range p.Steps {
		fmt.Fprintf(w, "%3d\t%s\t%s\t%s", i+1, s.Band, s.Component, s.Module)
		if s.Moved != "" {
			fmt.Fprintf(w, "\t(%s)", s.Moved)
		}
		if len(s.Beside) > 0 {
			fmt.Fprintf(w, "\tbeside %s", strings.Join(s.Beside, ", "))
		}
		fmt.Fprintln(w)
	}
	flush(w)
	return b.String()
}
