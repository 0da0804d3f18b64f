package lifecycle

import (
	"errors"
	"fmt"
	"slices"
)

// mostRuns is how many runs before this one are kept.
const mostRuns = 20

// Runs are the last runs that have ended, up to 20, the latest first; this one
// is the first of them when it has ended too. Each is a [LastRun] in a state of
// its own and without a Previous: starts that failed, and runs that were killed,
// are in the list like the others. It is the caller's to change, but what it
// points to is not.
//
// They are kept in a file beside [Config].ReceiptFile: of "receipt.json" in
// "receipt.runs.jsonl". A start puts what it has found in the receipt file at
// the end of the list, so that a stop has nothing to do with it. Without a
// receipt file there are none. A list that cannot be read or written is a
// warning in the log and refuses nothing; damaged lines are left out.
func (c *Conductor) Runs() []LastRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	runs := slices.Clone(c.earlier)
	if c.receipt != nil && c.config.ReceiptFile != "" && c.instead == nil {
		runs = slices.Insert(runs, 0, c.receipt.run().listed())
	}
	return runs[:min(len(runs), mostRuns)]
}

// run is what the receipt says of its run.
func (r *Receipt) run() LastRun {
	if r.UpSince.IsZero() {
		return LastRun{State: RunNotUp, Receipt: r, Previous: r.Previous}
	}
	return LastRun{State: RunStopped, Receipt: r}
}

// isOver says that l is a run, and has ended. What is unknown was one, too.
func (l LastRun) isOver() bool {
	switch l.State {
	case RunStopped, RunNotUp:
		return l.Receipt != nil
	case RunKilled, RunUnknown:
		return true
	default:
		return false
	}
}

// listed is l without the runs before it: in a list they have their own places.
func (l LastRun) listed() LastRun {
	l.Previous = nil
	if l.Receipt != nil && l.Receipt.Previous != nil {
		r := *l.Receipt
		r.Previous = nil
		l.Receipt = &r
	}
	return l
}

// mostText is how much of a text a shortened run keeps.
const mostText = 500

// shortened is l with what a table of runs shows, and no more: its receipt was
// too long.
func (l LastRun) shortened() LastRun {
	l.Problem = clipped(l.Problem)
	if l.Receipt == nil {
		return l
	}
	whole := l.Receipt
	l.Receipt = &Receipt{
		Cause: whole.Cause, UpSince: whole.UpSince, Began: whole.Began,
		Took: whole.Took, Timeout: whole.Timeout, Reserve: whole.Reserve, Cut: clipped(whole.Cut),
		Total: whole.Total,
		Notes: []string{"the receipt was too long for the list of runs: what it said of components, gates and goroutines was left out"},
	}
	cause := &l.Receipt.Cause
	cause.By, cause.Signal = clipped(cause.By), clipped(cause.Signal)
	if cause.Err != nil {
		cause.Err = errors.New(clipped(cause.Err.Error()))
	}
	if n := len(whole.errs); n > 0 {
		text := fmt.Sprintf("%d errors, the first: %s", n, clipped(whole.errs[0].Error()))
		if errors.Is(whole.Err(), ErrWorkLost) {
			text += "; " + ErrWorkLost.Error() // as it is read back by these words
		}
		l.Receipt.errs = []error{recalled(text)}
	}
	return l
}

func clipped(text string) string {
	if len(text) <= mostText {
		return text
	}
	return text[:mostText] + " …"
}
