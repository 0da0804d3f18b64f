package batch

import (
	"context"
	"fmt"
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
	if err := b.takeTurn(ctx, "start"); err != nil {
		return err
	}
	defer func() { <-b.starting }()
	open, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if needed, err := b.beginStart(cancel); !needed {
		return err
	}
	if b.mode != journal.Off {
		if err := b.keeper.Open(open); err != nil {
			return &Error{Batcher: b.name, Op: "start", Err: err}
		}
	}
	leave := func() {}
	if b.buries {
		leave = b.keeper.Receive(b.redrive)
	}
	if b.run(ctx, leave) {
		return nil
	}
	leave() // it was stopped meanwhile
	if b.mode != journal.Off {
		_ = b.keeper.Close()
	}
	return b.errStopped()
}

// takeTurn waits for who is starting the batcher. Whoever has the turn gives it
// back.
func (b *Batcher[T]) takeTurn(ctx context.Context, op string) error {
	select {
	case b.starting <- struct{}{}:
		return nil
	default:
	}
	select {
	case b.starting <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &Error{Batcher: b.name, Op: op, Err: fmt.Errorf("somebody else is still starting it: %w", context.Cause(ctx))}
	}
}

// beginStart reports whether the batcher is to be started. A stop ends the
// opening of the journal with cancel.
func (b *Batcher[T]) beginStart(cancel context.CancelCauseFunc) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.stopping:
		return false, b.errStopped()
	case b.phase != built:
		return false, nil
	}
	b.past.unopen = cancel
	return true, nil
}

func (b *Batcher[T]) errStopped() error {
	return &Error{Batcher: b.name, Op: "start", Err: ErrClosed}
}

// flightKey is the key of the context of all flushes of a batcher.
type flightKey struct{}

// run starts the goroutines, unless a stop has begun.
func (b *Batcher[T]) run(ctx context.Context, leave func()) bool {
	left := 0
	if b.mode != journal.Off {
		left = b.keeper.Len()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return false
	}
	b.phase, b.leave = running, leave
	base := context.WithValue(context.WithoutCancel(ctx), flightKey{}, b)
	b.base, b.cut = context.WithCancelCause(base)
	b.timer = time.NewTimer(b.cfg.Linger)
	b.timer.Stop()
	b.armLocked(time.Now())
	if b.mode != journal.Off {
		b.past.opened = true
		b.letInLocked()
		b.beginReplayLocked(left)
	}
	go b.tend()
	return true
}

// redrive takes a dead letter back, as new work under its old ID. Where there
// is a journal it goes there before it is accepted, also with onstop: the letter
// is durable until then, and is thrown away after.
func (b *Batcher[T]) redrive(ctx context.Context, it journal.Item[T]) error {
	t := tag{id: it.ID}
	if b.mode != journal.Off {
		return b.addKept(ctx, it.Value, &t, b.blocks())
	}
	return b.add(ctx, it.Value, &t, true)
}

// tend hands out what is ready, and ends lingers. It is the one goroutine that
// starts flushes, so that they inherit its profiler labels and not those of a
// producer.
func (b *Batcher[T]) tend() {
	pprof.SetGoroutineLabels(b.base)
	defer close(b.tended)
	defer b.timer.Stop()
	for {
		b.dispatch()
		select {
		case <-b.wake:
		case <-b.timer.C:
			b.rearm()
		case <-b.halt:
			return
		}
	}
}
