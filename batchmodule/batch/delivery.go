package batch

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lastcall-go/lastcall/intake"
)

// delivery is the life of one bundle in flight. It alone changes s.items, and
// always through Batcher.settle.
type delivery[T any] struct {
	b   *Batcher[T]
	s   *bundle[T]
	ctx context.Context

	delays    *backoff.ExponentialBackOff // made for the first retry
	calls     int
	failed    int
	err       error // the first failure
	fruitless int   // refusals in a row, while searching
	abandoned bool  // a stop has taken the items over
}

// verdict is what one call of the sink said of its items.
type verdict[T any] struct {
	rest []T     // the items it did not take, in order
	errs []error // the reason of each, where the sink named them
	err  error   // the error as it came
}

func judge[T any](items []T, err error) verdict[T] {
	if err == nil {
		return verdict[T]{}
	}
	var named ItemErrors
	if !errors.As(err, &named) {
		return verdict[T]{rest: items, err: err}
	}
	v := verdict[T]{err: err}
	for _, i := range named.failed() {
		if i < 0 || i >= len(items) {
			return verdict[T]{rest: items, err: err}
		}
		v.rest = append(v.rest, items[i])
		v.errs = append(v.errs, named[i])
	}
	return v
}

func (v verdict[T]) named() bool { return v.errs != nil }

func (v verdict[T]) reason(i int) error {
	if v.named() {
		return v.errs[i]
	}
	return v.err
}

// unavailable says that no item is at fault.
func (v verdict[T]) unavailable() bool {
	for i := range v.errs {
		if !isUnavailable(v.errs[i]) {
			return false
		}
	}
	return v.named() || isUnavailable(v.err)
}

// run delivers the bundle: until all is settled, or the stop cuts it.
func (d *delivery[T]) run() {
	ctx, lineage := intake.Mark(d.b.base)
	defer lineage.End()
	d.ctx = ctx
	for attempt := 1; ; attempt++ {
		v := d.try(len(d.s.items))
		if d.over() {
			return
		}
		if v.named() {
			v = d.bury(v, isPermanent, d.calls)
		}
		switch {
		case d.over():
			return
		case v.unavailable():
			attempt-- // it said nothing of the items
		case attempt == d.b.cfg.Retry.MaxAttempts, !v.named() && isPermanent(v.err):
			d.giveUp(v)
			return
		}
		if !d.pause() {
			return
		}
	}
}

// try gives the first n items to the sink and settles those that it took.
func (d *delivery[T]) try(n int) verdict[T] {
	items, behind := d.s.items[:n], d.s.items[n:]
	d.calls++
	v := judge(items, d.b.call(d.ctx, items))
	if v.err != nil && d.err == nil {
		d.err = v.err
	}
	if len(v.rest) < n {
		d.fruitless = 0
		d.settle(join(v.rest, behind), 0)
	}
	return v
}

// giveUp ends the attempts: items that the sink named are dead letters; of a
// batch that failed as a whole the items at fault are searched.
func (d *delivery[T]) giveUp(v verdict[T]) {
	if v.named() || len(v.rest) == 1 {
		d.bury(v, anyReason, d.calls)
		return
	}
	d.search(v)
}

// bury makes dead letters of those items of v whose reason is of the kind, and
// returns the others. The items are at the front of the bundle and were tried
// so many times.
func (d *delivery[T]) bury(v verdict[T], kind func(error) bool, tried int) verdict[T] {
	kept, behind := verdict[T]{err: v.err}, d.s.items[len(v.rest):]
	dead := 0
	for i, item := range v.rest {
		// After the cut nothing fails any more: it is left over.
		if d.cut() || !kind(v.reason(i)) {
			kept.rest = append(kept.rest, item)
			if v.named() {
				kept.errs = append(kept.errs, v.errs[i])
			}
			continue
		}
		dead++
		d.tell(DeadLetter[T]{Item: item, Key: d.s.line.key, Err: v.reason(i), Attempts: tried})
	}
	if dead > 0 && d.settle(join(kept.rest, behind), dead) {
		d.failed += dead
	}
	return kept
}

func anyReason(error) bool { return true }

func (d *delivery[T]) tell(letter DeadLetter[T]) {
	if d.b.opts.dead == nil {
		return
	}
	err := guard(func() error { d.b.opts.dead(d.ctx, letter); return nil })
	d.err = errors.Join(d.err, err)
}

// pause waits for the next attempt. It reports false when the stop cut it.
func (d *delivery[T]) pause() bool {
	r := d.b.cfg.Retry
	if d.delays == nil {
		d.delays = backoff.NewExponentialBackOff()
		d.delays.InitialInterval, d.delays.MaxInterval, d.delays.Multiplier = r.InitialDelay, r.MaxDelay, r.Multiplier
		d.delays.Reset()
	}
	timer := time.NewTimer(min(d.delays.NextBackOff(), r.MaxDelay))
	defer timer.Stop()
	select {
	case <-timer.C:
		return !d.cut()
	case <-d.ctx.Done():
		return false
	}
}

func (d *delivery[T]) settle(rest []T, failed int) bool {
	d.abandoned = d.abandoned || !d.b.settle(d.s, rest, failed)
	return !d.abandoned
}

// cut says that the stop's time is up.
func (d *delivery[T]) cut() bool { return d.ctx.Err() != nil }

// over says that there is nothing more to do for the bundle.
func (d *delivery[T]) over() bool { return d.abandoned || d.cut() || len(d.s.items) == 0 }

// error is what is to be said of the flush.
func (d *delivery[T]) error() error {
	e := &Error{Batcher: d.b.name, Op: "flush", Key: d.s.line.key}
	switch left := len(d.s.items); {
	case left > 0:
		e.Items, e.Err = left, errors.Join(ErrStopped, d.err)
	case d.failed > 0:
		e.Items, e.Err = d.failed, d.err
	default:
		return nil
	}
	return e
}

// join puts front before behind. It writes neither, as both may be parts of a
// slice that the sink or a stop reads.
func join[T any](front, behind []T) []T {
	switch {
	case len(front) == 0:
		return behind
	case len(behind) == 0:
		return front
	}
	return append(append(make([]T, 0, len(front)+len(behind)), front...), behind...)
}
