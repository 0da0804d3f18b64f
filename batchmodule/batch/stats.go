package batch

import (
	"iter"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// Stats is one consistent snapshot of a batcher.
type Stats struct {
	Name  string
	State intake.State

	// Inside = Buffered + InFlight + Left.
	Inside   int
	Buffered int // in open batches, or in full ones that wait for a slot
	InFlight int // with the sink, or waiting for a retry
	Left     int // left over by Stop, not settled by Save

	Keys    int           // with items inside; 0 without WithKey
	Waiting int           // calls of Add that wait for room
	Slots   int           // flushes that run, of Config.Parallel
	Oldest  time.Duration // age of the oldest batch, by its first item; 0 if there is none

	// Journal is when items are written down: off, onstop or always.
	Journal journal.Mode
	// DeadLetters is what becomes of items that failed for good.
	DeadLetters DeadLetters
	// Replayed is how many items of an earlier life have entered, ReplayLeft
	// how many have still to; those count as accepted when they enter. What a
	// replay that ended early has left stays in the journal.
	Replayed   uint64
	ReplayLeft int

	Flushes FlushCounts
	Ledger  intake.Ledger
}

// FlushCounts counts the flushes that have ended, by what triggered them.
type FlushCounts struct {
	Count, Bytes, Linger, Room, Manual, Drain uint64
}

// Stats takes a snapshot. It looks at every batch inside, so it costs more
// than reading a counter: ask it by the second, not by the item.
func (b *Batcher[T]) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.flushes
	s := Stats{
		Name:    b.name,
		State:   b.gate.State(),
		Left:    b.left.len(),
		Keys:    len(b.lines),
		Waiting: b.waiting.Len(),
		Slots:   b.slots,
		Flushes: FlushCounts{
			Count: f[TriggerCount], Bytes: f[TriggerBytes], Linger: f[TriggerLinger],
			Room: f[TriggerRoom], Manual: f[TriggerManual], Drain: f[TriggerDrain],
		},
		Ledger: b.ledgerLocked(),

		Journal:     b.mode,
		DeadLetters: NoLetters,
		Replayed:    b.past.entered,
	}
	if b.buries {
		s.DeadLetters = KeepLetters
	}
	if b.past.total > 0 {
		s.ReplayLeft = max(0, b.past.total-int(b.past.entered)-b.keeper.Unreadable())
	}
	s.Inside = int(s.Ledger.Inside)
	for c := b.flying.first; c != nil; c = c.next {
		s.InFlight += c.len()
	}
	s.Buffered = s.Inside - s.InFlight - s.Left
	var since time.Time
	for c := range b.bundlesLocked() {
		if since.IsZero() || c.since.Before(since) {
			since = c.since
		}
	}
	if !since.IsZero() {
		s.Oldest = time.Since(since)
	}
	return s
}

func (b *Batcher[T]) ledger() intake.Ledger {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ledgerLocked()
}

// ledgerLocked counts what is inside by looking at every bundle.
func (b *Batcher[T]) ledgerLocked() intake.Ledger {
	inside := b.left.len()
	for s := range b.bundlesLocked() {
		inside += s.len()
	}
	return intake.Ledger{
		// An Add that waits has not been answered, so it is not offered yet.
		Offered:  b.accepted + b.rejected,
		Accepted: b.accepted,
		Rejected: b.rejected,
		Done:     b.done,
		Failed:   b.failed,
		Saved:    b.saved,
		Lost:     b.lost,
		Inside:   uint64(inside),
	}
}

// bundlesLocked is every bundle there is, in no order.
func (b *Batcher[T]) bundlesLocked() iter.Seq[*bundle[T]] {
	return func(yield func(*bundle[T]) bool) {
		for _, c := range []chain[T]{b.open, b.ready, b.flying, b.cutOff} {
			for s := c.first; s != nil; s = s.next {
				if !yield(s) {
					return
				}
			}
		}
		for _, l := range b.lines {
			for s := l.held.first; s != nil; s = s.next {
				if !yield(s) {
					return
				}
			}
		}
	}
}
