package batch

import (
	"context"
	"errors"
	"time"
)

// Trigger says why a batch was flushed when it was.
type Trigger int

// The triggers; see the package comment.
const (
	TriggerCount Trigger = iota
	TriggerBytes
	TriggerLinger
	TriggerRoom
	TriggerManual
	TriggerDrain
	triggers
)

func (t Trigger) String() string {
	names := [...]string{"count", "bytes", "linger", "room", "manual", "drain"}
	if t < 0 || t >= triggers {
		return "unknown"
	}
	return names[t]
}

// MarshalText implements [encoding.TextMarshaler].
func (t Trigger) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Flush tells an observer what came of one batch.
type Flush struct {
	Key     string
	Items   int // how many the batch held
	Failed  int // how many became dead letters
	Lost    int // how many the dead letter handler did not take
	Left    int // how many the end of the stop left over
	Bytes   int64
	Trigger Trigger
	Calls   int           // of the sink: attempts, and parts tried in the search
	Took    time.Duration // from the first call to the end, waits included
	Err     error         // nil when every item is Done
}

// Retrying tells an observer of a call of the sink that failed and will be made
// again.
type Retrying struct {
	Key   string
	Items int           // how many will be tried again
	Calls int           // of the sink for this batch, so far
	After time.Duration // the wait
	Err   error
}

// watch is a call of Batcher.Flush that waits for its bundles.
type watch struct {
	pending int
	errs    []error
	done    chan struct{} // closed when pending is 0
}

// Flush flushes what is in the batcher now and waits until it is settled. It
// returns the errors of all those flushes joined, or the cause of ctx when it
// ends first; the flushes then go on. What is added meanwhile is not waited
// for. Before Start it waits for Start; after Stop it is an error that matches
// [ErrClosed].
func (b *Batcher[T]) Flush(ctx context.Context) error {
	w, err := b.watchAll()
	if err != nil {
		return err
	}
	select {
	case <-w.done:
		return errors.Join(w.errs...)
	case <-ctx.Done():
		return &Error{Batcher: b.name, Op: "flush", Err: context.Cause(ctx)}
	}
}

func (b *Batcher[T]) watchAll() (*watch, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.phase == ended {
		return nil, &Error{Batcher: b.name, Op: "flush", Err: ErrClosed}
	}
	for b.open.first != nil {
		b.sealLocked(b.open.first, TriggerManual)
	}
	w := &watch{done: make(chan struct{})}
	for s := range b.bundlesLocked() {
		s.watches = append(s.watches, w)
		w.pending++
	}
	if w.pending == 0 {
		close(w.done)
	}
	return w, nil
}
