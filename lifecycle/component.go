package lifecycle

import "time"

// component is what one Append has registered, and what became of it.
type component struct {
	Hook
	name   string
	module string
	owner  owner
	// tuning is the door to the knobs of Hook.Panel.
	tuning *tuning

	// index is the place in the order of registration.
	index int
	// late: appended after the start had begun; only PreDestroy will run.
	late bool
	// started: OnStart succeeded, or there was none and its turn came.
	started bool
	// over: the stop has done with it.
	over bool

	state   ComponentState
	since   time.Time      // when it came into state
	running *RunningHook   // nil: none of its hooks runs
	reports [3]*HookReport // by Phase; nil: did not run
}
