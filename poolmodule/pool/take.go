package pool

import "math"

// takeLocked gives w work, if there is any: one job, or closures. The closures
// stay where they are: the caller must have w stow them before it gives the
// pool's lock back, but need not keep the inbox for it.
func (p *Pool) takeLocked(w *worker) (window []entry, ok bool) {
	if j := p.takeTurnLocked(); j != nil {
		p.assignLocked(w, entry{work: j})
		return nil, true
	}
	if window, ok := p.relieveLocked(w); ok {
		return window, true
	}
	for p.queue.len() > 0 {
		window, pos := p.queue.take(p.shareLocked())
		e := window[0]
		j, ok := e.work.(*job)
		if !ok {
			p.beginBatchLocked(w, len(window)-1, pos+1)
			return window, true
		}
		clear(window)
		if p.beginLocked(j, pos) {
			p.assignLocked(w, e)
			return nil, true
		}
		// Its key is busy: it waits there, not here.
	}
	return p.stealLocked(w)
}

// stow puts what takeLocked has left in place into the batch of w, but the first
// of it, which w begins.
func (w *worker) stow(window []entry) {
	if w.job != nil {
		return
	}
	w.begin(&window[0])
	rest := window[1:]
	if len(rest) > len(w.batch) {
		w.batch = make([]entry, roundUp(len(rest)))
	}
	copy(w.batch, rest)
	clear(rest)
}

// assignLocked gives w one job, and its time if it is timed. Those of lanes are
// counted by the lane's list while they run, the pool's own by the tally.
func (p *Pool) assignLocked(w *worker, e entry) {
	w.job = e.work.(*job)
	w.current, w.at = e.work, e.at
	if w.job.lane == nil {
		w.tally.Store(runningBit)
	}
	p.busyLocked(w)
}

// shareLocked is how much a worker may take: at most its part of what waits,
// so that a batch never starves others, and at most what leaves the bound of
// the queue nearly exact (an eighth of it may be in batches). Jobs are taken one
// by one, and so is everything while there are any.
func (p *Pool) shareLocked() int {
	workers := max(p.cfg.Workers, len(p.workers))
	if p.jobsQueued > 0 || p.queue.len() < 2*workers {
		return 1
	}
	return max(1, min(mostTaken, p.queue.len()/workers, p.cfg.capacity()/(8*workers)))
}

// beginBatchLocked makes w busy with one task, and with n behind it in its
// batch. A worker that is never given more than one has no buffer.
func (p *Pool) beginBatchLocked(w *worker, n int, pos uint64) {
	w.base, w.filled, w.reserved = pos, n, n
	p.reserved += n
	w.tally.Store(runningBit)
	p.busyLocked(w)
}

func roundUp(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// relieveLocked gives w the batch of a worker that has been overtaken by four
// rounds of the longest batches. Where the queue is never empty nobody steals,
// and what is behind a task that takes an hour would wait for an hour while all
// that came later is done. One take in eight looks, at one worker, in turn: looks
// at every take, that robbed whoever was a little late, made the short batches of
// a single submitter slower.
func (p *Pool) relieveLocked(w *worker) (window []entry, ok bool) {
	const takesPerLook, rounds, few = 8, 4, 4
	p.takes++
	if p.reserved == 0 || p.takes%takesPerLook != 0 {
		return nil, false
	}
	v := p.workers[p.takes/takesPerLook%uint(len(p.workers))]
	if p.queue.head()-v.nextInBatch() < uint64(rounds*mostTaken*max(few, len(p.workers))) {
		return nil, false
	}
	stolen, pos := p.robLocked(v, all)
	return p.beginStolenLocked(w, stolen, pos)
}

// stealLocked gives w half of the batch that is the oldest.
func (p *Pool) stealLocked(w *worker) (window []entry, ok bool) {
	stolen, pos := p.robOldestLocked(anywhere, half)
	return p.beginStolenLocked(w, stolen, pos)
}

func half(left int) int { return (left + 1) / 2 }
func all(left int) int  { return left }
func one(left int) int  { return min(1, left) }

func (p *Pool) beginStolenLocked(w *worker, stolen []entry, pos uint64) (window []entry, ok bool) {
	if len(stolen) == 0 {
		return nil, false
	}
	p.beginBatchLocked(w, len(stolen)-1, pos+1)
	return stolen, true
}

// anywhere is before no position.
const anywhere = uint64(math.MaxUint64)

// robOldestLocked takes some of the batch that is the oldest, if it begins before
// a position. If its owner takes the last of it meanwhile, there may be others:
// only when all are empty there is nothing.
func (p *Pool) robOldestLocked(before uint64, some func(left int) int) (stolen []entry, base uint64) {
	for {
		victim := p.oldestBatchLocked()
		if victim == nil || victim.nextInBatch() >= before {
			return nil, 0
		}
		if stolen, base = p.robLocked(victim, some); len(stolen) > 0 {
			return stolen, base
		}
	}
}

// oldestBatchLocked is the worker whose batch holds the task that has waited
// longest, or nil. It looks at all workers, and only when a batch was taken.
func (p *Pool) oldestBatchLocked() (oldest *worker) {
	if p.reserved == 0 {
		return nil
	}
	var least uint64
	for _, w := range p.workers {
		if at := w.nextInBatch(); w.left() > 0 && (oldest == nil || at < least) {
			oldest, least = w, at
		}
	}
	return oldest
}

// nextInBatch is the position of what the worker takes next from its batch.
func (w *worker) nextInBatch() uint64 { return w.base + uint64(headOf(w.tally.Load())) }

// robLocked takes some of what is left in the batch of w, oldest first. The
// slots stay those of w: the caller must clear them before it unlocks.
func (p *Pool) robLocked(w *worker, some func(left int) int) (stolen []entry, base uint64) {
	for {
		t := w.tally.Load()
		head := headOf(t)
		n := some(w.filled - head)
		if n <= 0 {
			return nil, 0
		}
		if w.tally.CompareAndSwap(t, t+uint64(n)*headUnit) {
			given := min(n, w.reserved)
			w.reserved -= given
			p.reserved -= given
			return w.batch[head : head+n], w.base + uint64(head)
		}
	}
}

func (p *Pool) busyLocked(w *worker) {
	w.busy = true
	p.busy++
}
