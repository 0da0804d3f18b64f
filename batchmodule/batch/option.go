package batch

import (
	"context"

	"github.com/lastcall-go/lastcall/journal"
)

// Sink takes one batch. It returns nil when every item was taken, or an error
// that says what is to be done; see the package comment.
//
// The slice is lent until the sink returns: read it, copy from it, but neither
// change nor keep it. The context ends after Config.FlushTimeout, or when the
// stop's time is up; then its cause is [ErrStopped]. It carries lineage: the
// sink may add to components that are draining.
//
// A sink must be safe for concurrent use if Config.Parallel is more than 1.
type Sink[T any] = func(ctx context.Context, items []T) error

// DeadLetter is an item that could not be delivered.
type DeadLetter[T any] struct {
	Item T
	// Key is what [WithKey] said of the item.
	Key string
	// Err is the last error of the sink that concerned the item.
	Err error
	// Attempts is how many times the sink was given the item, in all lives.
	Attempts int
}

// Option gives a [Batcher] a collaborator that no file can name. Of two that
// name the same one the later counts; nil is as if the option were not given.
type Option[T any] func(*options[T])

// when is an option whose collaborator is there.
func when[T any](isThere bool, opt Option[T]) Option[T] {
	if !isThere {
		return func(*options[T]) {}
	}
	return opt
}

type options[T any] struct {
	key     func(T) string
	size    func(T) int
	dead    func(context.Context, DeadLetter[T])
	save    func(context.Context, []T) error
	flushed func(Flush)

	opener journal.Opener
	box    *journal.DeadLetters
	codec  journal.Codec[T]
	id     func(T) string
	label  func(T) string

	replay   func(Replay)
	burial   func(Burial)
	retrying func(Retrying)
	panicked func(*PanicError)
}

// WithKey gives every key batches of its own, and keeps the order within a
// key. The function is called by Add, on the caller's goroutine, with no lock
// held.
func WithKey[T any](key func(T) string) Option[T] {
	return when(key != nil, func(o *options[T]) { o.key = key })
}

// WithSize measures an item for Config.MaxBytes. The function is called by
// Add, on the caller's goroutine, with no lock held.
func WithSize[T any](size func(T) int) Option[T] {
	return when(size != nil, func(o *options[T]) { o.size = size })
}

// WithDeadLetter is told of every item that could not be delivered. It is
// called on a goroutine that holds up the flush; the item counts as Failed when
// it returns. When it panics nobody has the item: it counts as Lost, and the
// errors of the flush and of [Batcher.Save] say so.
func WithDeadLetter[T any](handle func(context.Context, DeadLetter[T])) Option[T] {
	return when(handle != nil, func(o *options[T]) { o.dead = handle })
}

// WithSave is what [Batcher.Save] gives the leftovers of a stop to. It may
// keep the slice. When it returns an error the items count as Lost, so it
// should say which, if it kept some.
func WithSave[T any](save func(ctx context.Context, leftovers []T) error) Option[T] {
	return when(save != nil, func(o *options[T]) { o.save = save })
}

// WithFlushed observes every flush after it has come to an end. It is called
// on the flush's goroutine, which it holds up. A panic in it joins the error
// that [Batcher.Flush] returns.
func WithFlushed[T any](observe func(Flush)) Option[T] {
	return when(observe != nil, func(o *options[T]) { o.flushed = observe })
}

// WithRetrying observes every call of the sink that failed and will be made
// again, before the wait. It is called on the flush's goroutine, which it holds
// up. A panic in it changes nothing.
func WithRetrying[T any](observe func(Retrying)) Option[T] {
	return when(observe != nil, func(o *options[T]) { o.retrying = observe })
}

// WithPanicHandler is called with every panic of a function that was given to
// the batcher and that a flush or Save calls, on the goroutine it happened on.
// What comes of the items is not changed by it. A panic of its own is
// swallowed.
func WithPanicHandler[T any](handle func(*PanicError)) Option[T] {
	return when(handle != nil, func(o *options[T]) { o.panicked = handle })
}
