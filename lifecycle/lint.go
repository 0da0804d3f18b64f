package lifecycle

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// lint warns, at start, of what cannot work at stop.
func (c *Conductor) lint(o *order, stopTimeout time.Duration) {
	var warnings []string
	var fixed time.Duration
	for _, comp := range o.components {
		fixed += comp.Budget.Stop
	}
	c.mu.Lock()
	cfg := c.config
	tapped := c.constructors.tapped
	c.mu.Unlock()

	reserve := cfg.Reserve
	if reserve == 0 {
		reserve = min(stopTimeout/reservePart, maxReserve)
	}
	if room := stopTimeout - reserve - cfg.PreStopDelay; fixed > room && !cfg.Parallel {
		warnings = append(warnings, fmt.Sprintf(
			"the stop budgets add up to %s, but only %s of the stop timeout of %s remain after the reserve and the pre-stop delay; raise fx.StopTimeout or lower the budgets",
			fixed, max(room, 0), stopTimeout))
	}
	if cfg.Reserve > stopTimeout/2 {
		warnings = append(warnings, fmt.Sprintf("the reserve of %s is more than half of the stop timeout of %s; half of it is kept", cfg.Reserve, stopTimeout))
	}
	if cfg.Parallel && !tapped {
		warnings = append(warnings, "parallel stop needs the event tap (app.New, or fx.WithLogger with Conductor.Tap); components stop one by one")
	}
	warnings = append(warnings, o.unknown...)

	for _, w := range warnings {
		c.log().Warn(w, zap.String("lint", "lifecycle"))
	}
	c.mu.Lock()
	c.notes = append(c.notes, warnings...)
	c.mu.Unlock()
}
