package lifecycle

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var (
	// ErrStopRequested is the cause of a start that was cancelled because the
	// application was told to stop.
	ErrStopRequested = errors.New("told to stop during start")
	// ErrCut is the cause of contexts that ended because somebody would wait
	// no longer (a second signal), not because the time was up.
	ErrCut = errors.New("the stop was told to wait no longer")
	// ErrWorkLost is matched by the error of a stop after which accepted work
	// was neither done, nor failed and recorded, nor saved.
	ErrWorkLost = errors.New("accepted work was lost")
)

// Phase is one of the three hooks of a component.
type Phase int

// The phases of a component.
const (
	PhaseStart Phase = iota
	PhaseStop
	PhasePreDestroy
)

func (p Phase) String() string {
	return nameOf(p, "phase", "start", "stop", "pre-destroy")
}

// MarshalText makes a phase readable in JSON.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote of one of the three.
func (p *Phase) UnmarshalText(text []byte) error { return readName(p, PhasePreDestroy, "phase", text) }

func (p Phase) done() string {
	return [...]string{"started", "stopped", "destroyed"}[p]
}

// HookError says which hook of which component went wrong.
type HookError struct {
	Component string
	Module    string // of Fx; empty at the root
	Phase     Phase
	Err       error
}

func (e *HookError) Error() string {
	in := ""
	if e.Module != "" {
		in = " (module " + e.Module + ")"
	}
	return fmt.Sprintf("lifecycle: %s %s%s: %v", e.Phase, e.Component, in, e.Err)
}

// Unwrap returns what went wrong.
func (e *HookError) Unwrap() error { return e.Err }

// PanicError is a panic of a hook that was recovered.
type PanicError struct {
	Value any
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// HangError is a hook that had not returned when its context had ended and
// the grace was over. It was abandoned: its goroutine may still be running.
type HangError struct {
	// After is how long the hook had been running when it was abandoned.
	After time.Duration
	// Where is the line it was in at that moment, its own rather than the
	// standard library's; Stack is the whole way there.
	Where string
	Stack string
	// Cause is why its context had ended.
	Cause error
}

func (e *HangError) Error() string {
	where := e.Where
	if where == "" {
		where = "an unknown place"
	}
	return fmt.Sprintf("abandoned after %s in %s: %v", round(e.After), where, e.Cause)
}

// Unwrap returns why the context of the hook had ended.
func (e *HangError) Unwrap() error { return e.Cause }

// CycleError is an After that contradicts the dependency graph or another
// After.
type CycleError struct{ Components []string }

func (e *CycleError) Error() string {
	return "lifecycle: these components must each stop before the other; take one After away: " +
		strings.Join(e.Components, ", ")
}

var errSlowDisk = errors.New("the disk did not answer in time")

// errInstead is for fx.App.Run, which knows nothing of [Conductor.Instead].
var errInstead = errors.New("lifecycle: asked for something else than to start, which only app.Run can do")

var errGoexit = errors.New("the hook ended its goroutine (runtime.Goexit, t.FailNow) instead of returning")
