package pool

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// laneItem is an item on its way: one allocation.
type laneItem[T any] struct {
	job
	owner    *Lane[T]
	value    T
	attempts int
	began    int64 // of the first try
	// ctx is that of the try that runs, without its timeout: the result hook
	// has it, also when the handler has panicked.
	ctx    context.Context
	delays *backoff.ExponentialBackOff
}

func (l *Lane[T]) newItem(value T) *job {
	it := &laneItem[T]{owner: l, value: value}
	it.job.lane = l.laneCore
	it.job.work = it
	return &it.job
}

// run is one try.
func (it *laneItem[T]) run(ctx context.Context) outcome {
	l := it.owner
	if it.attempts == 0 && l.onResult != nil {
		it.began = l.pool.now()
	}
	it.attempts++
	it.ctx = ctx
	err := it.try(ctx)
	switch {
	case err == nil:
		return it.decide(done, nil)
	case ctx.Err() != nil:
		return cut // by the stop: the timeout of the try ends another context
	case l.retries(err, it.attempts):
		it.delay = it.nextDelay(err)
		it.ctx = nil
		return again
	default:
		return it.decide(failed, err)
	}
}

func (it *laneItem[T]) try(ctx context.Context) error {
	if timeout := it.owner.cfg.Timeout; timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return it.owner.handler(ctx, it.value)
}

// fail ends an item whose handler panicked, or which was discarded.
func (it *laneItem[T]) fail(err error) {
	if !it.decided {
		it.decide(failed, err)
	}
}

// decide settles the outcome and tells the hooks.
func (it *laneItem[T]) decide(o outcome, err error) outcome {
	l := it.owner
	it.decided, it.result = true, o
	tellsFailure := l.onFailure != nil && o == failed && !errors.Is(err, ErrDiscarded)
	// An item that the stop has given up waiting for is no longer ours to tell
	// of.
	if l.onResult == nil && !tellsFailure || !l.ending(&it.job) {
		return o
	}
	ctx := it.ctx
	if ctx == nil { // no try runs: it was discarded
		m := newMark(l.ctx)
		defer m.lineage.End()
		ctx = m.ctx
	}
	r := Result[T]{Item: it.value, Key: it.key, Attempts: it.attempts, Err: err}
	if tellsFailure {
		l.pool.shield(func() { l.onFailure(ctx, r) })
	}
	if l.onResult != nil {
		if it.attempts > 0 {
			r.Took = time.Duration(l.pool.now() - it.began)
		}
		l.onResult(ctx, r)
	}
	return o
}

func (it *laneItem[T]) nextDelay(err error) time.Duration {
	var after *backoff.RetryAfterError
	if errors.As(err, &after) {
		return after.Duration
	}
	if it.delays == nil {
		it.delays = it.owner.cfg.Retry.delays()
	}
	return it.delays.NextBackOff()
}
