package pool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Handler does the work of one item of a lane. It may be called again for the
// same item: after an error, if the lane retries, and in another life of the
// program, if the item was saved; [ItemOf] tells such a repetition. A panic
// fails the item and is not retried.
//
// ctx ends when the timeout of the try has passed, or when the time of a stop
// is up; a handler that then returns an error was cut, and its item is handed
// back.
type Handler[T any] func(ctx context.Context, item T) error

// Permanent wraps the error of a handler so that its item is not tried again.
func Permanent(err error) error { return backoff.Permanent(err) }

// Result is what became of one item.
type Result[T any] struct {
	Item T
	// Key is the one it was submitted with; empty: none.
	Key string
	// Attempts is how often the handler was called, in all lives as far as
	// they are known.
	Attempts int
	// Err is nil if the item is done; else the error of the last try, a
	// [*PanicError], [ErrExpired] or [ErrDiscarded].
	Err error
	// Took is the time from the beginning of the first try in this life to the
	// end of the last, waits between them included. It is measured only for a lane
	// [WithResult].
	Took time.Duration
}

// Lane is a typed door into a pool. What comes by it is data, not closures,
// so it can be tried again and saved. Several lanes may share a pool: they
// share its queue, workers and policy. Make one with [NewLane]; it is safe for
// concurrent use.
//
// With one worker, items are handled in the order in which they were accepted,
// save for retries.
type Lane[T any] struct {
	*laneCore
	handler  Handler[T]
	onResult func(context.Context, Result[T])
	// onFailure is apart from onResult so that items that are done pay nothing
	// for it.
	onFailure func(context.Context, Result[T])
	saver     func(context.Context, []T) error
	books[T]
}

// LaneOption gives a lane a collaborator that no configuration file can name.
// Of two that name the same one the later counts; nil is as if the option were
// not given.
type LaneOption[T any] func(*Lane[T])

// WithResult is called with what became of each item, on the goroutine that
// ran it (after a panic, on another), while the item still counts as inside:
// what the hook passes on is handed over without a gap. It is not called for
// leftovers of a stop.
//
// The context is the item's, without the timeout of its try. It carries the
// right of accepted work (see [intake.Mark]): give it to Submit or Add, and the
// next component takes the result during a drain too. It has ended if the time
// of a stop is up.
//
// Of an item that a discard policy threw away the hook is told on the
// goroutine of the submitter, when the item has been counted as Dropped. A panic
// of the hook changes nothing of the result and goes to the panic handler. nil:
// none.
func WithResult[T any](fn func(context.Context, Result[T])) LaneOption[T] {
	return func(l *Lane[T]) {
		if fn != nil {
			l.onResult = fn
		}
	}
}

// WithFailure is called as [WithResult] is, but only with items that failed for
// good: not with those that are done, which then cost no more than without it,
// nor with discarded ones. Result.Took is zero. It is called before a
// WithResult, if both are given. nil: none.
func WithFailure[T any](fn func(context.Context, Result[T])) LaneOption[T] {
	return func(l *Lane[T]) {
		if fn != nil {
			l.onFailure = fn
		}
	}
}

// WithSave receives the leftovers of a stop when [Lane.Save] is called. The
// slice is the saver's. nil: none.
func WithSave[T any](fn func(context.Context, []T) error) LaneOption[T] {
	return func(l *Lane[T]) {
		if fn != nil {
			l.saver = fn
		}
	}
}

// NewLane opens a lane into p. Its items wait until p is started. A wrong
// config is reported whole; the name must be new to p, and p not stopped.
func NewLane[T any](p *Pool, name string, handler Handler[T], cfg LaneConfig, opts ...LaneOption[T]) (*Lane[T], error) {
	if handler == nil {
		return nil, fmt.Errorf("lane %s: the handler is nil; give a function", name)
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("lane %s: %w", name, err)
	}
	l := &Lane[T]{laneCore: newLaneCore(p, name, cfg.WithDefaults()), handler: handler}
	for _, opt := range opts {
		opt(l)
	}
	if err := l.openBooks(); err != nil {
		return nil, fmt.Errorf("lane %s: %w", name, err)
	}
	if err := l.join(); err != nil {
		return nil, err
	}
	return l, nil
}

// Submit brings in an item, as [Pool.Submit] does a task. nil means that it is
// accepted: it will be done, or fail, or be handed back by [Lane.Stop], or
// dropped by a discard policy. With the journal "always" it is also durable then.
//
// A lane with a journal that was not started returns [ErrNotStarted]; while it
// replays what an earlier life has left, Submit waits for the end of that. An
// item that the journal does not take is refused with the journal's error, such
// as [journal.ErrFull].
func (l *Lane[T]) Submit(ctx context.Context, item T) error {
	return l.submit(ctx, l.offered(item), false)
}

// TrySubmit is Submit that waits for no room, runs and discards nothing: it
// returns [ErrFull] where the queue has none, whatever the policy,
// [journal.ErrFull] where the journal has none, and [ErrReplaying] while Submit
// would wait for the end of a replay. With the journal "always" it still writes
// the item down, for which it takes as long as the store does.
func (l *Lane[T]) TrySubmit(ctx context.Context, item T) error {
	return l.submit(ctx, l.offered(item), true)
}

// SubmitKey is Submit for items that must be handled one after another, in the
// order in which they were accepted, if they have the same key; see
// [Pool.SubmitKey]. An item that waits for its next try keeps those behind it
// waiting. Keys of two lanes have nothing to do with each other.
func (l *Lane[T]) SubmitKey(ctx context.Context, key string, item T) error {
	it := l.offered(item)
	it.key, it.keyed = key, true
	return l.submit(ctx, it, false)
}

// Stop drains the lane within ctx (and StopBudget). When the time is up it
// withdraws what never ran, ends the waits for a next try, cancels the context
// of what runs with [ErrStopped] as the cause, and waits 100 ms more at most.
//
// It returns, in the order in which they were accepted, the items that are not
// finished: never run, waiting for a try, cut by the stop, or still running
// after all that time (such an item may be done twice: at least once). They
// stay Inside in the ledger until [Lane.Save] settles them. The error is not
// nil if handlers still run, or a replay in which the journal or the codec hangs.
//
// The pool goes on for others. Called again, Stop waits for the first call and
// returns the same; a later call whose ctx ends cuts the first short.
func (l *Lane[T]) Stop(ctx context.Context) ([]T, error) {
	err := l.stop(ctx)
	return l.values(l.left()), err
}

func (l *Lane[T]) values(jobs []*job) []T {
	values := slices.Grow([]T(nil), len(jobs))
	for _, j := range jobs {
		values = append(values, j.work.(*laneItem[T]).value)
	}
	return values
}
