package lifecycle

import (
	"fmt"
	"strconv"
)

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
	return nameOf(s, "state", "constructing", "starting", "running", "stopping", "stopped")
}

// MarshalText makes a state readable in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote of one of the five.
func (s *State) UnmarshalText(text []byte) error { return readName(s, Stopped, "state", text) }

// Signal is a moment that one can wait for with [Conductor.When].
type Signal int

// The moments of a life, in their order.
const (
	// Started: every OnStart has succeeded. Never comes when the start fails.
	Started Signal = iota
	// NotReady: the stop has begun; readiness is false.
	NotReady
	// IngressClosed: the stop is done with every hook of the ingress band,
	// also with one that failed or hung. What a hung one still lets in is
	// refused by the gates of the others, which drain from now on.
	IngressClosed
	// Quiet: no gate has anything inside. Never comes when the stop runs out
	// of time first.
	Quiet
	// Finished: the last hook has run and the receipt is there.
	Finished

	signals = iota
)

func (s Signal) String() string {
	return nameOf(s, "signal", "started", "not ready", "ingress closed", "quiet", "finished")
}

// readName finds the value from zero to last that has this name.
func readName[T interface {
	~int
	fmt.Stringer
}](value *T, last T, kind string, text []byte) error {
	for known := T(0); known <= last; known++ {
		if known.String() == string(text) {
			*value = known
			return nil
		}
	}
	return fmt.Errorf("lifecycle: %q is no %s", text, kind)
}

// nameOf is the name of a value that counts from zero.
func nameOf[T ~int](value T, kind string, names ...string) string {
	if value < 0 || int(value) >= len(names) {
		return kind + "(" + strconv.Itoa(int(value)) + ")"
	}
	return names[value]
}
