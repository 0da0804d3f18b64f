package batch

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lastcall-go/lastcall/intake"
)

// The reasons of a refusal. The item was not accepted.
var (
	// ErrFull: Config.Buffer items are inside, or Config.MaxKeys keys, or
	// others already wait for room.
	ErrFull = errors.New("full: wait with Add, or offer the item again later")
	// ErrNotStarted: the batcher has a journal, which Start opens.
	ErrNotStarted = errors.New("not started: a batcher with a journal takes nothing before Start")
	// ErrReplaying: what an earlier life has left enters first.
	ErrReplaying = errors.New("replaying: what an earlier life has left enters first; wait with Add, or offer the item again later")
	// ErrDraining: the batcher finishes what is inside and takes no new root
	// work. It is [intake.ErrDraining].
	ErrDraining = intake.ErrDraining
	// ErrPaused: an ErrDraining that may be taken back. It is
	// [intake.ErrPaused].
	ErrPaused = intake.ErrPaused
	// ErrClosed: the batcher has stopped. It is [intake.ErrClosed].
	ErrClosed = intake.ErrClosed
)

// ErrExpired is the error of an item that was older than Config.MaxAge when its
// flush began.
var ErrExpired = errors.New("expired: older than max_age when its flush began")

// ErrStopped is the cause of a flush context that ended because the stop's
// time was up. The errors of [Batcher.Stop] and [Batcher.Flush] match it where
// items were left over for that reason.
var ErrStopped = errors.New("the time to stop was up before everything was flushed")

// ErrHung is matched by the error of [Batcher.Stop] when a sink, a dead letter
// handler or the replay did not return after it was cut. What it holds is left
// over, and may be delivered all the same.
var ErrHung = errors.New("did not return after it was cut and may still deliver what it holds")

var errGoexit = errors.New("runtime.Goexit was called in a function given to the batcher (t.FailNow in a goroutine that is not the test's?)")

var errUnburied = errors.New("lost: not delivered, and the dead letter handler did not take them; see the errors of Flush and WithFlushed")

var errNeverStarted = errors.New("the batcher was never started")

// Error says which batcher failed at what, and how many items it concerns.
type Error struct {
	// Batcher is the name given to [New].
	Batcher string
	// Op is what was going on: add, start, resize, flush, drain, stop or save.
	Op string
	// Key is the key of the batch, where there is one.
	Key string
	// Items is how many items are concerned; 0 where that says nothing.
	Items int
	Err   error
}

func (e *Error) Error() string {
	s := "batch " + e.Batcher + ": " + e.Op
	if e.Key != "" {
		s += fmt.Sprintf(" of key %q", e.Key)
	}
	switch e.Items {
	case 0:
	case 1:
		s += ": 1 item"
	default:
		s += fmt.Sprintf(": %d items", e.Items)
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// ItemErrors is what a [Sink] returns when it took some items and not others:
// the index of each item it did not take, with the reason. Items that it does
// not name, or names with nil, are Done, so an empty ItemErrors is a success.
// A reason may be [Permanent] or [Unavailable]. An index outside the batch
// makes it an error of the whole batch.
type ItemErrors map[int]error

func (e ItemErrors) Error() string {
	failed := e.failed()
	if len(failed) == 0 {
		return "no item failed"
	}
	first := failed[0]
	return fmt.Sprintf("%d items failed, the first at index %d: %v", len(failed), first, e[first])
}

// failed is the indexes that have an error, in order.
func (e ItemErrors) failed() []int {
	failed := slices.Sorted(maps.Keys(e))
	return slices.DeleteFunc(failed, func(i int) bool { return e[i] == nil })
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error that trying again will not mend: the item, or the
// batch as it is, is refused for good. A batch of several is searched at once
// for the items at fault. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type unavailableError struct{ err error }

func (e *unavailableError) Error() string { return "unavailable: " + e.err.Error() }
func (e *unavailableError) Unwrap() error { return e.err }

// Unavailable marks an error that is no item's fault: the database is down,
// the network is gone. The batch is tried again, at growing delays, until the
// sink is back or the batcher's stop is over; meanwhile back-pressure holds the
// producers. Unavailable(nil) is nil.
func Unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &unavailableError{err}
}

func isUnavailable(err error) bool {
	var u *unavailableError
	return errors.As(err, &u)
}

// PanicError is a panic in a function that was given to the batcher, or an error
// that panicked when it was looked into. A function that called
// [runtime.Goexit] is reported as a panic too, without a stack.
type PanicError struct {
	// Value is what was given to panic.
	Value any
	// Stack is where it happened, as [runtime/debug.Stack] writes it.
	Stack string
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
