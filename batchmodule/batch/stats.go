package batch

import (
	"iter"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// Stats is a snapshot of a batcher. All but InJournal and Unreadable was read
// under one lock.
type Stats struct {
	Name  string       `json:"name"`
	State intake.State `json:"state"`
	// Limits are the bounds as they are now.
	Limits Limits `json:"limits"`

	// Inside = Buffered + InFlight + Left.
	Inside   int `json:"inside"`
	Buffered int `json:"buffered"`  // in open batches, or in full ones that wait for a slot
	InFlight int `json:"in_flight"` // with the sink, or waiting for a retry or the dead letters
	Left     int `json:"left"`      // left over by Stop, not settled by Save

	Keys    int           `json:"keys"`    // with items inside; 0 without WithKey
	Waiting int           `json:"waiting"` // calls of Add that wait for room, or for the end of the replay
	Slots   int           `json:"slots"`   // flushes that run, of Limits.Parallel
	Oldest  time.Duration `json:"oldest"`  // age of the oldest batch, by its first item; 0 if there is none

	// Pausing is how many of Slots wait before they try the sink, or the dead
	// letters, again. Trouble is why the last of them does; empty: none does.
	Pausing int    `json:"pausing"`
	Trouble string `json:"trouble,omitempty"`

	// Journal is when items are written down: off, onstop or always.
	Journal journal.Mode `json:"journal"`
	// DeadLetters is what becomes of items that failed for good.
	DeadLetters DeadLetters `json:"dead_letters"`
	// InJournal is how many entries are in the journal and not crossed out;
	// what is to be replayed is among them.
	InJournal int `json:"in_journal"`
	// Writing is how many items have a place and are being written down. They
	// are not inside yet.
	Writing int `json:"writing"`
	// Replayed is how many items of an earlier life have entered, ReplayLeft
	// how many have still to, and Unreadable how many no codec could read.
	// They count as accepted when they enter. What a replay that ended early
	// has left stays in the journal.
	Replayed   int `json:"replayed"`
	ReplayLeft int `json:"replay_left"`
	Unreadable int `json:"unreadable"`

	Flushes FlushCounts   `json:"flushes"`
	Ledger  intake.Ledger `json:"ledger"`
}

// FlushCounts counts the flushes that have ended, by what triggered them.
type FlushCounts struct {
	Count  uint64 `json:"count"`
	Bytes  uint64 `json:"bytes"`
	Linger uint64 `json:"linger"`
	Room   uint64 `json:"room"`
	Manual uint64 `json:"manual"`
	Drain  uint64 `json:"drain"`
}

// Stats takes a snapshot. It looks at every batch inside, so it costs more
// than reading a counter: ask it by the second, not by the item.
func (b *Batcher[T]) Stats() Stats {
	s, opened := b.statsNow()
	if opened {
		s.InJournal, s.Unreadable = b.keeper.Len(), b.keeper.Unreadable()
	}
	s.ReplayLeft = max(0, s.ReplayLeft-s.Unreadable)
	return s
}

func (b *Batcher[T]) statsNow() (_ Stats, opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := b.flushes
	s := Stats{
		Name:    b.name,
		State:   b.gate.State(),
		Limits:  b.limitsLocked(),
		Left:    b.left.len(),
		Keys:    len(b.lines),
		Waiting: b.waiting.Len(),
		Slots:   b.slots,
		Pausing: b.pausing,
		Trouble: b.trouble,
		Flushes: FlushCounts{
			Count: f[TriggerCount], Bytes: f[TriggerBytes], Linger: f[TriggerLinger],
			Room: f[TriggerRoom], Manual: f[TriggerManual], Drain: f[TriggerDrain],
		},
		Ledger: b.ledgerLocked(),

		Journal:     b.mode,
		DeadLetters: NoLetters,
		Writing:     b.reserved,
		Replayed:    b.past.entered,
		ReplayLeft:  b.past.total - b.past.entered,
	}
	if b.buries {
		s.DeadLetters = KeepLetters
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
	return s, b.past.opened
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
