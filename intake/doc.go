// Package intake is the gate that every accepting component owns: it answers
// "may this enter?" and keeps the ledger of what came of it.
//
// A [Gate] can be paused and resumed. Once it drains there is no way back:
//
//	          Pause
//	Open ───────────────▶ Paused
//	  │ ◀───────────────    │
//	  │   the last resume   │
//	  └──────────┬──────────┘
//	             │ Drain            Close, which drains first
//	             ▼
//	          Draining ────────────────────────▶ Closed
//
//	Open      everything may enter; the context is never looked at
//	Paused    root work is refused with ErrPaused, which is an ErrDraining;
//	          work submitted from inside accepted work (see below) is still
//	          admitted. Several may pause a gate; the last to resume opens it
//	Draining  the same with ErrDraining, for good: no resume opens it any more
//	Closed    everything is refused with ErrClosed
//
// A pause is a drain that can be taken back, and a component is right about the
// one if it is right about the other: it asks the gate when work comes, and tells
// those who wait at its entrance ([OnChange], [Gate.Watch]).
//
// # Lineage
//
// A request that was accepted before the stop may still have to submit ten
// tasks to a pool; refusing them would break a promise already given. So a
// component runs accepted work with a context marked by [Mark], and a draining
// gate admits whoever comes with a mark that has not ended. A mark ends with
// the work it was made for: a goroutine that outlives its request loses the
// right to submit the moment the request ends.
//
// # The ledger
//
// Every piece of work is counted by exactly one gate, so ledgers may be added.
// Two equations hold in every snapshot:
//
//	Offered  = Accepted + Rejected
//	Accepted = Done + Failed + Saved + Dropped + Lost + Inside
//
// Inside is counted by looking at what is inside, never derived from the other
// columns; otherwise the second equation could not fail, and would prove
// nothing. To look is to walk a list: a snapshot takes longer the more there
// is inside.
//
// # Two ways to use a gate
//
// A component with no counters of its own calls [Gate.Enter] and ends the
// [Visit] it gets; one that makes a struct for each piece of work anyway keeps
// the visit in there, with [Gate.EnterAs] (an HTTP server does). A component
// that is too hot for that counts for itself, hands its counts over with
// [Counted], and asks only [Gate.Admit] (a pool does).
//
// Everything here is safe for concurrent use.
package intake
