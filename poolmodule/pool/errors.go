package pool

import (
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/intake"
)

// Why work was refused. Each is matched with [errors.Is]; the error itself
// names the pool or lane.
var (
	// ErrFull is matched when the queue has no room and the policy, or
	// TrySubmit, does not wait for it. The work was not accepted.
	ErrFull = errors.New("full: the queue has no room; raise queue or workers, slow down, or choose another policy")

	// ErrDraining is matched when the door finishes what is inside and takes
	// no new root work. The work was not accepted.
	ErrDraining = intake.ErrDraining

	// ErrPaused is an ErrDraining that may be taken back, see
	// [intake.ErrPaused].
	ErrPaused = intake.ErrPaused

	// ErrClosed is matched when the door takes nothing any more. The work was
	// not accepted.
	ErrClosed = intake.ErrClosed

	// ErrNotStarted is matched when a lane with a journal was not started: what
	// an earlier life has left comes first. The work was not accepted.
	ErrNotStarted = errors.New("not started: the lane has a journal; call Start first")

	// ErrReplaying is matched when TrySubmit would have to wait until what an
	// earlier life has left is in the queue. The work was not accepted.
	ErrReplaying = errors.New("replaying: what an earlier life has left comes first")
)

// What became of accepted work that did not run to its end.
var (
	// ErrStopped is the cause of a task's context once the time of a stop is
	// up, and the error of a [Future] whose task was never run.
	ErrStopped = errors.New("pool stopped: its time was up")

	// ErrExpired is the error of an item that was older than its lane's MaxAge
	// when its turn came.
	ErrExpired = errors.New("expired: older than max_age when its turn came")

	// ErrDiscarded is the error of work that a discard policy threw away.
	ErrDiscarded = errors.New("discarded: the queue was full and the policy gave this task up")
)

var (
	errNilTask    = errors.New("pool: the task is nil; give a function")
	errNilContext = errors.New("pool: the context is nil; give context.Background() to wait for room without end")
	errGoexit     = errors.New("runtime.Goexit was called in a task or saver (t.FailNow in a goroutine that is not the test's?)")
)

// PanicError is a panic that a task or handler let escape. The worker that
// met it lives on.
type PanicError struct {
	// Value is what was given to panic. A task that called [runtime.Goexit]
	// is reported as a panic too.
	Value any
	// Stack is where it happened, as [runtime/debug.Stack] writes it. It is
	// empty after a Goexit.
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("task panicked: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
