package modules

import (
	"context"
	"errors"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
)

// watched is a journal that says when its disk fails and when it heals, and
// what is in it when it is closed.
type watched struct {
	journal.Journal
	store *store
	name  string

	refuses, forgets atomic.Pointer[error] // why the last Append, the last Ack has failed
}

// Append is that of the journal.
func (w *watched) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	span, err := w.Journal.Append(ctx, entries...)
	if ctx.Err() == nil {
		w.tell(&w.refuses, err, "journal: work is refused, or lost at a stop: it cannot be written down", "journal: work is written down again")
	}
	return span, err
}

// Ack is that of the journal.
func (w *watched) Ack(ctx context.Context, spans ...journal.Span) error {
	err := w.Journal.Ack(ctx, spans...)
	w.tell(&w.forgets, err, "journal: work that is done would come again after a kill: it cannot be crossed out", "journal: work is crossed out again")
	return err
}

// tell logs a change, not each failure.
func (w *watched) tell(failing *atomic.Pointer[error], err error, fails, heals string) {
	switch {
	case err == nil:
		if failing.Load() != nil && failing.Swap(nil) != nil {
			w.store.log.Info(heals, zap.String("journal", w.name))
		}
	case errors.Is(err, journal.ErrClosed), errors.Is(err, journal.ErrTooLarge):
	default:
		if failing.Swap(&err) == nil {
			w.store.log.Warn(fails, zap.String("journal", w.name), zap.Error(err))
		}
	}
}

// Close is that of the journal.
func (w *watched) Close() error {
	w.store.takeBack(w, w.Len())
	return w.Journal.Close()
}
