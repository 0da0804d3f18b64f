package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	quietFirstLook = time.Millisecond
	quietLastLook  = 20 * time.Millisecond
)

// tellInside is how often a drain that goes on says what it waits for.
const tellInside = time.Second

// awaitQuiet waits until nothing is inside any gate, or ctx has ended, and
// reports whether it is quiet. Meanwhile it calls tell now and then.
func awaitQuiet(ctx context.Context, gates []*intake.Gate, tell func()) bool {
	told := time.Now()
	for pause := quietFirstLook; ; pause = min(2*pause, quietLastLook) {
		if quiet(gates) {
			return true
		}
		if time.Since(told) >= tellInside {
			tell()
			told = time.Now()
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

// inside says where how much is inside: "lane:sms 240, lane:email 194".
func inside(gates []*intake.Gate) string {
	var parts []string
	for _, g := range gates {
		if l, _ := ledgerOf(g); l.Inside > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", g.Name(), l.Inside))
		}
	}
	return strings.Join(parts, ", ")
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
		l, _ := ledgerOf(g)
		finished += l.Finished()
	}
	for _, g := range gates {
		l, _ := ledgerOf(g)
		accepted += l.Accepted
	}
	return accepted == finished
}

// ledgerOf asks a gate for its ledger. The answer may come from a function of
// the component (intake.Counted), whose panic must not end the process. What
// cannot be asked is not waited for, but the receipt says so.
func ledgerOf(g *intake.Gate) (l intake.Ledger, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("its ledger panicked: %v", v)
		}
	}()
	return g.Ledger(), nil
}
