package intake

import "context"

// Visit is one piece of accepted work inside a [Gate]. The first of Done,
// Fail, Save and Lose ends it and decides its column; later calls do nothing,
// so that "defer visit.Fail()" is a safe net under a call to Done.
type Visit struct {
	gate *Gate
	mark marked

	// Guarded by gate.mu.
	inside     bool
	prev, next *Visit // its neighbours inside
}

// Context is the context for the work to run with: the one given to
// [Gate.Enter], marked so that draining gates admit it until the visit ends.
func (v *Visit) Context() context.Context { return &v.mark }

// Done ends the visit: the work was finished.
func (v *Visit) Done() { v.end(func(l *Ledger) *uint64 { return &l.Done }) }

// Fail ends the visit: the work was tried and failed.
func (v *Visit) Fail() { v.end(func(l *Ledger) *uint64 { return &l.Failed }) }

// Save ends the visit: the work was not finished, and can be found again.
func (v *Visit) Save() { v.end(func(l *Ledger) *uint64 { return &l.Saved }) }

// Lose ends the visit: nothing is left of the work.
func (v *Visit) Lose() { v.end(func(l *Ledger) *uint64 { return &l.Lost }) }

func (v *Visit) end(column func(*Ledger) *uint64) {
	v.mark.End()
	v.gate.mu.Lock()
	defer v.gate.mu.Unlock()
	if !v.inside {
		return
	}
	v.inside = false
	v.gate.visits.remove(v)
	*column(&v.gate.ledger)++
}

// visits is a linked list: to come and to go costs no allocation and no map.
type visits struct{ first *Visit }

func (l *visits) add(v *Visit) {
	if v.next = l.first; v.next != nil {
		v.next.prev = v
	}
	l.first = v
}

func (l *visits) remove(v *Visit) {
	if v.prev == nil {
		l.first = v.next
	} else {
		v.prev.next = v.next
	}
	if v.next != nil {
		v.next.prev = v.prev
	}
	v.prev, v.next = nil, nil // a visit that is kept must not keep others
}

func (l *visits) count() (n uint64) {
	for v := l.first; v != nil; v = v.next {
		n++
	}
	return n
}
