package pool

import (
	"fmt"
	"strings"
)

// Policy says what Submit does when the queue has no room.
type Policy int

const (
	// Block waits, in the order of arrival, until there is room or the
	// submitter's context ends. It is the zero value.
	Block Policy = iota
	// Abort refuses with [ErrFull].
	Abort
	// CallerRuns runs the task on the submitter's goroutine, which slows the
	// submitter down to the pool's speed. A task with a key waits as under
	// Block instead: run by the caller it could overtake its predecessors.
	CallerRuns
	// DiscardNewest accepts the new task and drops it: Submit returns nil,
	// the ledger counts it Dropped.
	DiscardNewest
	// DiscardOldest accepts the new task and drops the one that has waited
	// longest; that one is counted Dropped. Where nothing waits (no queue)
	// the new task is the oldest.
	DiscardOldest
)

var policyNames = [...]string{"block", "abort", "caller_runs", "discard_newest", "discard_oldest"}

func (p Policy) valid() bool { return p >= 0 && int(p) < len(policyNames) }

// String is the name used in configuration files, such as "caller_runs".
func (p Policy) String() string {
	if !p.valid() {
		return fmt.Sprintf("policy(%d)", int(p))
	}
	return policyNames[p]
}

// MarshalText writes the name used in configuration files.
func (p Policy) MarshalText() ([]byte, error) {
	if !p.valid() {
		return nil, p.unknown(p.String())
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads the name used in configuration files.
func (p *Policy) UnmarshalText(text []byte) error {
	for i, name := range policyNames {
		if string(text) == name {
			*p = Policy(i)
			return nil
		}
	}
	return p.unknown(string(text))
}

func (Policy) unknown(got string) error {
	return fmt.Errorf("unknown policy %q, use one of %s", got, strings.Join(policyNames[:], ", "))
}
