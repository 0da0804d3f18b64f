package batch

import (
	"cmp"
	"context"
	"runtime"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// Add puts an item into the batch of its key. When it returns nil the item is
// accepted: it will be Done, or Failed and told as a dead letter, or left over
// by [Batcher.Stop].
//
// When there is no room it waits, first come, first served, until there is,
// ctx ends or the batcher stops; with [Reject] it returns [ErrFull] at once.
// The other errors match [ErrDraining], [ErrClosed] or the cause of ctx; where
// ctx ends while the batcher is not open any more, both. With any error the
// item was not accepted.
//
// Before Start items are accepted as long as there is room; with a journal they
// are refused with [ErrNotStarted]. While what an earlier life has left enters,
// Add waits, and what does not wait returns [ErrReplaying]. A sink that adds to
// its own batcher does not wait then: it is let in if there is room, and gets
// ErrReplaying if there is none, as the replay may be waiting for its return.
//
// With Config.Journal always the item is in the journal when Add returns nil,
// and an error of the journal is a refusal.
func (b *Batcher[T]) Add(ctx context.Context, item T) error {
	return b.add(ctx, item, nil, true)
}

// TryAdd is Add that never waits: without room, or when others already wait
// for it, it returns [ErrFull].
func (b *Batcher[T]) TryAdd(ctx context.Context, item T) error {
	return b.add(ctx, item, nil, false)
}

// AddAll adds the items in their order and returns how many were accepted.
// With an error, those after them were not. It waits, or refuses, as Add does,
// and costs less per item where there are neither keys nor sizes. With
// Config.Journal always it costs far less, as all that fit are written down
// together.
func (b *Batcher[T]) AddAll(ctx context.Context, items []T) (int, error) {
	if b.always {
		return b.addAllKept(ctx, items, b.blocks())
	}
	n := 0
	for n < len(items) {
		if n += b.addRun(ctx, items[n:]); n == len(items) {
			break
		}
		// The next one meets a key, a size, a full buffer or a refusal.
		if err := b.Add(ctx, items[n]); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// add takes an item in, with what is known of one that is not new. It waits for
// room only where the Config says so, too.
func (b *Batcher[T]) add(ctx context.Context, item T, t *tag, wait bool) error {
	if b.always {
		return b.addKept(ctx, item, t, wait && b.blocks())
	}
	var p place
	if b.measures {
		p = b.measure(item)
	}
	if !b.mu.TryLock() {
		b.lockLater()
	}
	// Nearly every item goes this way, so it is written out, without a call: a
	// goroutine that holds mu for less time finds others waiting less often.
	l := b.only
	if l == nil {
		l = b.lines[p.key]
	}
	if l != nil && l.open != nil && b.calmLocked() {
		if s := l.open; len(s.items)+1 < cap(s.items) { // no bundle is larger than MaxItems
			s.items = append(s.items, item)
			if b.keeper != nil {
				b.tagLocked(s, 1, t)
			}
			b.inside++
			b.accepted++
			b.mu.Unlock()
			return nil
		}
	}
	return b.addLocked(ctx, item, p, t, wait)
}

// lockLater takes mu for a producer that found it taken. Those who wait for a
// mutex make it slow for everybody, as Lock and Unlock leave their short ways:
// so the producer lets others run first, which is mostly enough. When it does
// wait then, the mutex sees to it that it is not for long.
func (b *Batcher[T]) lockLater() {
	runtime.Gosched()
	b.mu.Lock()
}

// calmLocked says that an item for an open bundle that it does not fill may be
// put there, with nobody to be asked, told or woken.
func (b *Batcher[T]) calmLocked() bool {
	return b.simple && b.inside < b.limit && b.waiting.Len() == 0 && b.gate.State() == intake.Open
}

// addLocked is add where calmLocked does not hold, no bundle is open, or the
// one that is has its last item now. It unlocks mu.
func (b *Batcher[T]) addLocked(ctx context.Context, item T, p place, t *tag, wait bool) error {
	// Asked under the lock that the ledger takes: see Gate.Admit.
	if err := b.gate.Admit(ctx); err != nil {
		b.rejected++
		b.mu.Unlock()
		return err
	}
	if b.fitsLocked(p.key, b.limitLocked(ctx)) {
		b.placeLocked(item, p, t)
		b.mu.Unlock()
		return nil
	}
	if !wait || !b.blocks() || b.waitIsVainLocked(ctx) {
		return b.refuse()
	}
	return b.addLater(&waiter[T]{ctx: ctx, item: item, to: p, tag: t})
}

func (b *Batcher[T]) blocks() bool { return b.cfg.WhenFull == Block }

// limitLocked is how many may be inside for who comes with ctx to enter at once.
func (b *Batcher[T]) limitLocked(ctx context.Context) int {
	switch {
	case b.insiderLocked(ctx):
		return b.cfg.Buffer // it need not wait for those who wait for the replay
	case b.waiting.Len() > 0:
		return 0
	default:
		return b.limit
	}
}

// waitIsVainLocked says that it is of no use to wait: only Start opens the
// journal, and only its own return lets an insider in.
func (b *Batcher[T]) waitIsVainLocked(ctx context.Context) bool {
	return b.mode != journal.Off && !b.past.opened || b.insiderLocked(ctx)
}

// insiderLocked says whether who comes with ctx must not be kept waiting for
// the end of the replay: a flush of this very batcher has called it, and the
// replay may be waiting for the room that this flush will free.
func (b *Batcher[T]) insiderLocked(ctx context.Context) bool {
	return b.past.cut != nil && ctx.Value(flightKey{}) == any(b)
}

// refuse says why, and unlocks mu.
func (b *Batcher[T]) refuse() error {
	defer b.mu.Unlock()
	b.rejected++
	return cmp.Or(b.barred, b.full)
}

// addLater waits for room. It unlocks mu.
func (b *Batcher[T]) addLater(w *waiter[T]) error {
	b.queueLocked(w)
	b.mu.Unlock()
	return b.await(w)
}

// addRun places as many items as fit without waiting, under one lock.
func (b *Batcher[T]) addRun(ctx context.Context, items []T) int {
	if b.measures {
		return 0 // both call the user, which is not done under the lock
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting.Len() > 0 || b.gate.Admit(ctx) != nil {
		return 0
	}
	n := max(0, min(len(items), b.limit-b.inside))
	for placed := 0; placed < n; {
		s := b.only.open
		if s == nil {
			s = b.openLocked(b.only)
		}
		some := min(n-placed, b.cfg.MaxItems-len(s.items))
		b.growLocked(s, some)
		s.items = append(s.items, items[placed:placed+some]...)
		if b.keeper != nil {
			b.tagLocked(s, some, nil)
		}
		placed += some
		b.filledLocked(s, some)
	}
	return n
}
