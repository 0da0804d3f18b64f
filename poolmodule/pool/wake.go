package pool

import "time"

// calls are the goroutines to be woken once the lock is given back.
type calls struct {
	submitters *waiter // a chain
	worker     *worker
}

func (c calls) send() {
	c.worker.call()
	for s := c.submitters; s != nil; {
		next := s.next // s is its owner's again after the send
		s.next = nil
		s.ready <- struct{}{}
		s = next
	}
}

// call wakes a worker that was taken off the idle list, or starts one that was
// just made. nil is nobody.
func (w *worker) call() {
	switch {
	case w == nil:
	case w.fresh:
		w.fresh = false
		go w.live()
	default:
		w.wake <- struct{}{}
	}
}

// nudgeLocked is called wherever room or work may have appeared: it lets
// waiting submitters in and wakes a worker if one is needed.
func (p *Pool) nudgeLocked() calls {
	c := p.admitLocked()
	c.worker = p.wakeLocked()
	return c
}

// wakeLocked returns a worker to call, if there is work that nobody is coming
// for. One at a time is searching; when it has found something it calls the
// next. See "The wake-up rule" in the package documentation.
func (p *Pool) wakeLocked() *worker {
	if p.searching || p.state != started || !p.workLocked() {
		return nil
	}
	var w *worker
	switch n := len(p.idle); {
	case n > 0:
		w = p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.lowIdle = min(p.lowIdle, n-1)
	case len(p.workers) < p.cfg.Workers:
		w = p.spawnLocked(1)[0]
	default:
		return nil
	}
	p.searching, w.searcher = true, true
	return w
}

// workLocked says whether there may be something for a free worker to do. What
// is left in batches is known only roughly, on the safe side.
func (p *Pool) workLocked() bool {
	return p.queue.len() > 0 || len(p.turns) > 0 || p.reserved > 0
}

// mayCallLocked says whether a worker may be called for what comes in next.
func (p *Pool) mayCallLocked() bool {
	return !p.searching && p.state == started && (len(p.idle) > 0 || len(p.workers) < p.cfg.Workers)
}

func (p *Pool) stopSearchingLocked(w *worker) {
	if w.searcher {
		p.searching, w.searcher = false, false
	}
}

// spawnLocked makes n workers; the caller starts their goroutines.
func (p *Pool) spawnLocked(n int) []*worker {
	fresh := make([]*worker, n)
	for i := range fresh {
		w := &worker{pool: p, wake: make(chan struct{}, 1), index: len(p.workers), fresh: true}
		p.workers = append(p.workers, w)
		fresh[i] = w
	}
	p.armReaperLocked()
	return fresh
}

func (p *Pool) parkLocked(w *worker) {
	if p.noticed {
		w.marks.endShared()
	}
	w.marks.endDrained()
	p.idle = append(p.idle, w)
	p.quiet.tellLocked()
}

// retireLocked takes a worker that holds nothing out of the pool.
func (p *Pool) retireLocked(w *worker) {
	w.marks.endShared()
	w.retired = true
	last := len(p.workers) - 1
	p.workers[w.index] = p.workers[last]
	p.workers[w.index].index = w.index
	p.workers[last] = nil
	p.workers = p.workers[:last]
	p.quiet.tellLocked()
	p.empty.tellLocked()
}

// retireIdleLocked retires the n workers that have been idle longest. The
// caller calls them when it has unlocked.
func (p *Pool) retireIdleLocked(n int) []*worker {
	n = min(n, len(p.idle))
	if n <= 0 {
		return nil
	}
	leaving := append([]*worker(nil), p.idle[:n]...)
	kept := copy(p.idle, p.idle[n:])
	clear(p.idle[kept:])
	p.idle = p.idle[:kept]
	p.lowIdle = min(p.lowIdle, kept)
	for _, w := range leaving {
		p.retireLocked(w)
	}
	return leaving
}

// armReaperLocked sees to it that surplus workers go when they are idle. No
// timer runs while there are none.
func (p *Pool) armReaperLocked() {
	if p.reaper != nil || len(p.workers) <= p.cfg.MinWorkers {
		return
	}
	p.lowIdle = len(p.idle)
	p.reaper = time.AfterFunc(p.cfg.IdleTimeout, p.reap)
}

// reap retires as many as were idle all the time since it last looked. That
// takes no clock reading when a worker parks, and the idle list being a stack,
// those at its bottom are the ones.
func (p *Pool) reap() {
	p.lock()
	p.reaper = nil
	var leaving []*worker
	if p.state == started {
		leaving = p.retireIdleLocked(min(p.lowIdle, len(p.workers)-p.cfg.MinWorkers))
		p.armReaperLocked()
	}
	p.unlock()
	callAll(leaving)
}

func callAll(workers []*worker) {
	for _, w := range workers {
		w.call()
	}
}
