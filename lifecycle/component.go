package lifecycle

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
