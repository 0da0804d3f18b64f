package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Save settles the leftovers of a stop: what the [WithSave] function takes is
// Saved; without one, or when it fails, they are Lost, and the error says how
// many. It also says how many dead letters were lost because their handler
// panicked, at any time. It is the batcher's PreDestroy: it may be called
// whether or not the batcher was started or stopped, and stops it at once if
// need be. Called again it does nothing and returns the same.
func (b *Batcher[T]) Save(ctx context.Context) error {
	now, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = b.Stop(now) // its error speaks of the leftovers, which are settled here
	b.settling.Do(func() {
		err := error(&PanicError{Value: errGoexit})
		defer func() { b.saveErr = b.settleLeft(err) }() // deferred: a saver may end its goroutine
		err = b.save(ctx)
	})
	return b.saveErr
}

func (b *Batcher[T]) save(ctx context.Context) error {
	b.mu.Lock()
	items := slices.Clone(b.left.items)
	b.mu.Unlock()
	switch {
	case len(items) == 0:
		return nil
	case b.opts.save == nil:
		return errors.New("nobody saves leftovers; give WithSave")
	}
	return b.guard(func() error { return b.opts.save(ctx, items) })
}

// settleLeft counts the leftovers and says what was lost.
func (b *Batcher[T]) settleLeft(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.left.len()
	b.left, b.inside = lot[T]{}, 0
	var errs []error
	if err == nil {
		b.saved += uint64(n)
	} else {
		b.lost += uint64(n)
		errs = append(errs, &Error{Batcher: b.name, Op: "save", Items: n, Err: fmt.Errorf("lost: %w", err)})
	}
	if b.unburied > 0 {
		errs = append(errs, &Error{Batcher: b.name, Op: "flush", Items: b.unburied, Err: errUnburied})
	}
	return errors.Join(errs...)
}
