package pool

import (
	"context"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/intake"
)

// mostTaken bounds a batch.
const mostTaken = 64

// worker is one goroutine of a pool.
//
// A batch is filled and robbed under the pool's lock; only its owner takes
// from it without. So one compare-and-swap of tally settles who got a task,
// and a thief never meets a buffer that is being filled again.
type worker struct {
	pool *Pool
	wake chan struct{} // capacity 1; sent to by whoever takes the worker off idle

	// tally says what the worker did since it last held the lock. In one
	// word, so that a snapshot sees each task exactly once: in the batch,
	// running or ended.
	tally atomic.Uint64

	// Written by the owner under the pool's lock, or by anybody who holds it
	// while the owner is parked.
	batch    []entry
	filled   int    // how much of batch is in use
	base     uint64 // position of batch[0]
	reserved int    // this worker's part of pool.reserved
	index    int    // in pool.workers
	busy     bool   // counted in pool.busy
	fresh    bool   // its goroutine is not started yet
	searcher bool   // it holds the searching token
	retired  bool   // it is no longer in pool.workers

	// Of the owner alone, and of noticeDrainLocked while it is parked.
	current work
	job     *job // current, if it is one
	result  outcome
	marks   marks
}

// The parts of a tally, lowest bits first.
const (
	headUnit   = 1 << 0 // tasks taken from the batch
	doneUnit   = 1 << 16
	failedUnit = 1 << 32
	runningBit = 1 << 48 // one more is running, and is not a lane's

	partMask = 1<<16 - 1
)

func headOf(t uint64) int      { return int(t & partMask) }
func doneOf(t uint64) uint64   { return t / doneUnit & partMask }
func failedOf(t uint64) uint64 { return t / failedUnit & partMask }
func runningOf(t uint64) int   { return int(t / runningBit) }

func unitOf(o outcome) uint64 {
	if o == failed {
		return failedUnit
	}
	return doneUnit
}

// live is the worker's goroutine. A panic ends one turn of loop, not the
// worker; so no task pays for a defer.
func (w *worker) live() {
	for !w.loop() {
	}
}

// loop works until the worker retires (true) or a task panics (false).
func (w *worker) loop() (retired bool) {
	// Not those of the submitter who happened to need one more worker.
	pprof.SetGoroutineLabels(w.pool.labels)
	defer w.rescue(&retired)
	for {
		e, ok := w.next()
		if !ok {
			return true
		}
		w.do(e)
	}
}

func (w *worker) do(e entry) {
	w.current = e.work
	ctx := w.context()
	if e.at == 0 {
		w.result = e.work.run(ctx)
	} else {
		begin := w.pool.now()
		w.pool.wait.record(begin - e.at)
		w.result = e.work.run(ctx)
		w.pool.run.record(w.pool.now() - begin)
	}
	w.marks.taskEnded()
	w.current = nil
}

// rescue is deferred by loop. It counts a task that did not return as failed
// and lets the worker go on: after a Goexit, which cannot be held up, on a new
// goroutine.
func (w *worker) rescue(retired *bool) {
	if *retired {
		return
	}
	perr := &PanicError{Value: recover()}
	exiting := perr.Value == nil
	if exiting {
		perr.Value = errGoexit
	} else {
		perr.Stack = string(debug.Stack())
	}
	w.result = w.pool.rescued(w.current, w.job, perr)
	w.marks.taskEnded()
	w.current = nil
	if exiting {
		go w.live()
	}
}

// rescued tells everybody concerned of a panic and says how the work is
// counted.
func (p *Pool) rescued(current work, j *job, perr *PanicError) outcome {
	tellPanic(func() { current.fail(perr) })
	if p.opts.onPanic != nil {
		tellPanic(func() { p.opts.onPanic(perr) })
	}
	if j != nil && j.decided {
		return j.result // the handler had ended; it was the result hook that panicked
	}
	return failed
}

// tellPanic shields the worker from a handler of panics that panics.
func tellPanic(fn func()) {
	defer func() { _ = recover() }()
	fn()
}

