package journal

import (
	"fmt"
	"time"
)

// Entry is a piece of work, written down.
type Entry struct {
	// ID tells a repetition from a new piece of work. Empty at Append: the
	// journal makes one, which is the same at every replay; see
	// [Journal.ID]. The journal does not look for duplicates.
	ID string
	// Seq is the place in the journal, from 1 upwards. The journal gives it;
	// what Append finds here is ignored.
	Seq uint64
	// At is when the work was accepted. It is kept to the nanosecond, in
	// UTC; zero stays zero.
	At time.Time
	// Attempt is how often the work was tried before it was written down.
	Attempt int
	// Kind says which sort of work it is, for whoever keeps several in one
	// journal. May be empty.
	Kind string
	// Key is the key within which order matters, or by which a person finds
	// the work again. May be empty.
	Key string
	// Codec and Version say how to read Payload: "json", 2.
	Codec   string
	Version int
	// Payload is the work itself. May be empty.
	Payload []byte
}

// Span is a row of neighbouring entries, both ends included. The zero Span is
// empty.
type Span struct {
	First, Last uint64
}

// Span is the span of this entry alone.
func (e *Entry) Span() Span { return Span{First: e.Seq, Last: e.Seq} }

// Len is how many entries the span covers.
func (s Span) Len() int {
	if s.First == 0 || s.Last < s.First {
		return 0
	}
	return int(s.Last - s.First + 1)
}

// Contains reports whether the span covers seq.
func (s Span) Contains(seq uint64) bool {
	return s.Len() > 0 && s.First <= seq && seq <= s.Last
}

func (s Span) String() string {
	switch s.Len() {
	case 0:
		return "none"
	case 1:
		return fmt.Sprint(s.First)
	default:
		return fmt.Sprintf("%d-%d", s.First, s.Last)
	}
}
