package deadletter

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/lastcall-go/lastcall/journal"
)

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
