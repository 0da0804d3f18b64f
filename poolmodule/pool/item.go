package pool

import (
	"context"
	"time"
)

// Item is what a handler can know of the item it was called for.
type Item struct {
	// ID tells a repetition from a new piece of work: it is the same in every
	// try and in every life. It was given by [WithID], or is made when it is
	// first asked for. Empty: the lane has neither [WithID], nor a journal, nor
	// dead letters.
	ID string
	// Key is the one it was submitted with; empty: none.
	Key string
	// Attempt is which try this is: 1 is the first. Tries in earlier lives
	// count as far as they are known; see Retry.MaxAttempts.
	Attempt int
	// Replayed says that the item was accepted in an earlier life.
	Replayed bool
}

// ItemOf returns the item that a [Handler], or a [WithResult] or [WithFailure]
// hook, was called for; also one that was discarded or is too old, whose
// Attempt is 0 if it was never tried. ctx is theirs, or one made from it. It
// allocates at most the ID.
func ItemOf(ctx context.Context) (Item, bool) {
	try, ok := ctx.Value(itemKey{}).(interface{ item() Item })
	if !ok {
		return Item{}, false
	}
	return try.item(), true
}

type itemKey struct{}

func (j *job) item(attempt int) Item {
	item := Item{Key: j.key, Attempt: attempt}
	if r := j.rec; r != nil {
		item.ID, item.Replayed = j.lane.identity(r), r.replayed
		item.Attempt += int(r.before)
	}
	return item
}

// firstTry is an item as the context of its own first try, so that most items
// need no other.
type firstTry[T any] laneItem[T]

func (t *firstTry[T]) Deadline() (time.Time, bool) { return t.ground.Deadline() }
func (t *firstTry[T]) Done() <-chan struct{}       { return t.ground.Done() }
func (t *firstTry[T]) Err() error                  { return t.ground.Err() }

func (t *firstTry[T]) Value(key any) any {
	if key == (itemKey{}) {
		return t
	}
	return t.ground.Value(key)
}

func (t *firstTry[T]) item() Item { return t.job.item(1) }

// laterTry is the context of any other. It does not change when the next one
// begins: somebody may have kept it.
type laterTry struct {
	context.Context
	job     *job
	attempt int
}

func (t *laterTry) Value(key any) any {
	if key == (itemKey{}) {
		return t
	}
	return t.Context.Value(key)
}

func (t *laterTry) item() Item { return t.job.item(t.attempt) }

// afterTries is the context of what follows the last try.
func (it *laneItem[T]) afterTries(ctx context.Context) context.Context {
	return &laterTry{Context: ctx, job: &it.job, attempt: int(it.attempts.Load())}
}

// begin makes ctx the context of the next try.
func (it *laneItem[T]) begin(ctx context.Context) {
	n := it.attempts.Add(1)
	if n == 1 {
		it.ground = ctx
		it.ctx = (*firstTry[T])(it)
		return
	}
	it.ctx = &laterTry{Context: ctx, job: &it.job, attempt: int(n)}
}
