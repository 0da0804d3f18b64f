package deadletter

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/lastcall-go/lastcall/journal"
)

// Box is where letters are, and from where they are sent back: a
// *[journal.DeadLetters] in a running service, an [Offline] where none runs.
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

// Redrive sends letters back as they are. It waits as the components do. A
// letter that is not accepted stays, and the next is tried; the error is that
// of ctx, or of the box.
func Redrive(ctx context.Context, box Box, o Options) (Summary, error) {
	s := Summary{DryRun: o.DryRun}
	sent := map[name]bool{}
	for l, err := range o.Filter.Of(box.All(ctx)) {
		if err != nil {
			return s, err
		}
		s.Matched++
		twice := sent[nameOf(&l)]
		switch err := redriveOne(ctx, box, &l, twice, o.DryRun); {
		case err != nil && ctx.Err() != nil:
			return s, fmt.Errorf("cut short: %w", errors.Join(context.Cause(ctx), err))
		case err != nil:
			s.fail(0, &l, err)
		case twice:
			s.Duplicates++
		default:
			sent[nameOf(&l)] = true
			s.Done++
		}
		o.progress(&s)
	}
	return s, nil
}

func redriveOne(ctx context.Context, box Box, l *journal.DeadLetter, twice, dry bool) error {
	if err := check(box, l); err != nil {
		return err
	}
	switch {
	case dry:
		return ctx.Err()
	case twice:
		return box.Drop(ctx, l.Seq)
	default:
		return box.Redrive(ctx, *l)
	}
}

// check says of a letter, before it is sent, that it cannot be.
func check(box Box, l *journal.DeadLetter) error {
	if l.Codec == unwritten {
		return errUnwritten
	}
	if c, ok := box.(interface {
		Check(journal.DeadLetter) error
	}); ok {
		return c.Check(*l)
	}
	return nil
}

// unwritten is the codec of letters whose work no codec could write.
const unwritten = "none"

var errUnwritten = errors.New(`its work was never written down, the payload is only a description; edit the letter and give it a codec, or drop it`)

// dropGroup is how many letters are dropped at a time.
const dropGroup = 1000

// Drop throws letters away for good.
func Drop(ctx context.Context, box Box, o Options) (Summary, error) {
	s := Summary{DryRun: o.DryRun}
	var group []uint64
	flush := func() error {
		if !o.DryRun {
			if err := box.Drop(ctx, group...); err != nil {
				return err
			}
		}
		s.Done += len(group)
		group = group[:0]
		o.progress(&s)
		return ctx.Err()
	}
	for l, err := range o.Filter.Of(box.All(ctx)) {
		if err != nil {
			return s, err
		}
		s.Matched++
		if group = append(group, l.Seq); len(group) == dropGroup {
			if err := flush(); err != nil {
				return s, err
			}
		}
	}
	return s, flush()
}

// SendBack sends the letters of a file, which may have been edited: payload,
// codec, version and key are those of the file, everything else is the box's.
// When one was accepted, the letters of the same component and id are thrown
// away. A letter that is not in the box is refused unless Options.Missing.
//
// A row that is wrong is a failure, and the next is tried. The error is that
// of ctx, of the box or of the file as a whole.
func SendBack(ctx context.Context, box Box, rows iter.Seq2[Row, error], o Options) (Summary, error) {
	s := Summary{DryRun: o.DryRun}
	there, err := index(ctx, box)
	if err != nil {
		return s, err
	}
	for row, err := range rows {
		if ctx.Err() != nil {
			return s, fmt.Errorf("cut short: %w", context.Cause(ctx))
		}
		var wrong *RowError
		switch {
		case errors.As(err, &wrong):
			s.Matched++
			s.fail(wrong.Line, &journal.DeadLetter{}, wrong.Err)
			o.progress(&s)
			continue
		case err != nil:
			return s, err
		case !o.Filter.Match(&row.Letter):
			continue
		case s.Matched > 0 && s.Matched == o.Filter.Limit:
			return s, nil
		}
		s.Matched++
		switch err := sendOne(ctx, box, there, &row.Letter, o); {
		case err != nil && ctx.Err() != nil:
			return s, fmt.Errorf("cut short: %w", errors.Join(context.Cause(ctx), err))
		case err != nil:
			s.fail(row.Line, &row.Letter, err)
		default:
			s.Done++
		}
		o.progress(&s)
	}
	return s, nil
}

// inBox are the letters of one piece of work.
type inBox struct {
	last journal.DeadLetter // without its payload
	seqs []uint64
}

func index(ctx context.Context, box Box) (map[name]*inBox, error) {
	there := map[name]*inBox{}
	for l, err := range box.All(ctx) {
		if err != nil {
			return nil, err
		}
		w := there[nameOf(&l)]
		if w == nil {
			w = &inBox{}
			there[nameOf(&l)] = w
		}
		l.Payload = nil
		w.last = l
		w.seqs = append(w.seqs, l.Seq)
	}
	return there, nil
}

var (
	errMissing = errors.New("it is not in the box: it was sent or dropped meanwhile, or its id or component was changed")
	errSent    = errors.New("it stands in the file twice, and the first was sent")
)

func sendOne(ctx context.Context, box Box, there map[name]*inBox, l *journal.DeadLetter, o Options) error {
	w := there[nameOf(l)]
	switch {
	case w != nil && w.seqs == nil:
		return errSent
	case w == nil && !o.Missing:
		return errMissing
	case w == nil:
		w = &inBox{last: *l}
		there[nameOf(l)] = w
	}
	letter := w.last
	letter.Key, letter.Payload = l.Key, l.Payload
	if l.Codec != "" {
		letter.Codec, letter.Version = l.Codec, l.Version
	}
	letter.Seq = 0 // all of them are dropped below
	if err := check(box, &letter); err != nil {
		return err
	}
	if !o.DryRun {
		if err := box.Redrive(ctx, letter); err != nil {
			return err
		}
		if err := box.Drop(ctx, w.seqs...); err != nil {
			return fmt.Errorf("it was sent, and stays in the box all the same: %w", err)
		}
	}
	w.seqs = nil
	return nil
}
