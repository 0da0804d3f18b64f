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

// fly flushes bundles as long as there are any whose turn it is.
func (b *Batcher[T]) fly(d *delivery[T]) {
	defer func() {
		if d == nil {
			b.ground()
			return
		}
		// A sink has ended this goroutine, which cannot be held up: another
		// one goes on. Or there is a defect in the batcher.
		if v := recover(); v != nil && !d.wreck(v) {
			panic(v)
		}
		go b.fly(d)
	}()
	for d != nil {
		d.run()
		d.finish()
		d = b.next()
	}
}

func (b *Batcher[T]) next() *delivery[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.nextLocked(); s != nil {
		return b.newDelivery(s)
	}
	return nil
}

// ground gives the slot back. Something may have become ready after next found
// nothing, and its producer saw no free slot: so the keeper looks again.
func (b *Batcher[T]) ground() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slots--
	b.nudgeLocked()
	if b.slots == 0 && b.grounded != nil {
		close(b.grounded)
	}
}

// finish tells those who want to know what came of the bundle.
func (d *delivery[T]) finish() {
	if d.abandoned {
		return // Stop has settled it
	}
	b, s := d.b, d.s
	d.report.Failed, d.report.Lost, d.report.Left, d.report.Calls = d.failed, d.lost, len(s.items), d.calls
	d.report.Err = d.error()
	d.report.Took = time.Since(d.began)
	err := errors.Join(d.report.Err, d.observe())
	if len(s.items) == 0 {
		clear(s.store) // a recycled slice must not keep items alive
	}
	b.land(s, err)
}

func (d *delivery[T]) observe() error {
	switch {
	case d.b.opts.flushed == nil:
		return nil
	case d.observed: // and has ended its goroutine
		return d.b.panicked(&PanicError{Value: errGoexit})
	}
	d.observed = true
	return d.b.guard(func() error { d.b.opts.flushed(d.report); return nil })
}

// settle counts what has come of the items of a bundle in flight: n are not in
// rest, failed of them are dead letters, lost ones those that nobody took, the
// others Done. It reports false, and counts nothing, when a stop has taken the
// items over.
func (b *Batcher[T]) settle(s *bundle[T], rest []T, failed, lost int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.abandoned {
		return false
	}
	n := len(s.items) - len(rest)
	s.items = rest
	b.done += uint64(n - failed - lost)
	b.failed += uint64(failed)
	b.lost += uint64(lost)
	b.unburied += lost
	b.inside -= n
	b.grantLocked()
	return true
}

// land takes a bundle whose flush has ended out of flight.
func (b *Batcher[T]) land(s *bundle[T], err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.abandoned {
		return
	}
	b.flying.remove(s)
	b.flushes[s.trigger]++
	s.tellLocked(err)
	if len(s.items) > 0 {
		b.cutOff.push(s)
		return
	}
	b.releaseLocked(s.line)
	b.recycleLocked(s)
	b.grantLocked() // a key may have become free
	if b.emptied != nil && b.quietLocked() {
		close(b.emptied)
		b.emptied = nil
	}
}

func (s *bundle[T]) tellLocked(err error) {
	for _, w := range s.watches {
		if err != nil {
			w.errs = append(w.errs, err)
		}
		if w.pending--; w.pending == 0 {
			close(w.done)
		}
	}
	s.watches = nil
}
