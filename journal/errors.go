package journal

import "errors"

// Why an Append was refused. None of its entries was accepted.
var (
	// ErrFull: there is no room, on the disk or within the bound that was
	// set. It heals when entries are acknowledged or the disk has room.
	ErrFull = errors.New("full: nothing more is saved until entries are acknowledged or the disk has room")
	// ErrTooLarge: the entries would not fit into an empty journal. Trying
	// again is of no use.
	ErrTooLarge = errors.New("too large: the entries would not fit into an empty journal")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("closed: the journal takes and gives nothing any more")
)

// What the state of a store can be.
var (
	// ErrLocked: somebody else holds the journal, in this process or
	// another.
	ErrLocked = errors.New("locked: a journal has one holder")
	// ErrCorrupt: something that was written cannot be read back. What is
	// intact is still replayed.
	ErrCorrupt = errors.New("corrupt: something that was written cannot be read back")
)

// Error says which journal failed at what.
type Error struct {
	// Journal is the name it was opened by.
	Journal string
	// Op is what was going on: open, append, ack, replay, sync or close.
	Op  string
	Err error
}

func (e *Error) Error() string { return "journal " + e.Journal + ": " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
