package deadletter

import (
	"context"
	"fmt"
	"iter"

	"github.com/lastcall-go/lastcall/journal"
)

// Box is where letters are, and from where they are sent back: a
// *[journal.DeadLetters] in a running service, an [Offline] where none runs. One
// that has a method Check(journal.DeadLetter) error, too, is asked before it is
// given a letter, and in a dry run instead.
type Box interface {
	// All yields the letters that are in the box, the oldest first.
	All(ctx context.Context) iter.Seq2[journal.DeadLetter, error]
	// Redrive gives a letter to its component and, if its Seq is not 0, throws
	// it away once it was accepted.
	Redrive(ctx context.Context, l journal.DeadLetter) error
	// Drop throws letters away.
	Drop(ctx context.Context, seqs ...uint64) error
}

// Options are what Redrive, SendBack and Drop go by.
type Options struct {
	// Filter chooses the letters. Zero: all.
	Filter Filter
	// DryRun: nothing is changed; the Summary says what would be.
	DryRun bool
	// Missing is for SendBack: send letters, too, that are not in the box.
	Missing bool
	// Progress, if there is one, is told after each letter how many were
	// looked after so far. It is called by the goroutine of the call.
	Progress func(n int)
}

func (o *Options) progress(s *Summary) {
	if o.Progress != nil {
		o.Progress(s.Done + s.Failed + s.Duplicates)
	}
}

// Summary is what came of a call: Matched = Done + Duplicates + Failed, where
// it was not cut short.
type Summary struct {
	DryRun bool `json:"dry_run,omitempty"`
	// Matched is how many letters, or rows of a file, were chosen. A row that
	// is wrong is always chosen.
	Matched int `json:"matched"`
	// Done is how many were sent, or dropped; in a dry run, would be.
	Done int `json:"done"`
	// Duplicates were letters of work that was sent already by this call: they
	// are thrown away without being sent.
	Duplicates int `json:"duplicates,omitempty"`
	// Failed is how many were not sent; they stay in the box. Failures says
	// why, of the first MaxFailures.
	Failed   int       `json:"failed,omitempty"`
	Failures []Failure `json:"failures,omitempty"`
}

// MaxFailures is how many failures a Summary describes.
const MaxFailures = 1000

// Failure is a letter that was not sent, or a row that could not be read.
type Failure struct {
	Line      int    `json:"line,omitempty"` // of the file, if there is one
	ID        string `json:"id,omitempty"`
	Component string `json:"component,omitempty"`
	Error     string `json:"error"`
}

func (f Failure) String() string {
	text := f.Error
	if f.ID != "" {
		text = f.Component + " " + f.ID + ": " + text
	}
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	return text
}

func (s *Summary) fail(line int, l *journal.DeadLetter, err error) {
	s.Failed++
	if len(s.Failures) < MaxFailures {
		s.Failures = append(s.Failures, Failure{Line: line, ID: l.ID, Component: l.Component, Error: err.Error()})
	}
}

// name is what tells work from other work.
type name struct{ component, id string }

func nameOf(l *journal.DeadLetter) name { return name{l.Component, l.ID} }
