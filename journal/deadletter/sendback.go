package deadletter

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/lastcall-go/lastcall/journal"
)

// SendBack sends the letters of a file, which may have been edited: payload,
// codec, version and key are those of the file, where it has them, and everything
// else is the box's. Without an encoding the payload is read as it would be
// written. When one was accepted, the letters of the same component and id are thrown
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
		switch err := sendOne(ctx, box, there, &row, o); {
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
	last     journal.DeadLetter // without its payload
	encoding string             // of its payload in a file
	seqs     []uint64
	sent     bool
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
		w.encoding = encodingOf(l.Payload)
		l.Payload = nil
		w.last = l
		w.seqs = append(w.seqs, l.Seq)
	}
	return there, nil
}

// edited is the letter with what a row has changed of it, and without a Seq: all
// letters of the work are dropped when one was sent.
func (w *inBox) edited(row *Row) (journal.DeadLetter, error) {
	l := w.last
	l.Seq = 0
	if !row.absent.key {
		l.Key = row.Letter.Key
	}
	switch {
	case row.Letter.Codec != "" && row.Letter.Codec != l.Codec:
		l.Codec, l.Version = row.Letter.Codec, row.Letter.Version
	case !row.absent.version:
		l.Version = row.Letter.Version
	}
	l.Payload = row.Letter.Payload
	var err error
	if row.absent.encoding {
		l.Payload, err = decodePayload(w.encoding, string(l.Payload))
	}
	return l, err
}

var (
	errNoCodec  = errors.New("codec: is empty, and there is no letter in the box that has one")
	errNoLetter = missing("it is not in the box: it was sent or dropped meanwhile, or its id or component was changed")
	errSent     = errors.New("it stands in the file twice, and the first was sent")
)

func sendOne(ctx context.Context, box Box, there map[name]*inBox, row *Row, o Options) error {
	w := there[nameOf(&row.Letter)]
	switch {
	case w != nil && w.sent:
		return errSent
	case w == nil && !o.Missing:
		return errNoLetter
	case w == nil && row.Letter.Codec == "":
		return errNoCodec
	case w == nil:
		w = &inBox{last: row.Letter}
		there[nameOf(&row.Letter)] = w
	}
	letter, err := w.edited(row)
	if err != nil {
		return err
	}
	if err := check(box, &letter); err != nil {
		return err
	}
	if !o.DryRun {
		if err := box.Redrive(ctx, letter); err != nil {
			return err
		}
		w.sent = true
		if err := box.Drop(ctx, w.seqs...); err != nil {
			return fmt.Errorf("it was sent, and stays in the box all the same: %w", err)
		}
	}
	w.sent = true
	return nil
}
