package journal

import (
	"context"
	"iter"
)

// Journal keeps entries until they are acknowledged. The package comment says
// what is promised. All methods are safe for concurrent use.
type Journal interface {
	// Append writes the entries down, as neighbours, and returns their span;
	// they are durable when it returns nil. On an error none of them was
	// accepted. No entries: an empty span.
	//
	// It blocks while the entries are made durable and, if the store is set
	// up so, while there is no room; ctx ends the waiting for room, not the
	// writing. Errors match [ErrFull], [ErrTooLarge], [ErrClosed], the cause
	// of ctx, or are those of the store.
	//
	// The slice and the payloads are the caller's again when it returns.
	Append(ctx context.Context, entries ...Entry) (Span, error)

	// ID is the id that was made for the entry appended at seq, if it was
	// appended without one and through this very Journal. It costs an
	// allocation, which Append saves those who never look.
	ID(seq uint64) string

	// Ack says that the work of the spans has come to an end: it is not
	// replayed any more. To acknowledge twice, or what is not there, does
	// nothing.
	//
	// An error means that a crash may bring the entries back; until then
	// they count as acknowledged.
	Ack(ctx context.Context, spans ...Span) error

	// Replay yields, in order and each once, what was appended before it
	// began, in this life or an earlier one, and is not acknowledged; what
	// is acknowledged meanwhile may be left out. Memory is bounded whatever
	// the number of entries. The entries are the caller's.
	//
	// An error ends it, with a zero Entry: the cause of ctx, [ErrClosed], or
	// that of the store. It may be begun again.
	Replay(ctx context.Context) iter.Seq2[Entry, error]

	// Len is how many entries are not acknowledged.
	Len() int

	// Close lets go of what the journal holds. Entries that are not
	// acknowledged stay for the next life. Calls that wait return
	// [ErrClosed], and so does everything after; Close again does nothing
	// and returns the same.
	Close() error
}

// Opener opens journals by name: "pool:sms", "batch:orders". It is what a
// component asks for; which store answers is wired elsewhere.
type Opener interface {
	// Open opens the journal of this name, and makes it if it is new. A name
	// that is open already is refused with [ErrLocked]. ctx bounds the time
	// to read what an earlier life has left.
	Open(ctx context.Context, name string) (Journal, error)
}
