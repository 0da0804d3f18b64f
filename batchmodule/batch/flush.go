package batch

import (
	"context"
	"errors"
	"runtime/debug"
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
	Left    int // how many the end of the stop left over
	Bytes   int64
	Trigger Trigger
	Calls   int           // of the sink: attempts, and parts tried in the search
	Took    time.Duration // from the first call to the end, waits included
	Err     error         // nil when every item is Done
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
func (b *Batcher[T]) fly(s *bundle[T]) {
	defer b.ground() // deferred: a sink may end its goroutine
	for ; s != nil; s = b.next() {
		b.flush(s)
	}
}

func (b *Batcher[T]) next() *bundle[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nextLocked()
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

// flush brings one bundle to its end and tells those who want to know.
func (b *Batcher[T]) flush(s *bundle[T]) {
	began := time.Now()
	d := &delivery[T]{b: b, s: s}
	report := Flush{Key: s.line.key, Items: len(s.items), Bytes: s.bytes, Trigger: s.trigger}
	d.run()
	if d.abandoned {
		return // Stop has settled it
	}
	report.Failed, report.Left, report.Calls = d.failed, len(s.items), d.calls
	report.Err = d.error()
	report.Took = time.Since(began)
	err := errors.Join(report.Err, b.observe(report))
	if len(s.items) == 0 {
		clear(s.store) // a recycled slice must not keep items alive
	}
	b.land(s, err)
}

func (b *Batcher[T]) observe(report Flush) error {
	if b.opts.flushed == nil {
		return nil
	}
	return guard(func() error { b.opts.flushed(report); return nil })
}

// settle counts what has come of the items of a bundle in flight: n are not in
// rest, failed of them are dead letters, the others Done. It reports false, and
// counts nothing, when a stop has taken the items over.
func (b *Batcher[T]) settle(s *bundle[T], rest []T, failed int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.abandoned {
		return false
	}
	n := len(s.items) - len(rest)
	s.items = rest
	b.done += uint64(n - failed)
	b.failed += uint64(failed)
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

// call gives items to the sink once.
func (b *Batcher[T]) call(ctx context.Context, items []T) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.FlushTimeout)
	defer cancel()
	// Clipped: a sink that appends must not write over the items behind.
	return guard(func() error { return b.sink(ctx, items[:len(items):len(items)]) })
}

// guard turns a panic of the user's function into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: string(debug.Stack())}
		}
	}()
	return fn()
}
