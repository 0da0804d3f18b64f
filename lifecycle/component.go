package lifecycle

import "time"

// component is what one Append has registered, and what became of it.
type component struct {
	Hook
	name   string
	module string
	owner  owner

	// index is the place in the order of registration.
	index int
	// late: appended after the start had begun; only PreDestroy will run.
	late bool
	// started: OnStart succeeded, or there was none and its turn came.
	started bool

	reports [3]*HookReport // by Phase; nil: did not run
}

// Outcome is what came of one hook.
type Outcome string

// The outcomes of a hook.
const (
	OK       Outcome = "ok"
	Failed   Outcome = "failed"
	Panicked Outcome = "panicked"
	Hung     Outcome = "hung"
)

// HookReport is what a receipt says of one hook.
type HookReport struct {
	// Began is counted from the beginning of the stop (of the start, for an
	// OnStart).
	Began time.Duration `json:"began"`
	Took  time.Duration `json:"took"`
	// Budget is what the hook was given; zero: no limit, or waiting was over.
	Budget  time.Duration `json:"budget,omitempty"`
	Outcome Outcome       `json:"outcome"`
	Error   string        `json:"error,omitempty"`
	// Stack is where the hook panicked or hung.
	Stack string `json:"stack,omitempty"`

	err error
}
