package intake

import (
	"context"
	"errors"
)

var (
	// ErrDraining is matched by the error of a gate that finishes what is
	// inside and takes no new root work. The work was not accepted; offer it
	// to another instance, or again after the restart.
	ErrDraining = errors.New("draining: no new work is accepted, what is inside is finished")

	// ErrPaused is an [ErrDraining] that may be taken back: who can wait offers
	// the work again when the gate is open ([Offer]).
	ErrPaused error = pausedError{}

	// ErrClosed is matched by the error of a gate that takes nothing any
	// more. The work was not accepted.
	ErrClosed = errors.New("closed: no work is accepted")
)

type pausedError struct{}

func (pausedError) Error() string {
	return "paused: no new work is accepted until it is resumed, what is inside is finished"
}

func (pausedError) Is(target error) bool { return target == ErrDraining }

// Error says which gate refused, and why. It unwraps to [ErrDraining],
// [ErrPaused] or [ErrClosed].
type Error struct {
	Gate string
	Err  error

	gate *Gate
}

func (e *Error) Error() string { return e.Gate + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// AwaitOpen waits until the gate that has refused is open: see
// [Gate.AwaitOpen]. Of an Error that no gate has made it returns that.
func (e *Error) AwaitOpen(ctx context.Context) error {
	if e.gate == nil {
		return e
	}
	return e.gate.AwaitOpen(ctx)
}

// Offer calls f, which offers work somewhere, and calls it again when a gate
// that was paused has refused and is open again: for whoever reads from a file or
// a queue, and can wait. It returns what f returned, or why the gate will not
// open, or the cause of ctx if that ends while it waits.
func Offer(ctx context.Context, f func() error) error {
	for {
		err := f()
		var refused *Error
		if !errors.As(err, &refused) || !errors.Is(refused, ErrPaused) {
			return err
		}
		if err := refused.AwaitOpen(ctx); err != nil {
			return err
		}
	}
}
