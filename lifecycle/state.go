package lifecycle

// State is where the application is on its one-way road.
type State int

// The states, in their order. A failed start goes from Starting to Stopping:
// what was started is stopped again.
const (
	Constructing State = iota
	Starting
	Running
	Stopping
	Stopped
)

func (s State) String() string {
	return [...]string{"constructing", "starting", "running", "stopping", "stopped"}[s]
}

// Signal is a moment that one can wait for with [Conductor.When].
type Signal int

// The moments of a life, in their order.
const (
	// Started: every OnStart has succeeded. Never comes when the start fails.
	Started Signal = iota
	// NotReady: the stop has begun; readiness is false.
	NotReady
	// IngressClosed: every hook of the ingress band was stopped.
	IngressClosed
	// Quiet: no gate has anything inside. Never comes when the stop runs out
	// of time first.
	Quiet
	// Finished: the last hook has run and the receipt is there.
	Finished

	signals = iota
)

func (s Signal) String() string {
	return [...]string{"started", "not ready", "ingress closed", "quiet", "finished"}[s]
}
