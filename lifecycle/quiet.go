package lifecycle

import (
	"context"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	quietFirstLook = time.Millisecond
	quietLastLook  = 20 * time.Millisecond
)

// awaitQuiet waits until nothing is inside any gate, or ctx has ended, and
// reports whether it is quiet.
func awaitQuiet(ctx context.Context, gates []*intake.Gate) bool {
	for pause := quietFirstLook; ; pause = min(2*pause, quietLastLook) {
		if quiet(gates) {
			return true
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return quiet(gates)
		}
	}
}

// quiet reports whether there was a moment during the call at which nothing
// was inside any gate.
//
// One look at each gate proves nothing: A is seen empty, B hands its item to
// A, B is seen empty. So it is Mattern's method of four counters (F. Mattern,
// Algorithms for distributed termination detection, 1987): first all that was
// finished is added up, then, in a second pass, all that was accepted. Both
// only grow. If the second sum is no more than the first, all that was
// accepted by the end of the first pass had been finished by then.
func quiet(gates []*intake.Gate) bool {
	var finished, accepted uint64
	for _, g := range gates {
		finished += g.Ledger().Finished()
	}
	for _, g := range gates {
		accepted += g.Ledger().Accepted
	}
	return accepted == finished
}
