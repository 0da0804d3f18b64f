package deadletter

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/journal"
)

// Redrive sends letters back as they are. It waits as the components do. A
// letter that is not accepted stays, and the next is tried; an id of the filter
// that no letter has is among Summary.Missing. The error is that of ctx, or of
// the box.
func Redrive(ctx context.Context, box Box, o Options) (Summary, error) {
	s := Summary{DryRun: o.DryRun}
	sent, ids := map[work]bool{}, o.Filter.ids()
	for l, err := range o.Filter.Of(box.All(ctx)) {
		if err != nil {
			return s, err
		}
		s.Matched++
		delete(ids, l.ID)
		twice := sent[workOf(&l)]
		switch err := redriveOne(ctx, box, &l, twice, o.DryRun); {
		case err != nil && ctx.Err() != nil:
			return s, fmt.Errorf("cut short: %w", errors.Join(context.Cause(ctx), err))
		case err != nil:
			s.fail(0, &l, err)
		case twice:
			s.Duplicates++
		default:
			sent[workOf(&l)] = true
			s.Done++
		}
		o.progress(&s)
	}
	s.failMissing(&o.Filter, ids)
	return s, nil
}

// work tells a letter that came twice from other work that was given the same
// id: it has another payload.
type work struct {
	name
	sum [sha256.Size]byte
}

func workOf(l *journal.DeadLetter) work { return work{nameOf(l), sha256.Sum256(l.Payload)} }

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
	if l.Codec == journal.CodecNone {
		return errUnwritten
	}
	if c, ok := box.(interface {
		Check(journal.DeadLetter) error
	}); ok {
		return c.Check(*l)
	}
	return nil
}

var errUnwritten = errors.New(`its work was never written down, the payload is only a description; edit the letter and give it a codec, or drop it`)
