package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Save settles the leftovers of a stop: what the journal holds, or the
// [WithSave] function takes, is Saved; what is in neither is Lost, and the
// error says how many and why. It also says how many dead letters were lost
// because their handler panicked, at any time. At its end the journal is closed; a
// Start that is still opening it is waited for, within ctx.
//
// It is the batcher's PreDestroy: it may be called whether or not the batcher
// was started or stopped, and stops it at once if need be. Called again it does
// nothing and returns the same.
func (b *Batcher[T]) Save(ctx context.Context) error {
	now, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = b.Stop(now) // its error speaks of the leftovers, which are settled here
	b.settling.Do(func() {
		err := error(&PanicError{Value: errGoexit})
		defer func() { b.saveErr = errors.Join(b.settleLeft(err), b.closeJournal(ctx)) }() // deferred: a saver may end its goroutine
		err = b.save(ctx)
	})
	return b.saveErr
}

func (b *Batcher[T]) save(ctx context.Context) error {
	b.mu.Lock()
	left := lot[T]{slices.Clone(b.left.items), slices.Clone(b.left.tags)}
	b.mu.Unlock()
	switch {
	case left.len() == 0:
		return nil
	case b.mode != journal.Off:
		return b.writeDown(ctx, left)
	case b.opts.save == nil:
		return errors.New("nobody saves leftovers; give WithSave, or WithJournal")
	}
	return b.guard(func() error { return b.opts.save(ctx, left.items) })
}

// writeDown puts into the journal what is not in it yet, and what has been tried
// since it came there.
func (b *Batcher[T]) writeDown(ctx context.Context, left lot[T]) error {
	items := make([]journal.Item[T], left.len())
	for i, item := range left.items {
		t := &left.tags[i]
		items[i] = b.record(item, t, b.say(b.opts.key, item), time.Time{})
	}
	err := b.guard(func() error {
		b.renew(ctx, items, left.tags)
		return b.keeper.Save(ctx, items)
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range items { // others may have come behind them meanwhile
		b.left.tags[i].seq = items[i].Seq
	}
	return err
}

// renew has the journal know of the tries of this life. That takes a new entry,
// behind all others: so from the first item on that was tried all are written
// anew, which keeps their order. What cannot be renewed is in the journal all
// the same, as after a kill.
func (b *Batcher[T]) renew(ctx context.Context, items []journal.Item[T], tags []tag) {
	if !b.areLast() {
		return
	}
	var places []int
	var tried []journal.Item[T]
	for i := range items {
		if tags[i].seq > 0 && (tags[i].isTried || len(tried) > 0) {
			places, tried = append(places, i), append(tried, items[i])
		}
	}
	if len(tried) == 0 || b.keeper.Renew(ctx, tried) != nil {
		return
	}
	for n, i := range places {
		items[i] = tried[n]
	}
}

// areLast says that the leftovers are the last in the journal: no part of an
// earlier life has still to enter, and nobody is writing down.
func (b *Batcher[T]) areLast() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.past.cut == nil && !b.past.isPartial && b.reserved == 0
}

// settleLeft counts the leftovers and says what was lost.
func (b *Batcher[T]) settleLeft(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, saved := b.left.len(), 0
	switch {
	case b.mode != journal.Off:
		for _, t := range b.left.tags {
			if t.seq > 0 {
				saved++
			}
		}
	case err == nil:
		saved = n
	}
	b.saved += uint64(saved)
	b.lost += uint64(n - saved)
	b.left, b.inside, b.settled = lot[T]{}, b.reserved, true
	var errs []error
	switch {
	case saved == 0 && n > 0:
		errs = append(errs, &Error{Batcher: b.name, Op: "save", Items: n, Err: fmt.Errorf("lost: %w", err)})
	case saved < n:
		errs = append(errs, &Error{Batcher: b.name, Op: "save", Items: n - saved, Err: fmt.Errorf("lost, of %d left over: %w", n, err)})
	}
	if b.unburied > 0 {
		errs = append(errs, &Error{Batcher: b.name, Op: "flush", Items: b.unburied, Err: errUnburied})
	}
	return errors.Join(errs...)
}

// closeJournal closes what Start has opened. A Start that is still at it will
// close what it opens: so that nothing is open when Save returns, it is waited
// for.
func (b *Batcher[T]) closeJournal(ctx context.Context) error {
	if b.mode == journal.Off {
		return nil
	}
	b.mu.Lock()
	opened := b.past.opened
	b.mu.Unlock()
	if !opened {
		err := b.takeTurn(ctx, "save")
		if err == nil {
			<-b.starting
		}
		return err
	}
	if err := b.keeper.Close(); err != nil {
		return &Error{Batcher: b.name, Op: "save", Err: err}
	}
	return nil
}
