package batch

import (
	"context"
	"runtime/pprof"
	"time"

	"github.com/lastcall-go/lastcall/journal"
)

// Start begins to flush, also what was added before. The values of ctx are
// there in the flush contexts, and its profiler labels ([pprof.WithLabels]) on
// their goroutines.
//
// Without a journal it returns at once, and the end of ctx means nothing. With
// one it opens the journal, within ctx, and begins to replay what an earlier
// life has left; an error of the journal is returned, and Start may be called
// again.
//
// Starting again does nothing; after [Batcher.Stop] it is an error that
// matches [ErrClosed].
func (b *Batcher[T]) Start(ctx context.Context) error {
	if b.mode == journal.Off {
		return b.run(ctx, 0)
	}
	select { // whoever starts it beside another waits for the outcome
	case b.starting <- struct{}{}:
		defer func() { <-b.starting }()
	case <-ctx.Done():
		return &Error{Batcher: b.name, Op: "start", Err: context.Cause(ctx)}
	}
	open, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if needed, err := b.beginOpening(cancel); !needed {
		return err
	}
	if err := b.keeper.Open(open); err != nil {
		return &Error{Batcher: b.name, Op: "start", Err: err}
	}
	err := b.run(ctx, b.keeper.Len())
	if err != nil { // stopped meanwhile
		_ = b.keeper.Close()
	}
	return err
}

// beginOpening reports whether the journal is to be opened. A stop ends that
// with cancel.
func (b *Batcher[T]) beginOpening(cancel context.CancelCauseFunc) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping || b.phase != built {
		return false, b.startableLocked()
	}
	b.past.unopen = cancel
	return true, nil
}

// startableLocked is why the batcher cannot be started any more.
func (b *Batcher[T]) startableLocked() error {
	if b.stopping {
		return &Error{Batcher: b.name, Op: "start", Err: ErrClosed}
	}
	return nil
}

// run starts the goroutines. An earlier life has left so many items.
func (b *Batcher[T]) run(ctx context.Context, left int) error {
	leave := func() {}
	if b.buries {
		leave = b.keeper.Receive(b.redrive)
	}
	b.mu.Lock()
	if b.stopping || b.phase != built {
		err := b.startableLocked()
		b.mu.Unlock()
		leave()
		return err
	}
	defer b.mu.Unlock()
	b.phase, b.leave = running, leave
	b.base, b.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	b.timer = time.NewTimer(b.cfg.Linger)
	b.timer.Stop()
	b.armLocked(time.Now())
	if b.mode != journal.Off {
		b.past.opened = true
		b.letInLocked()
		b.beginReplayLocked(left)
	}
	go b.tend()
	return nil
}

// redrive takes a dead letter back.
func (b *Batcher[T]) redrive(ctx context.Context, it journal.Item[T]) error {
	t := tagOf(&it)
	return b.add(ctx, it.Value, &t, b.cfg.WhenFull == Block)
}

// tend hands out what is ready, ends lingers and notices the drain. It is the
// one goroutine that starts flushes, so that they inherit its profiler labels
// and not those of a producer.
func (b *Batcher[T]) tend() {
	pprof.SetGoroutineLabels(b.base)
	defer close(b.tended)
	defer b.timer.Stop()
	draining := b.gate.Draining()
	for {
		b.dispatch()
		select {
		case <-b.wake:
		case <-b.timer.C:
			b.rearm()
		case <-draining:
			draining = nil
			b.cutReplay()
		case <-b.halt:
			return
		}
	}
}
