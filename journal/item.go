package journal

import "time"

// Item is a piece of work of a component, as an [Entry] is one of a journal.
type Item[T any] struct {
	Value T
	// ID tells a repetition from a new piece of work; see [Keeper.ID].
	ID string
	// Key is the key by which a person finds the work again. Keyed says that
	// it is more: the key within which order matters.
	Key   string
	Keyed bool
	// At is when it was accepted. Zero: not known.
	At time.Time
	// Attempt is how often it was tried in earlier lives.
	Attempt int
	// Seq is its place in the journal. Zero: it is not in it.
	Seq uint64
}