// next is the task to do now. It publishes the end of the last one and parks
// while there is nothing to do; false means that the worker has retired.
func (w *worker) next() (entry, bool) {
	if e, ok := w.claim(); ok {
		return e, true
	}
	p := w.pool
	p.mu.Lock()
	p.finishLocked(w)
	for {
		calls := p.admitLocked()
		if len(p.workers) > p.cfg.Workers || p.state == stopped {
			p.retireLocked(w)
			// The token, or the work seen by this worker alone, must not go
			// with it.
			calls.worker = p.wakeLocked()
			p.mu.Unlock()
			calls.send()
			return entry{}, false
		}
		if e, ok := p.takeLocked(w); ok {
			calls.worker = p.wakeLocked()
			p.mu.Unlock()
			calls.send()
			return e, true
		}
		p.parkLocked(w)
		p.mu.Unlock()
		calls.send()
		<-w.wake
		p.mu.Lock()
		if w.retired {
			p.mu.Unlock()
			return entry{}, false
		}
		p.stopSearchingLocked(w)
	}
}

// claim takes the next task of the worker's own batch, and in the same step
// counts the last one.
func (w *worker) claim() (entry, bool) {
	for {
		t := w.tally.Load()
		head := headOf(t)
		if head >= w.filled {
			return entry{}, false
		}
		// Failing means that a thief took some: look again.
		if w.tally.CompareAndSwap(t, t+headUnit+unitOf(w.result)) {
			e := w.batch[head]
			w.batch[head] = entry{}
			return e, true
		}
	}
}

// finishLocked publishes what w did since it last held the lock, leaving it
// with nothing.
func (p *Pool) finishLocked(w *worker) {
	p.stopSearchingLocked(w)
	t := w.tally.Load()
	p.ledger.Done += doneOf(t)
	p.ledger.Failed += failedOf(t)
	if runningOf(t) == 1 {
		p.countLocked(w.result)
	}
	w.tally.Store(0)
	w.filled = 0
	p.reserved -= w.reserved
	w.reserved = 0
	if w.busy {
		w.busy = false
		p.busy--
	}
	if j := w.job; j != nil {
		w.job = nil
		p.jobEndedLocked(j, w.result)
	}
}

func (p *Pool) countLocked(o outcome) {
	if o == failed {
		p.ledger.Failed++
	} else {
		p.ledger.Done++
	}
}

// context is what the current task runs with.
func (w *worker) context() context.Context {
	if w.job != nil {
		return w.marks.context(w.pool, w.job.lane)
	}
	if w.marks.shared.ctx != nil && w.pool.gate.State() == intake.Open {
		return w.marks.shared.ctx
	}
	return w.marks.context(w.pool, nil)
}

// marks are the marked contexts of one worker. While gates are open each is
// used for one task after another and costs nothing; once a drain has begun
// every task gets one of its own, which ends with it.
type marks struct {
	shared    mark // for closures
	sharedFor map[*laneCore]mark
	own       mark // of the running task alone
}

type mark struct {
	ctx     context.Context
	lineage *intake.Lineage
}

func newMark(parent context.Context) mark {
	ctx, lineage := intake.Mark(parent)
	return mark{ctx, lineage}
}

func (m *marks) context(p *Pool, l *laneCore) context.Context {
	parent := p.ctx
	draining := p.gate.State() != intake.Open
	if l != nil {
		parent = l.ctx
		draining = draining || l.gate.State() != intake.Open
	}
	if draining {
		m.endShared()
		m.own = newMark(parent)
		return m.own.ctx
	}
	if l == nil {
		if m.shared.ctx == nil {
			m.shared = newMark(parent)
		}
		return m.shared.ctx
	}
	if m.sharedFor == nil {
		m.sharedFor = make(map[*laneCore]mark)
	}
	shared, ok := m.sharedFor[l]
	if !ok {
		shared = newMark(parent)
		m.sharedFor[l] = shared
	}
	return shared.ctx
}

func (m *marks) taskEnded() {
	if m.own.lineage != nil {
		m.own.lineage.End()
		m.own = mark{}
	}
}

func (m *marks) endShared() {
	if m.shared.lineage != nil {
		m.shared.lineage.End()
		m.shared = mark{}
	}
	for l, shared := range m.sharedFor {
		shared.lineage.End()
		delete(m.sharedFor, l)
	}
}
