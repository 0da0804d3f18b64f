package lifecycle

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// lint warns, at start, of what cannot work at stop, or in this start.
func (c *Conductor) lint(start context.Context, o *order, stopTimeout time.Duration) {
	c.mu.Lock()
	cfg, tapped := c.config, c.constructors.tapped
	c.mu.Unlock()

	warnings := cfg.lintBudgets(o.components, stopTimeout)
	if deadline, ok := start.Deadline(); ok {
		warnings = append(warnings, lintStart(o.components, deadline.Sub(c.startBegan))...)
	}
	if cfg.Reserve > stopTimeout/2 {
		warnings = append(warnings, fmt.Sprintf("the reserve of %s is more than half of the stop timeout of %s; half of it is kept", cfg.Reserve, stopTimeout))
	}
	if cfg.Parallel && !tapped {
		warnings = append(warnings, "parallel stop needs the event tap (app.New, or fx.WithLogger with Conductor.Tap); components stop one by one")
	}
	warnings = append(warnings, o.unknown...)

	for _, w := range warnings {
		c.say(func(log *zap.Logger) { log.Warn(w, zap.String("lint", "lifecycle")) })
	}
	c.mu.Lock()
	c.notes = append(c.notes, warnings...)
	c.mu.Unlock()
}

// lintBudgets looks whether the budgets fit into the time of the stop. With
// Parallel they need not fit one after another.
func (c Config) lintBudgets(components []*component, stopTimeout time.Duration) (warnings []string) {
	var stops, destroys time.Duration
	for _, comp := range components {
		stops += comp.Budget.Stop
		destroys += comp.Budget.PreDestroy
		if comp.Budget.Share > 1 {
			warnings = append(warnings, fmt.Sprintf("the share of %s is %v, which counts as 1: all that remains", comp.name, comp.Budget.Share))
		}
	}
	reserve, receipt := c.reserveOf(stopTimeout)
	if room := max(stopTimeout-reserve-c.PreStopDelay, 0); stops > room && !c.Parallel {
		warnings = append(warnings, fmt.Sprintf(
			"the stop budgets add up to %s, but only %s of the stop timeout of %s remain after the reserve and the pre-stop delay; raise the stop timeout or lower the budgets",
			stops, room, stopTimeout))
	}
	if room := reserve - receipt; destroys > room && !c.Parallel {
		warnings = append(warnings, fmt.Sprintf(
			"the pre-destroy budgets add up to %s, but the reserve has only %s for them; raise the reserve or lower the budgets",
			destroys, room))
	}
	return warnings
}

func lintStart(components []*component, startTimeout time.Duration) (warnings []string) {
	for _, comp := range components {
		if comp.Budget.Start > startTimeout {
			warnings = append(warnings, fmt.Sprintf("the start budget of %s is %s, but all have %s together; raise the start timeout or lower the budget",
				comp.name, comp.Budget.Start, round(startTimeout)))
		}
	}
	return warnings
}
