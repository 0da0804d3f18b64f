package server

import (
	"context"
	"time"
)

// A request is the context of its handler: that of net/http with the gate's
// mark on it, and with an end of its own, for streams that do not end and for
// the cut. Few handlers ask for that end, so it is made by the first who does.

// ending is a context that can be cancelled.
type ending struct {
	context.Context
	cancel context.CancelCauseFunc
}

// Deadline is [context.Context].
func (r *request) Deadline() (time.Time, bool) { return r.visit.Context().Deadline() }

// Done is [context.Context].
func (r *request) Done() <-chan struct{} { return r.makeEnding().Done() }

// Err is [context.Context].
func (r *request) Err() error {
	if e := r.ending.Load(); e != nil {
		return e.Err()
	}
	if r.over.Load() {
		return context.Canceled
	}
	return r.visit.Context().Err()
}

// Value is [context.Context]. Once there is an ending, package context finds
// it here, so that contexts made from this one need no goroutine.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	if e := r.ending.Load(); e != nil {
		return e.Value(key)
	}
	return r.visit.Context().Value(key)
}

// cancel ends the context while the handler runs.
func (r *request) cancel(cause error) { r.makeEnding().cancel(cause) }

// end ends the context after the handler.
func (r *request) end() {
	r.over.Store(true)
	if e := r.ending.Load(); e != nil {
		e.cancel(nil)
	}
}

func (r *request) makeEnding() *ending {
	if e := r.ending.Load(); e != nil {
		return e
	}
	ctx, cancel := context.WithCancelCause(r.visit.Context())
	e := &ending{ctx, cancel}
	if !r.ending.CompareAndSwap(nil, e) {
		cancel(nil) // somebody was faster
		return r.ending.Load()
	}
	// Asked after ours is in its place, as end looks there after it has said
	// that it is over: one of us sees the other.
	if r.over.Load() {
		cancel(nil)
	}
	return e
}
