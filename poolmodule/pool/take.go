package pool

// takeLocked gives w work, a batch if there is plenty, and says whether there
// was any.
func (p *Pool) takeLocked(w *worker) (entry, bool) {
	if j := p.takeTurnLocked(); j != nil {
		p.assignLocked(w, j)
		return entry{work: j}, true
	}
	for p.queue.len() > 0 {
		n := p.shareLocked()
		e, pos := p.queue.pop()
		if j, ok := e.work.(*job); ok {
			if !p.beginLocked(j, pos) {
				continue // its key is busy: it waits there, not here
			}
			p.assignLocked(w, j)
			return e, true
		}
		w.base = pos + 1
		w.filled = p.queue.moveTo(w.roomFor(n - 1))
		p.beginBatchLocked(w)
		return e, true
	}
	return p.stealLocked(w)
}

// assignLocked gives w one job. Those of lanes are counted by the lane's list
// while they run, the pool's own by the tally.
func (p *Pool) assignLocked(w *worker, j *job) {
	w.job = j
	if j.lane == nil {
		w.tally.Store(runningBit)
	}
	p.busyLocked(w)
}

// shareLocked is how much a worker may take: at most its part of what waits,
// so that a batch never starves others, and at most what leaves the bound of
// the queue nearly exact (an eighth of it may be in batches).
func (p *Pool) shareLocked() int {
	workers := max(p.cfg.Workers, len(p.workers))
	return min(mostTaken, p.queue.len()/workers, p.cfg.capacity()/(8*workers))
}

// roomFor is room for a batch of n tasks. A worker that is never
// given more than one task has no buffer.
func (w *worker) roomFor(n int) []entry {
	if n > len(w.batch) {
		w.batch = make([]entry, roundUp(n))
	}
	return w.batch[:max(0, n)]
}

// beginBatchLocked makes w busy with one task, and what is in its batch behind
// it.
func (p *Pool) beginBatchLocked(w *worker) {
	w.reserved = w.filled
	p.reserved += w.filled
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

// stealLocked gives w half of the batch that is the oldest.
func (p *Pool) stealLocked(w *worker) (entry, bool) {
	victim := p.oldestBatchLocked()
	if victim == nil {
		return entry{}, false
	}
	stolen, base := p.robLocked(victim, func(n int) int { return (n + 1) / 2 })
	if len(stolen) == 0 {
		return entry{}, false
	}
	first, rest := stolen[0], stolen[1:]
	w.base = base + 1
	w.filled = copy(w.roomFor(len(rest)), rest)
	clear(stolen)
	p.beginBatchLocked(w)
	return first, true
}

// oldestBatchLocked is the worker whose batch holds the task that has waited
// longest, or nil. It looks at all workers, and only when a batch was taken.
func (p *Pool) oldestBatchLocked() (oldest *worker) {
	if p.reserved == 0 {
		return nil
	}
	var least uint64
	for _, w := range p.workers {
		head := headOf(w.tally.Load())
		if at := w.base + uint64(head); head < w.filled && (oldest == nil || at < least) {
			oldest, least = w, at
		}
	}
	return oldest
}

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
