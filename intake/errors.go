package intake

import "errors"

var (
	// ErrDraining is matched by the error of a gate that finishes what is
	// inside and takes no new root work. The work was not accepted; offer it
	// to another instance, or again after the restart.
	ErrDraining = errors.New("draining: no new work is accepted, what is inside is finished")

	// ErrClosed is matched by the error of a gate that takes nothing any
	// more. The work was not accepted.
	ErrClosed = errors.New("closed: no work is accepted")
)

// Error says which gate refused, and why. It unwraps to [ErrDraining] or
// [ErrClosed].
type Error struct {
	Gate string
	Err  error
}

func (e *Error) Error() string { return e.Gate + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
