package intake

import "fmt"

// Ledger is one consistent snapshot of what a gate was offered and what came
// of it. All columns except Inside only grow.
type Ledger struct {
	// Offered counts every piece of work that came to the gate.
	Offered uint64 `json:"offered"`
	// Accepted counts what was let in: the caller was told so (a nil error,
	// a 2xx).
	Accepted uint64 `json:"accepted"`
	// Rejected counts what was refused: full, draining, closed, or the
	// caller's context ended while it waited.
	Rejected uint64 `json:"rejected"`

	// Done counts accepted work that was finished.
	Done uint64 `json:"done"`
	// Failed counts accepted work that was tried and ended in an error or a
	// panic that was recorded.
	Failed uint64 `json:"failed"`
	// Saved counts accepted work that was not finished and was put where it
	// can be found again.
	Saved uint64 `json:"saved"`
	// Dropped counts accepted work that a discard policy, chosen by the user,
	// threw away.
	Dropped uint64 `json:"dropped"`
	// Lost counts accepted work of which nothing is left: everything that
	// should not have happened.
	Lost uint64 `json:"lost"`

	// Inside is the work that is in the component now: waiting, running, or
	// on its way between the two.
	Inside uint64 `json:"inside"`
}

// Finished is the accepted work that has come to an end, whichever it was.
func (l Ledger) Finished() uint64 {
	return l.Done + l.Failed + l.Saved + l.Dropped + l.Lost
}

// Balanced reports whether both equations of the ledger hold.
func (l Ledger) Balanced() bool {
	return l.Offered == l.Accepted+l.Rejected && l.Accepted == l.Finished()+l.Inside
}

// Plus is the sum of two ledgers, column by column.
func (l Ledger) Plus(o Ledger) Ledger {
	return Ledger{
		Offered:  l.Offered + o.Offered,
		Accepted: l.Accepted + o.Accepted,
		Rejected: l.Rejected + o.Rejected,
		Done:     l.Done + o.Done,
		Failed:   l.Failed + o.Failed,
		Saved:    l.Saved + o.Saved,
		Dropped:  l.Dropped + o.Dropped,
		Lost:     l.Lost + o.Lost,
		Inside:   l.Inside + o.Inside,
	}
}

// String writes the second equation, leaving out what is zero and not part of
// the promise, and the word UNBALANCED when it does not hold.
func (l Ledger) String() string {
	s := fmt.Sprintf("accepted %d = done %d + failed %d + saved %d", l.Accepted, l.Done, l.Failed, l.Saved)
	for _, c := range []struct {
		name string
		n    uint64
	}{{"dropped", l.Dropped}, {"lost", l.Lost}, {"inside", l.Inside}} {
		if c.n > 0 {
			s += fmt.Sprintf(" + %s %d", c.name, c.n)
		}
	}
	if l.Rejected > 0 {
		s += fmt.Sprintf(" (rejected %d)", l.Rejected)
	}
	if !l.Balanced() {
		s += " UNBALANCED"
	}
	return s
}
