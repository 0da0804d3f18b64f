package pool

import "github.com/lastcall-go/lastcall/journal"

// Burial tells of one attempt to put an item that failed for good into the
// dead letters.
type Burial struct {
	Lane string `json:"lane"`
	ID   string `json:"id"`
	// Key is that of the dead letter: the item's, or its label; empty: none.
	Key      string         `json:"key,omitempty"`
	Reason   journal.Reason `json:"reason"`
	Attempts int            `json:"attempts"`
	// Cause is why the item failed.
	Cause error `json:"-"`
	// Err is why it could not be buried; it will be tried again. nil: it is in
	// the box.
	Err error `json:"-"`
}

// WithBurial is called after each attempt to put an item into the dead letters,
// on the goroutine that ran it. nil: none.
func WithBurial[T any](fn func(Burial)) LaneOption[T] {
	return func(l *Lane[T]) {
		if fn != nil {
			l.onBurial = fn
		}
	}
}

// death is why an item failed for good.
type death struct {
	reason journal.Reason
	err    error
}

// bury puts the item into the dead letters. If it cannot, the item is to come
// again after a delay, for this alone: it keeps its place in the queue, so that
// a box that takes nothing pushes back.
func (it *laneItem[T]) bury(err error, reason journal.Reason) bool {
	l := it.owner
	var first error
	if it.attempts.Load() > 1 {
		first = it.rec.failing().first
	}
	it.rec.failing().death = &death{reason, err} // until it succeeds, however it fails
	it.result = again
	it.waitFor(nil)
	b := Burial{Lane: l.name, Reason: reason, Attempts: it.tries(), Cause: err}
	b.Err = guard(func() error {
		written := it.written()
		written.ID = l.identity(it.rec)
		b.ID, b.Key = written.ID, written.Key
		return l.keeper.Bury(it.ctx, written, reason, first, inWords(err))
	})
	if b.Err == nil {
		it.result = failed
	}
	if l.onBurial != nil {
		l.pool.shield(func() { l.onBurial(b) })
	}
	return b.Err == nil
}
