package pool

import (
	"context"
	"runtime/debug"
)

// fullLocked does what the policy says with a task that has no room. It
// unlocks.
func (p *Pool) fullLocked(ctx context.Context, e entry, try bool) error {
	policy := p.cfg.Policy
	j, _ := e.work.(*job)
	switch {
	case try:
		policy = Abort
	case j != nil && (j.patient || policy == CallerRuns && j.keyed):
		policy = Block
	}

	switch policy {
	case Block:
		return p.waitLocked(ctx, e, &p.waiting.line)
	case CallerRuns:
		if p.reserveLocked(j, ontoCaller) {
			p.unlock()
			return nil
		}
		p.acceptLocked(e)
		p.callerBeginsLocked(j)
		p.unlock()
		p.runHere(e.work, j) // a panic is told to the panic handler
		return nil
	case DiscardNewest:
		p.acceptLocked(e)
		p.dropLocked(e)
		p.unlock()
		p.discarded(e)
		return nil
	case DiscardOldest:
		if p.reserveLocked(j, insteadOfOldest) {
			p.unlock()
			return nil
		}
		p.acceptLocked(e)
		p.replaceOldestLocked(e)
		return nil
	default:
		p.rejectLocked(e)
		p.unlock()
		if j != nil && j.lane != nil {
			return j.lane.errFull
		}
		return p.errFull
	}
}

// replaceOldestLocked queues e, which is accepted, and throws away what has
// waited longest. It unlocks.
func (p *Pool) replaceOldestLocked(e entry) {
	victim, ok := p.takeOldestLocked()
	if ok {
		p.enqueueLocked(e)
	} else {
		victim = e
	}
	p.dropLocked(victim)
	c := p.nudgeLocked()
	p.unlock()
	c.send()
	p.discarded(victim)
}

// dropLocked counts e, which is in no queue, as dropped.
func (p *Pool) dropLocked(e entry) {
	p.ledgerOf(e).Dropped++
	if j, ok := e.work.(*job); ok {
		p.releaseKeyLocked(j)
		if j.lane != nil {
			j.lane.jobs.remove(j)
			if j.inJournal() > 0 {
				j.lane.atJournal++ // until discarded has crossed it out
			}
			j.lane.quiet.tellLocked()
		}
	}
	p.quiet.tellLocked()
}

// discarded tells those concerned. The submitter whose goroutine this is has
// no part in a hook that panics.
func (p *Pool) discarded(e entry) {
	p.shield(func() { e.work.fail(ErrDiscarded) })
	if j, ok := e.work.(*job); ok && j.inJournal() > 0 {
		p.lock()
		j.lane.leaveJournalLocked()
		p.unlock()
	}
	if p.opts.onDiscard == nil {
		return
	}
	d := Discard{Pool: p.name}
	if j, ok := e.work.(*job); ok {
		d.Key = j.key
		if j.lane != nil {
			d.Lane = j.lane.name
		}
	}
	p.shield(func() { p.opts.onDiscard(d) })
}

// takeOldestLocked takes the task that has waited longest out of the pool. What
// is in a batch or waits for a busy key left the queue before all that are in it
// now.
func (p *Pool) takeOldestLocked() (entry, bool) {
	before := anywhere
	ks := p.oldestLineLocked()
	if ks != nil {
		before = ks.line[0].pos
	}
	if stolen, _ := p.robOldestLocked(before, one); len(stolen) == 1 {
		e := stolen[0]
		stolen[0] = entry{}
		return e, true
	}
	if ks != nil {
		return entry{work: p.leaveLineLocked(ks)}, true
	}
	if p.queue.len() == 0 {
		return entry{}, false
	}
	e, _ := p.queue.pop()
	if j, ok := e.work.(*job); ok {
		p.unqueueJobLocked(j)
	}
	return e, true
}

func (p *Pool) callerBeginsLocked(j *job) {
	if j == nil || j.lane == nil {
		p.callersOwn++
		return
	}
	j.state = jobRunning
	p.callersLane++
}

// runHere runs accepted work on the goroutine that brought it, and counts it.
func (p *Pool) runHere(task work, j *job) {
	parent := p.ctx
	if j != nil && j.lane != nil {
		parent = j.lane.ctx
	}
	_ = p.runHereWith(parent, task, j)
}

// runHereWith does so also for work that was handed back. It returns the panic,
// if there was one.
func (p *Pool) runHereWith(parent context.Context, task work, j *job) (perr *PanicError) {
	m := newMark(parent)
	result, returned := failed, false
	defer func() {
		if !returned {
			perr = &PanicError{Value: recover(), Stack: string(debug.Stack())}
			if perr.Value == nil { // the goroutine is exiting, and will
				perr = &PanicError{Value: errGoexit}
			}
			result = p.rescued(task, j, perr)
		}
		m.lineage.End()
		p.callerEnded(j, result)
	}()
	result = task.run(m.ctx)
	returned = true
	return nil
}

func (p *Pool) callerEnded(j *job, result outcome) {
	p.lock()
	if j == nil || j.lane == nil {
		p.callersOwn--
		p.countLocked(result)
	} else {
		p.callersLane--
	}
	if j != nil {
		p.jobEndedLocked(j, result)
	}
	p.quiet.tellLocked()
	p.empty.tellLocked()
	c := p.nudgeLocked()
	p.unlock()
	c.send()
}
