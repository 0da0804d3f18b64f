package pool

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lastcall-go/lastcall/journal"
)

// laneItem is an item on its way: one allocation.
type laneItem[T any] struct {
	job
	owner *Lane[T]
	value T
	began int64 // of the first try
	// ctx is that of the try that runs, without its timeout: the result hook
	// has it, also when the handler has panicked.
	ctx context.Context
	// ground is what lies under the context of the first try. Written once.
	ground context.Context
}

// run is one try, or one more attempt to bury the item.
func (it *laneItem[T]) run(ctx context.Context) outcome {
	l := it.owner
	if it.rec != nil {
		if d := it.rec.doomed(); d != nil {
			it.ctx = it.afterTries(ctx)
			return it.decide(failed, d.err, d.reason)
		}
		if it.isExpired() {
			it.ctx = it.afterTries(ctx)
			return it.decide(failed, ErrExpired, journal.ReasonExpired)
		}
	}
	if l.onResult != nil && it.attempts.Load() == 0 {
		it.began = l.pool.now()
	}
	it.begin(ctx)
	err := it.try()
	switch {
	case err == nil:
		return it.decide(done, nil, "")
	case ctx.Err() != nil:
		return cut // by the stop: the timeout of the try ends another context
	}
	it.remember(err)
	more, reason := l.retries(err, it.tries())
	if more {
		it.waitFor(err)
		it.ctx = nil
		return again
	}
	return it.decide(failed, err, reason)
}

func (it *laneItem[T]) try() error {
	ctx := it.ctx
	if timeout := it.owner.cfg.Timeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return it.owner.handler(ctx, it.value)
}

// remember keeps the first error for the dead letter.
func (it *laneItem[T]) remember(err error) {
	if it.owner.buries && it.rec.failing().first == nil {
		it.rec.failing().first = inWords(err)
	}
}

// fail ends an item whose handler panicked, or which was discarded. If the
// outcome was decided, it was the result hook that panicked.
func (it *laneItem[T]) fail(err error) {
	switch {
	case err == ErrDiscarded: //nolint:errorlint // a panic may wrap it
		defer it.crossOut()
		it.tellResult(err)
	case !it.decided:
		it.decide(failed, err, journal.ReasonPanic)
	}
}

// decide settles the outcome, buries what failed for good, tells the hooks, and
// crosses the item out in its journal: in this order, so that what a hook hands
// on is never lost, and what a stop has handed back meanwhile comes again.
func (it *laneItem[T]) decide(o outcome, err error, reason journal.Reason) outcome {
	l := it.owner
	it.decided, it.result = true, o
	if o == failed && l.buries {
		if !l.reach(&it.job, jobBurying) {
			return o
		}
		if !it.bury(err, reason) {
			return again
		}
	}
	if !l.tells(o) {
		it.crossOut()
		return o
	}
	// An item that the stop has handed back is no longer ours to tell of.
	if l.reach(&it.job, jobEnding) {
		defer it.crossOut() // deferred: a hook may panic
		if o == failed && l.onFailure != nil {
			l.pool.shield(func() { l.onFailure(it.ctx, it.came(err)) })
		}
		it.tellResult(err)
	}
	return o
}

// tells says whether there is a hook for the outcome.
func (l *Lane[T]) tells(o outcome) bool {
	return l.onResult != nil || o == failed && l.onFailure != nil
}

// crossOut ends the item in its journal, unless a stop has handed it back. What
// is done leaves the writing to others that are at work; it comes again if a
// kill is very quick. What is dropped or buried does not wait: somebody was told.
func (it *laneItem[T]) crossOut() {
	seq := it.inJournal()
	switch {
	case seq == 0 || !it.cross():
	case it.decided && it.result == done:
		it.owner.keeper.DoneSoon(seq)
	default:
		it.owner.keeper.Done(seq)
	}
}

// came is what became of the item.
func (it *laneItem[T]) came(err error) Result[T] {
	return Result[T]{Item: it.value, Key: it.key, Attempts: it.tries(), Err: err}
}

func (it *laneItem[T]) tellResult(err error) {
	l := it.owner
	if l.onResult == nil {
		return
	}
	ctx := it.ctx
	if ctx == nil { // no try runs: it was discarded
		m := newMark(l.ctx)
		defer m.lineage.End()
		ctx = it.afterTries(m.ctx)
	}
	r := it.came(err)
	if it.attempts.Load() > 0 {
		r.Took = time.Duration(l.pool.now() - it.began)
	}
	l.onResult(ctx, r)
}

// waitFor sets the delay before the next try.
func (it *laneItem[T]) waitFor(err error) {
	if it.pause == nil {
		it.pause = &pause{delays: it.owner.cfg.Retry.delays()}
	}
	var after *backoff.RetryAfterError
	if errors.As(err, &after) {
		it.pause.delay = after.Duration
		return
	}
	it.pause.delay = it.pause.delays.NextBackOff()
}
