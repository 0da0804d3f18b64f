package deadletter

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

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
		o.Progress(s.Done + s.Failed + s.Missing + s.Duplicates)
	}
}

// Summary is what came of a call: Matched = Done + Duplicates + Failed +
// Missing, where it was not cut short.
type Summary struct {
	DryRun bool `json:"dry_run,omitempty"`
	// Matched is how many letters, or rows of a file, were chosen. A row that
	// is wrong is always chosen, and an id that no letter has.
	Matched int `json:"matched"`
	// Done is how many were sent, or dropped; in a dry run, would be.
	Done int `json:"done"`
	// Duplicates were letters of work that was sent already by this call: they
	// are thrown away without being sent.
	Duplicates int `json:"duplicates,omitempty"`
	// Failed is how many were not sent; what is in the box of them stays there.
	Failed int `json:"failed,omitempty"`
	// Missing is how many are not in the box: rows of a file, unless
	// Options.Missing, and ids of the filter.
	Missing int `json:"missing,omitempty"`
	// Failures says why something is among Failed or Missing, of the first 1000.
	Failures []Failure `json:"failures,omitempty"`
}

const maxFailures = 1000

// Failure is a letter that was not sent or is not there, or a row that could not
// be read.
type Failure struct {
	Line      int    `json:"line,omitempty"` // of the file, if there is one
	ID        string `json:"id,omitempty"`
	Component string `json:"component,omitempty"`
	Error     string `json:"error"`
}

func (f Failure) String() string {
	text := f.Error
	if f.ID != "" {
		text = strings.TrimSpace(f.Component+" "+f.ID) + ": " + text
	}
	if f.Line > 0 {
		text = fmt.Sprintf("line %d: %s", f.Line, text)
	}
	return text
}

func (s *Summary) fail(line int, l *journal.DeadLetter, err error) {
	if errors.Is(err, errMissing) {
		s.Missing++
	} else {
		s.Failed++
	}
	if len(s.Failures) < maxFailures {
		s.Failures = append(s.Failures, Failure{Line: line, ID: l.ID, Component: l.Component, Error: err.Error()})
	}
}

// failMissing is for the ids of a filter that no letter had.
func (s *Summary) failMissing(f *Filter, ids map[string]bool) {
	if f.Limit > 0 && s.Matched == f.Limit {
		return // the rest of the box was not looked at
	}
	for _, id := range f.IDs {
		if ids[id] {
			delete(ids, id)
			s.Matched++
			s.fail(0, &journal.DeadLetter{ID: id}, errNoSuchLetter)
		}
	}
}

var (
	errMissing      = errors.New("not in the box")
	errNoSuchLetter = missing("there is no such letter in the box")
)

// missing is an error that says in its own words that something is missing.
type missing string

func (m missing) Error() string { return string(m) }

func (m missing) Is(target error) bool { return target == errMissing }

// name is what tells work from other work.
type name struct{ component, id string }

func nameOf(l *journal.DeadLetter) name { return name{l.Component, l.ID} }
