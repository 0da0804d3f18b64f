package lifecycle

import "github.com/lastcall-go/lastcall/intake"

// GateHealth is the health of a component whose gate is not open, for the
// Health of its [Panel]; false: it is open.
func GateHealth(g *intake.Gate) (Health, bool) {
	switch g.State() {
	case intake.Open:
		return Health{}, false
	case intake.Paused:
		return Health{Status: OutOfService, Reason: "it is paused: no new work is accepted until it is resumed"}, true
	default:
		return Health{Status: OutOfService, Reason: "it stops, or has stopped: no new work is accepted"}, true
	}
}
