package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// delivery is the life of one bundle in flight. It alone changes the lot of s, and
// always through Batcher.settle. What it knows is in it, not on a stack: a sink
// can end the goroutine that calls it, and another one then goes on.
type delivery[T any] struct {
	b     *Batcher[T]
	s     *bundle[T]
	ctx   context.Context
	began time.Time
	flush Flush // the report

	held      int                         // how many items the sink has been given and not answered for
	attempts  int                         // of the whole batch, those when the sink was down not counted
	delays    *backoff.ExponentialBackOff // made for the first retry
	calls     int
	failed    int
	lost      int
	err       error    // the first failure
	deadErr   error    // the first failure of the dead letter handler
	abandoned bool     // a stop has taken the items over
	observed  bool     // the observer has been called
	text      string   // that of the error of the flush; empty: it was not asked yet
	seqs      []uint64 // for use in settle
	wrecked   bool

	// The search for poison items.
	searching bool
	pieces    []piece // to be tried, the next one last
	fruitless int     // refusals in a row
	limit     int     // of fruitless
}

func (b *Batcher[T]) newDelivery(s *bundle[T]) *delivery[T] {
	return new(delivery[T]).of(b, s)
}

// of begins the delivery of another bundle, in the memory of the last one.
func (d *delivery[T]) of(b *Batcher[T], s *bundle[T]) *delivery[T] {
	*d = delivery[T]{b: b, s: s, began: time.Now(), seqs: d.seqs, flush: Flush{
		Key: s.line.key, Items: s.len(), Bytes: s.bytes, Trigger: s.trigger,
	}}
	return d
}

// run delivers the bundle: until all is settled, or the stop cuts it.
func (d *delivery[T]) run() {
	ctx, lineage := intake.Mark(d.b.base)
	defer lineage.End()
	d.ctx = ctx
	if d.calls == 0 {
		d.expire()
	}
	goesOn := !d.over()
	if n := d.held; n > 0 { // the sink has ended the goroutine it was called on
		perr := d.b.panicked(&PanicError{Value: errGoexit})
		goesOn = d.heed(d.hear(refused(d.s.front(n), perr), n))
	}
	for goesOn {
		goesOn = d.heed(d.try(d.portion()))
	}
}

// expire makes dead letters of what is too old.
func (d *delivery[T]) expire() {
	most := d.b.cfg.MaxAge
	if most == 0 {
		return
	}
	v, old := verdict[T]{rest: d.s.lot, named: make([]reason, d.s.len())}, 0
	for i := range v.rest.tags {
		if d.began.Sub(time.Unix(0, v.rest.tags[i].at)) > most {
			v.named[i].err = ErrExpired
			old++
		}
	}
	if old > 0 {
		d.err = ErrExpired
		d.bury(v, func(r reason) bool { return r.err != nil }, 0, journal.ReasonExpired)
	}
}

// portion is how many items, from the front, the sink is to be given next.
func (d *delivery[T]) portion() int {
	if n := len(d.pieces); n > 0 {
		return d.pieces[n-1].n
	}
	return d.s.len()
}

// try gives the first n items to the sink.
func (d *delivery[T]) try(n int) verdict[T] {
	d.calls++
	d.held = n
	d.countCall(n)
	calls := d.calls
	if k := len(d.pieces); k > 0 {
		calls = d.pieces[k-1].tried
	}
	return d.hear(d.b.call(d.ctx, d.s.front(n), d.s.line.key, calls), n)
}

// hear settles those of the first n items that the sink took.
func (d *delivery[T]) hear(v verdict[T], n int) verdict[T] {
	d.held = 0
	if d.err == nil {
		d.err = v.whole.err
	}
	d.noteFirst(v)
	if v.rest.len() < n {
		d.fruitless = 0
		d.settle(join(v.rest, d.s.behind(n)), 0, lot[T]{})
	}
	return v
}

// heed does what a verdict asks for. It reports whether the sink is to be
// called again.
func (d *delivery[T]) heed(v verdict[T]) bool {
	if d.searching {
		return d.heedPiece(v)
	}
	if d.over() {
		return false
	}
	if v.namesItems() {
		v = d.bury(v, isPermanentReason, d.calls, journal.ReasonPermanent)
	}
	switch {
	case d.over():
		return false
	case v.unavailable():
		return d.pause(v) // it said nothing of the items
	}
	d.attempts++
	if d.attempts == d.b.cfg.Retry.MaxAttempts || !v.namesItems() && v.whole.permanent {
		return d.giveUp(v)
	}
	return d.pause(v)
}

// giveUp ends the attempts: items that the sink named are dead letters; of a
// batch that failed as a whole the items at fault are searched.
func (d *delivery[T]) giveUp(v verdict[T]) bool {
	if v.namesItems() || v.rest.len() == 1 {
		d.bury(v, anyReason, d.calls, journal.ReasonRetries)
		return false
	}
	return d.search(v)
}

// pause waits for the next attempt. It reports false when the stop cut it.
func (d *delivery[T]) pause(v verdict[T]) bool {
	if d.delays == nil {
		d.delays = d.b.newDelays()
	}
	delay := d.b.delay(d.delays)
	if observe := d.b.opts.retrying; observe != nil {
		told := Retrying{Key: d.s.line.key, Items: v.rest.len(), Calls: d.calls, After: delay, Err: v.whole.err}
		_ = d.b.guard(func() error { observe(told); return nil })
	}
	return d.sleep(delay, v.reason(0).err)
}

func (b *Batcher[T]) newDelays() *backoff.ExponentialBackOff {
	r, delays := b.cfg.Retry, backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval, delays.Multiplier = r.InitialDelay, r.MaxDelay, r.Multiplier
	delays.Reset()
	return delays
}

func (b *Batcher[T]) delay(delays *backoff.ExponentialBackOff) time.Duration {
	return min(delays.NextBackOff(), b.cfg.Retry.MaxDelay)
}

// sleep waits, because of what has failed. It reports false when the stop cut
// it.
func (d *delivery[T]) sleep(delay time.Duration, failed error) bool {
	d.b.pauses(+1, d.b.plain(failed))
	defer d.b.pauses(-1, nil)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !d.cut()
	case <-d.ctx.Done():
		return false
	}
}

// pauses counts the flushes that wait before they try again.
func (b *Batcher[T]) pauses(n int, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pausing += n
	switch {
	case b.pausing == 0:
		b.trouble = ""
	case why != nil:
		b.trouble = why.Error()
	}
}

// cut says that the stop's time is up.
func (d *delivery[T]) cut() bool { return d.ctx.Err() != nil }

// over says that there is nothing more to do for the bundle.
func (d *delivery[T]) over() bool { return d.abandoned || d.cut() || d.s.len() == 0 }

// error is what is to be said of the flush.
func (d *delivery[T]) error() error {
	left, fallen := d.s.len(), d.failed+d.lost
	if left+fallen == 0 {
		return nil
	}
	e := &Error{Batcher: d.b.name, Op: "flush", Key: d.s.line.key, Items: fallen, Err: d.err}
	if d.deadErr != nil {
		e.Err = errors.Join(d.err, d.unburied())
	}
	if left > 0 {
		e.Items, e.Err = left, errors.Join(ErrStopped, e.Err)
	}
	return e
}

// unburied is what is to be said of dead letters that were not taken.
func (d *delivery[T]) unburied() error {
	if d.lost == 0 {
		return fmt.Errorf("dead letters: %w", d.deadErr)
	}
	return fmt.Errorf("%d lost: dead letter handler: %w", d.lost, d.deadErr)
}
