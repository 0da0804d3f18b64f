package intake

import "context"

// Visit is one piece of accepted work inside a [Gate]. The first of Done,
// Fail, Save and Lose ends it and decides its column; later calls do nothing,
// so that "defer visit.Fail()" is a safe net under a call to Done.
type Visit struct {
	gate    *Gate
	ctx     context.Context
	lineage *Lineage
}

// Context is the context for the work to run with: the one given to
// [Gate.Enter], marked so that draining gates admit it until the visit ends.
func (v *Visit) Context() context.Context { return v.ctx }

// Done ends the visit: the work was finished.
func (v *Visit) Done() { v.end(func(l *Ledger) *uint64 { return &l.Done }) }

// Fail ends the visit: the work was tried and failed.
func (v *Visit) Fail() { v.end(func(l *Ledger) *uint64 { return &l.Failed }) }

// Save ends the visit: the work was not finished, and can be found again.
func (v *Visit) Save() { v.end(func(l *Ledger) *uint64 { return &l.Saved }) }

// Lose ends the visit: nothing is left of the work.
func (v *Visit) Lose() { v.end(func(l *Ledger) *uint64 { return &l.Lost }) }

func (v *Visit) end(column func(*Ledger) *uint64) {
	v.lineage.End()
	v.gate.mu.Lock()
	defer v.gate.mu.Unlock()
	if _, inside := v.gate.visits[v]; !inside {
		return
	}
	delete(v.gate.visits, v)
	*column(&v.gate.ledger)++
}
