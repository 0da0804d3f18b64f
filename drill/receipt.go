package drill

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Receipt is what the drill reads of the receipt of a stop, the JSON file that
// a lastcall service writes. It is held to itself (Clean to ExitCode and
// Errors, Total to the sum of Gates, each ledger to its balance), to the exit
// code of the process, and to what the load saw accepted.
type Receipt struct {
	Began    time.Time `json:"began"`
	Clean    bool      `json:"clean"`
	ExitCode int       `json:"exit_code"`
	WorkLost uint64    `json:"work_lost"`
	Errors   []string  `json:"errors"`
	Total    Ledger    `json:"total"`
	Gates    []Gate    `json:"gates"`
}

// Gate is the ledger of one component in a receipt.
type Gate struct {
	Name     string `json:"name"`
	Ledger   Ledger `json:"ledger"`
	Balanced bool   `json:"balanced"`
}

// Ledger is what a component counted.
type Ledger struct {
	Accepted uint64 `json:"accepted"`
	Done     uint64 `json:"done"`
	Failed   uint64 `json:"failed"`
	Saved    uint64 `json:"saved"`
	Dropped  uint64 `json:"dropped"`
	Lost     uint64 `json:"lost"`
	Inside   uint64 `json:"inside"`
}

// readReceipt reads the receipt that a child has left.
func readReceipt(file string, c *Child) (*Receipt, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrReceipt, file, err)
	}
	if r.Began.Before(c.began) {
		return nil, fmt.Errorf("%w: %s is of an earlier life; this one has left none", ErrReceipt, file)
	}
	return &r, nil
}

// plus is the sum, column by column.
func (l Ledger) plus(o Ledger) Ledger {
	return Ledger{
		Accepted: l.Accepted + o.Accepted,
		Done:     l.Done + o.Done,
		Failed:   l.Failed + o.Failed,
		Saved:    l.Saved + o.Saved,
		Dropped:  l.Dropped + o.Dropped,
		Lost:     l.Lost + o.Lost,
		Inside:   l.Inside + o.Inside,
	}
}

// wrong says what is wrong with a receipt, given how much the load saw
// accepted in that life by the gate it names.
func (r *Receipt) wrong(gate string, accepted int) []error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %w", ErrReceipt, fmt.Errorf(format, args...)))
	}
	if r.WorkLost > 0 {
		wrong("it says that %d pieces of work were lost", r.WorkLost)
	}
	if r.Clean != (r.ExitCode == 0) || r.Clean && len(r.Errors) > 0 {
		said := map[bool]string{true: "clean", false: "not clean"}[r.Clean]
		wrong("it says %s, with exit code %d and the errors %v", said, r.ExitCode, r.Errors)
	}
	found := gate == ""
	var sum Ledger
	for _, g := range r.Gates {
		sum = sum.plus(g.Ledger)
		if !g.Balanced {
			wrong("the ledger of %s does not balance: %+v", g.Name, g.Ledger)
		}
		if g.Name != gate {
			continue
		}
		found = true
		// Its own is more: work replayed, and answers that did not arrive.
		if g.Ledger.Accepted < uint64(accepted) {
			wrong("%s counts %d accepted, the load saw %d", g.Name, g.Ledger.Accepted, accepted)
		}
	}
	if !found {
		wrong("it has no gate %s", gate)
	}
	if r.Total != sum {
		wrong("its total is %+v, the sum of its gates %+v", r.Total, sum)
	}
	return errs
}

// balanced reports whether every gate is.
func (r *Receipt) balanced() bool {
	for _, g := range r.Gates {
		if !g.Balanced {
			return false
		}
	}
	return true
}
