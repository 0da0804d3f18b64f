package batch

import (
	"context"
	"errors"
	"slices"
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
}

func reasonOf(err error) reason {
	return reason{err: err, permanent: isPermanent(err), unavailable: isUnavailable(err)}
}

// refused is the verdict of a sink that has said nothing one could rely on.
func refused[T any](given lot[T], err error) verdict[T] {
	return verdict[T]{rest: given, whole: reason{err: err}}
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

// call gives a lot to the sink once.
func (b *Batcher[T]) call(ctx context.Context, given lot[T]) verdict[T] {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.FlushTimeout)
	defer cancel()
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
