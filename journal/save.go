package journal

import (
	"context"
	"errors"
	"slices"
	"time"
)

// most of what Save appends with one call.
const saveGroup = 1000

// A store that refuses so many in a row, each alone, takes nothing any more.
const hopeless = 3

const mostErrors = 5 // that Save returns

// errUnwritable: no codec can write the item.
var errUnwritable = errors.New("it cannot be written down")

// saveGrace is how long Save goes on when its context has ended.
const saveGrace = 100 * time.Millisecond

// Save writes down what a stop has left over, in groups, and sets the Seq of
// those that it could. Items with a Seq are there already. The error says why
// some have none. It returns soon after ctx has ended, with what it has done.
func (k *Keeper[T]) Save(ctx context.Context, items []Item[T]) error {
	var errs []error // the first few
	size, refused := saveGroup, 0
	var ended time.Time // when it was seen that ctx has
	for len(items) > 0 {
		if cause := context.Cause(ctx); cause != nil {
			if ended.IsZero() {
				ended = time.Now()
			} else if time.Since(ended) > saveGrace {
				return errors.Join(append(errs, cause)...)
			}
		}
		if items[0].Seq > 0 {
			items = items[1:]
			continue
		}
		n := 1
		for n < min(size, len(items)) && items[n].Seq == 0 {
			n++
		}
		err := k.Keep(ctx, items[:n])
		switch {
		case err == nil:
			items, refused = items[n:], 0
		case n > 1: // one of them may be the cause, or there is room for some
			size = max(1, n/2)
			continue
		case errors.Is(err, ErrClosed), errors.Is(err, ErrFull), errors.Is(err, errNoJournal), ctx.Err() != nil:
			return errors.Join(append(errs, err)...)
		default:
			if errs = append(errs, err); len(errs) > mostErrors {
				errs = errs[:mostErrors]
			}
			items = items[1:]
			if errors.Is(err, errUnwritable) { // the item is the cause, not the store
				break
			}
			if refused++; refused == hopeless {
				return errors.Join(errs...)
			}
		}
		size = min(saveGroup, 2*size)
	}
	return errors.Join(errs...)
}

// Renew writes items anew that are in the journal, behind all that is in it,
// with their Attempt as it is now; then it acknowledges what they were and sets
// their Seq. Their IDs must be set. On an error nothing has changed; a kill in
// between may bring them twice.
func (k *Keeper[T]) Renew(ctx context.Context, items []Item[T]) error {
	fresh := slices.Clone(items)
	for done := 0; done < len(fresh); {
		group := fresh[done:min(len(fresh), done+saveGroup)]
		err := context.Cause(ctx)
		if err == nil {
			err = k.Keep(ctx, group)
		}
		if err != nil {
			k.Done(seqsOf(fresh[:done])...)
			return err
		}
		done += len(group)
	}
	k.Done(seqsOf(items)...)
	copy(items, fresh)
	return nil
}

func seqsOf[T any](items []Item[T]) []uint64 {
	seqs := make([]uint64, len(items))
	for i := range items {
		seqs[i] = items[i].Seq
	}
	return seqs
}
