package batch

import (
	"context"
	"errors"
	"slices"

	"github.com/lastcall-go/lastcall/journal"
)

// verdict is what one call of the sink said of its items.
type verdict[T any] struct {
	rest  lot[T]   // the items it did not take, in order
	named []reason // the reason of each, where the sink named them
	whole reason   // the error as it came
}

// reason is an error with what it asks for. It is looked into once, where the
// sink's panics are caught: errors.As calls methods of the error, and those of
// a nil pointer in an error panic.
type reason struct {
	err         error
	permanent   bool
	unavailable bool
	panicked    bool
}

func reasonOf(err error) reason {
	return reason{err: err, permanent: isPermanent(err), unavailable: isUnavailable(err)}
}

// asks is why an item failed that ran out of attempts for the reason why.
func (r reason) asks(why journal.Reason) journal.Reason {
	switch {
	case why == journal.ReasonPoison: // how it was found says more
		return why
	case r.permanent:
		return journal.ReasonPermanent
	case r.panicked:
		return journal.ReasonPanic
	default:
		return why
	}
}

// refused is the verdict of a sink that panicked.
func refused[T any](given lot[T], err error) verdict[T] {
	return verdict[T]{rest: given, whole: reason{err: err, panicked: true}}
}

func judge[T any](given lot[T], err error) verdict[T] {
	if err == nil {
		return verdict[T]{}
	}
	whole := reasonOf(err)
	var named ItemErrors
	if !errors.As(err, &named) {
		return verdict[T]{rest: given, whole: whole}
	}
	v := verdict[T]{whole: whole}
	for _, i := range named.failed() {
		if i < 0 || i >= given.len() {
			return verdict[T]{rest: given, whole: whole}
		}
		v.rest.take(given, i)
		v.named = append(v.named, reasonOf(named[i]))
	}
	return v
}

func (v verdict[T]) namesItems() bool { return v.named != nil }

func (v verdict[T]) reason(i int) reason {
	if v.namesItems() {
		return v.named[i]
	}
	return v.whole
}

// unavailable says that no item is at fault.
func (v verdict[T]) unavailable() bool {
	for _, r := range v.named {
		if !r.unavailable {
			return false
		}
	}
	return v.namesItems() || v.whole.unavailable
}

// call gives a lot to the sink once: what its items have had of calls, with
// this one, is calls where it is not on their tags.
func (b *Batcher[T]) call(ctx context.Context, given lot[T], key string, calls int) verdict[T] {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.FlushTimeout)
	defer cancel()
	l := &lent[T]{b: b, lot: given, key: key, calls: calls}
	defer l.over.Store(true)
	ctx = context.WithValue(ctx, itemsKey{}, l)
	var v verdict[T]
	err := b.guard(func() error {
		// Clipped: a sink that appends must not write over the items behind.
		v = judge(given, b.sink(ctx, slices.Clip(given.items)))
		return nil
	})
	if err != nil {
		return refused(given, err)
	}
	return v
}
