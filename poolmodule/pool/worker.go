package pool

import (
	"runtime"
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
	sight    sight

	// Of the owner alone, and of noticeDrainLocked while it is parked.
	current work
	at      int64 // as in entry
	job     *job  // current, if it is one
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
	for w.claim() || w.next() {
		if f, ok := w.current.(plain); ok && w.isOrdinary() {
			f(w.marks.shared.ctx)
			w.result = done
			continue
		}
		w.do()
	}
	return true
}

// isOrdinary says that nothing is to be done about the current closure but to
// run it, with the context that the last one had.
func (w *worker) isOrdinary() bool {
	return w.at == 0 && w.job == nil && w.marks.shared.ctx != nil && w.pool.gate.State() == intake.Open
}

func (w *worker) do() {
	ctx := w.marks.context(w.pool, w.job)
	if w.at == 0 {
		w.result = w.current.run(ctx)
	} else {
		begin := w.pool.now()
		w.pool.wait.record(begin - w.at)
		w.result = w.current.run(ctx)
		w.pool.run.record(w.pool.now() - begin)
	}
	w.marks.taskEnded()
}

// next gets the worker something to do when its batch is used up. It publishes
// the end of the last task and parks while there is nothing to do; false means
// that the worker has retired.
func (w *worker) next() bool {
	w.current = nil
	p := w.pool
	p.lock()
	p.finishLocked(w)
	for {
		p.yieldLocked()
		if len(p.workers) > p.cfg.Workers || p.state == stopped {
			p.retireLocked(w)
			// The token, or the work seen by this worker alone, must not go
			// with it.
			next := p.wakeLocked()
			p.unlock()
			next.call()
			return false
		}
		if window, ok := p.takeLocked(w); ok {
			next := p.wakeLocked()
			p.openInbox()
			w.stow(window)
			p.mu.Unlock()
			next.call()
			return true
		}
		p.parkLocked(w)
		p.unlock()
		<-w.wake
		p.lock()
		if w.retired {
			p.unlock()
			return false
		}
		p.stopSearchingLocked(w)
	}
}

// yieldLocked lets in who waits for room, if it is time to, and lets them go on:
// the queue is half empty, and a worker that ran on would keep them waiting for
// its processor until the other half is gone too. It unlocks meanwhile. The
// worker has nothing in its hands that could be kept from others.
func (p *Pool) yieldLocked() {
	for {
		c := p.admitLocked()
		if c.submitters == nil {
			return
		}
		c.worker = p.wakeLocked()
		p.unlock()
		c.send()
		runtime.Gosched()
		p.lock()
	}
}

// claim takes the next task of the worker's own batch, and in the same step
// counts the last one.
func (w *worker) claim() bool {
	for {
		t := w.tally.Load()
		head := headOf(t)
		if head >= w.filled {
			return false
		}
		// Failing means that a thief took some: look again.
		if w.tally.CompareAndSwap(t, t+headUnit+unitOf(w.result)) {
			w.begin(&w.batch[head])
			return true
		}
	}
}

// begin makes what is in slot the current task, and clears the slot.
func (w *worker) begin(slot *entry) {
	w.current, w.at = slot.work, slot.at
	slot.work = nil
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
