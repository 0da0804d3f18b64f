package batch

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Burial tells an observer of an item that failed for good, and whether the
// dead letters have it.
type Burial struct {
	// ID and Key are those of the item, as in [ItemsOf].
	ID, Key string
	Reason  journal.Reason
	// Attempts counts the calls of the sink that had the item, in all lives.
	Attempts int
	// Cause is the last error of the sink that concerned the item.
	Cause error
	// Err is why the dead letters did not take it: that will be tried again
	// After this time. Nil: they did, or there are none.
	Err   error
	After time.Duration
}

// WithBurial observes every item that failed for good, after the dead letters
// have taken it and each time they have not. A [WithDeadLetter] function is told
// in its place, where there is one. It is called on a goroutine that holds up
// the flush. A panic in it changes nothing.
func WithBurial[T any](observe func(Burial)) Option[T] {
	return when(observe != nil, func(o *options[T]) { o.burial = observe })
}

// box puts one item into the box. While that fails the item keeps its place,
// and its batch the slot: so the producers feel it, and nothing is lost. Its
// entry in the journal is crossed out when it is settled, which a stop may have
// made impossible meanwhile: then there is a letter of it, and it comes again.
func (d *delivery[T]) box(item T, t *tag, r reason, tried int, why journal.Reason, settle func()) fate {
	told := Burial{Reason: why, Attempts: int(t.tried), Cause: r.err}
	var first error
	if tried > 1 {
		first = d.b.plain(t.first)
	}
	last := d.b.plain(r.err)
	for delays := d.b.newDelays(); ; {
		// On a goroutine of its own, as a codec of the user's may end it.
		told.Err = d.b.guardApart(func() error {
			return d.b.keeper.Bury(d.ctx, d.b.record(item, t, d.s.line.key, d.s.since), why, first, last)
		})
		if told.Err == nil {
			d.report(told, item, t)
			return dead
		}
		settle()
		told.After = d.b.delay(delays)
		if !d.cut() {
			d.report(told, item, t)
		}
		if !d.sleep(told.After, told.Err) {
			d.deadErr = cmp.Or(d.deadErr, told.Err)
			return spared
		}
	}
}

// plain is an error as text that can be read without harm.
func (b *Batcher[T]) plain(err error) error {
	if err == nil {
		return nil
	}
	text := fmt.Sprintf("%T, which cannot be looked at", err)
	_ = b.guard(func() error { text = err.Error(); return nil })
	return errors.New(text)
}

// report tells the observer of burials.
func (d *delivery[T]) report(f Burial, item T, t *tag) {
	observe := d.b.opts.burial
	if observe == nil {
		return
	}
	_ = d.b.guardApart(func() error {
		f.ID, f.Key = d.b.idOf(item, t), d.b.labelOf(item, d.s.line.key)
		observe(f)
		return nil
	})
}
