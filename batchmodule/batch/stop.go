package batch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// grace is how long a stop whose time is up waits for sinks that were cut.
const grace = 100 * time.Millisecond

// Drain refuses root work from now on, flushes what is inside at once and
// waits until nothing is inside. When ctx ends first it returns the cause and
// how many items are inside; the flushes go on. Before Start it only waits.
func (b *Batcher[T]) Drain(ctx context.Context) error {
	b.gate.Drain()
	cause := b.waitQuiet(ctx)
	if cause == nil {
		return nil
	}
	return &Error{Batcher: b.name, Op: "drain", Items: int(b.ledger().Inside), Err: fmt.Errorf("still inside: %w", cause)}
}

// waitQuiet waits until nothing is inside, and returns why it waits no longer
// when ctx ends, or the batcher stops, before.
func (b *Batcher[T]) waitQuiet(ctx context.Context) error {
	b.mu.Lock()
	if b.quietLocked() {
		b.mu.Unlock()
		return nil
	}
	if b.emptied == nil {
		b.emptied = make(chan struct{})
	}
	emptied := b.emptied
	b.mu.Unlock()

	select {
	case <-emptied:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-b.hurry:
	case <-b.stopped:
	}
	return ErrStopped
}

func (b *Batcher[T]) quietLocked() bool {
	return b.inside == 0 && b.flying.first == nil
}

// Stop drains within ctx (and StopBudget). When the time is up first it cancels
// the flushes in flight with the cause [ErrStopped], cuts the waits for a retry,
// gives the sinks 100 ms to return and hands back what was not delivered, in
// the order in which the batches were begun, with an error that matches
// ErrStopped, the cause, and [ErrHung] if a sink did not return. With no
// leftovers the error is nil.
//
// The caller owns the slice. The items stay Inside in the ledger until
// [Batcher.Save] settles them.
//
// A batcher that was never started hands back everything at once. Stop may be
// called again and at the same time: the caller whose ctx ends first cuts for
// all, and all get the same answer.
func (b *Batcher[T]) Stop(ctx context.Context) ([]T, error) {
	b.mu.Lock()
	first := !b.stopping
	b.stopping = true
	b.mu.Unlock()
	if first {
		b.result, b.stopErr = b.stop(ctx)
		close(b.stopped)
	}
	select {
	case <-b.stopped:
	case <-ctx.Done():
		b.hasten()
		<-b.stopped
	}
	return slices.Clone(b.result), b.stopErr
}

// hasten cuts a stop that another caller began with more time.
func (b *Batcher[T]) hasten() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.hurried {
		b.hurried = true
		close(b.hurry)
	}
}

func (b *Batcher[T]) stop(ctx context.Context) ([]T, error) {
	if b.cfg.StopBudget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.cfg.StopBudget)
		defer cancel()
	}
	b.gate.Drain()
	b.closeSides()
	cause := errNeverStarted
	started := b.started()
	if started {
		cause = b.finish(ctx)
	}
	b.gate.Close()
	b.end()
	if started {
		close(b.halt)
		<-b.tended
	}
	left, hung := b.collect()
	if len(left) == 0 {
		return nil, b.replayHung()
	}
	reason := fmt.Errorf("left over: %w (%w)", ErrStopped, cause)
	if hung > 0 {
		reason = fmt.Errorf("%w; flushes: %d %w", reason, hung, ErrHung)
	}
	return left, &Error{Batcher: b.name, Op: "stop", Items: len(left), Err: reason}
}

func (b *Batcher[T]) started() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.phase == running
}

// closeSides ends what is to bring items in beside Add: letters sent again, and
// a journal that is being opened. The drain has ended the replay.
func (b *Batcher[T]) closeSides() {
	b.mu.Lock()
	leave := b.leave
	if b.past.unopen != nil {
		b.past.unopen(ErrClosed)
	}
	b.mu.Unlock()
	if leave != nil {
		leave()
	}
}

// finish waits until nothing is inside, and returns why not.
func (b *Batcher[T]) finish(ctx context.Context) error {
	if err := b.waitQuiet(ctx); err != nil {
		return err
	}
	// Between quiet and closed, lineage may have brought in more.
	b.gate.Close()
	return b.waitQuiet(ctx)
}

// end lets no flush begin any more, cuts those in flight and gives them their
// grace.
func (b *Batcher[T]) end() {
	b.mu.Lock()
	b.phase = ended
	b.refuseAllLocked()
	grounded := make(chan struct{})
	b.grounded = grounded
	b.tellGroundedLocked()
	b.mu.Unlock()

	if b.cut != nil {
		b.cut(ErrStopped)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-grounded:
	case <-timer.C:
	}
}

// collect takes everything that was not delivered out of the chains. hung
// counts the flushes whose sinks have not returned.
func (b *Batcher[T]) collect() (_ []T, hung int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left lot[T]
	for s := b.flying.first; s != nil; s = s.next {
		s.abandoned = true
		if s.len() > 0 {
			hung++
		}
	}
	bundles := slices.SortedFunc(b.bundlesLocked(), func(x, y *bundle[T]) int { return cmp.Compare(x.seq, y.seq) })
	for _, s := range bundles {
		from := left.len()
		left = left.append(s.lot)
		for i := from; i < len(left.tags); i++ {
			if t := &left.tags[i]; t.at == 0 {
				t.at = s.since.UnixNano()
			}
		}
		s.tellLocked(&Error{Batcher: b.name, Op: "flush", Key: s.line.key, Items: s.len(), Err: ErrStopped})
	}
	b.left = left
	b.open, b.ready, b.flying, b.cutOff = chain[T]{}, chain[T]{}, chain[T]{}, chain[T]{}
	b.lines, b.free = nil, nil
	b.inside, b.collected = left.len()+b.reserved, true
	return left.items, hung
}
