package pool

import (
	"context"

	"github.com/lastcall-go/lastcall/intake"
)

// plain is a closure in the queue. A func is one word, so that it becomes a
// work without an allocation.
type plain func(context.Context)

func (f plain) run(ctx context.Context) outcome {
	f(ctx)
	return done
}

func (plain) fail(error) {}

// Submit brings in a task. nil means that it is accepted: it will be run, or
// handed back by [Pool.Stop], or dropped by a discard policy. Otherwise the
// pool is as it was, and the error matches [ErrFull], [ErrDraining] or
// [ErrClosed], or is what ended ctx.
//
// ctx bounds the waiting for room alone; where there is room it is not looked
// at. The task gets a context of the pool's, which ends only when the time of
// a stop is up. Before [Pool.Start] tasks wait in the queue.
func (p *Pool) Submit(ctx context.Context, task func(context.Context)) error {
	if task == nil {
		return errNilTask
	}
	if p.put(plain(task)) {
		return nil
	}
	return p.submit(ctx, plain(task), false)
}

// TrySubmit is Submit that never waits, runs or discards anything: without
// room it returns [ErrFull], whatever the policy. ctx says whether a draining
// pool may let the task in.
func (p *Pool) TrySubmit(ctx context.Context, task func(context.Context)) error {
	if task == nil {
		return errNilTask
	}
	if p.put(plain(task)) {
		return nil
	}
	return p.submit(ctx, plain(task), true)
}

// SubmitBatch brings in tasks in their order, as many under one lock as there
// is room for, the others as Submit would. It returns how many were accepted:
// always the first ones. The error is that of the first one that was not, and
// nil if all were.
func (p *Pool) SubmitBatch(ctx context.Context, tasks []func(context.Context)) (int, error) {
	accepted := 0
	for {
		accepted += p.putAll(tasks[accepted:])
		if accepted == len(tasks) {
			return accepted, nil
		}
		if err := p.Submit(ctx, tasks[accepted]); err != nil {
			return accepted, err
		}
		accepted++
	}
}

// submit is the way in for everything that cannot simply be put in.
func (p *Pool) submit(ctx context.Context, task work, try bool) error {
	if ctx == nil { // to find out further on would leave the locks held
		return errNilContext
	}
	e := entry{work: task}
	p.lock()
	if err := p.askLocked(ctx, e); err != nil {
		p.unlock()
		return err
	}
	if l := laneOf(e); l != nil && l.door != doorOpen && !l.isInsider(ctx) {
		return l.knockLocked(ctx, e, try)
	}
	if !p.fitsLocked() {
		return p.fullLocked(ctx, e, try)
	}
	p.letInLocked(e)
	w := p.wakeLocked()
	p.unlock()
	w.call()
	return nil
}

// askLocked asks the gate under the lock that its ledger takes: what was
// admitted before a drain is in every snapshot taken after it.
func (p *Pool) askLocked(ctx context.Context, e entry) error {
	gate := p.gateOf(e)
	if gate.State() == intake.Open {
		return nil // as Admit would say
	}
	p.noticeDrainLocked()
	err := gate.Admit(ctx)
	if err != nil {
		p.rejectLocked(e)
	}
	return err
}

// noticeDrainLocked ends the shared marks of parked workers, once: they meet
// no task boundary at which they would do so themselves.
func (p *Pool) noticeDrainLocked() {
	if p.noticed || p.gate.State() == intake.Open {
		return
	}
	p.noticed = true
	for _, w := range p.idle {
		w.marks.endShared()
	}
}

// fitsLocked says whether a newcomer gets in at once: there is room, and
// nobody waits before it.
func (p *Pool) fitsLocked() bool { return p.waiting.empty() && p.roomLocked() > 0 }

// roomLocked is how many more may come in: the free places of the queue and,
// so that a submitter need not wait for a goroutine to be scheduled, the free
// workers.
func (p *Pool) roomLocked() int {
	room := p.freeLocked()
	if room > p.reserved || room <= 0 || p.reserved == 0 {
		return room - p.reserved
	}
	// Batches were counted as they were taken. Now it matters, so look how
	// much of them is left.
	for _, w := range p.workers {
		left := w.left()
		p.reserved += left - w.reserved
		w.reserved = left
	}
	return room - p.reserved
}

// freeLocked is roomLocked, if nothing were left in batches.
func (p *Pool) freeLocked() int {
	free := p.cfg.capacity() - p.queue.len() - p.keyWaiting - p.retrying - p.entering
	if p.state == started {
		free += max(0, p.cfg.Workers-p.busy)
	}
	return free
}

// letInLocked gives e the place there is for it: in the queue, or reserved
// there for as long as it is written down.
func (p *Pool) letInLocked(e entry) {
	j, _ := e.work.(*job)
	if p.reserveLocked(j, intoQueue) {
		return
	}
	p.acceptLocked(e)
	p.enqueueLocked(e)
}

func (p *Pool) enqueueLocked(e entry) {
	if j, ok := e.work.(*job); ok {
		p.queueJobLocked(j)
	}
	in := &p.queue.inbox
	in.push(e)
	if in.sampler.due() {
		p.sampleLast(in)
	}
}

// laneOf is the lane that e came by, or nil.
func laneOf(e entry) *laneCore {
	if j, ok := e.work.(*job); ok {
		return j.lane
	}
	return nil
}

func (p *Pool) gateOf(e entry) *intake.Gate {
	if l := laneOf(e); l != nil {
		return l.gate
	}
	return p.gate
}

func (p *Pool) ledgerOf(e entry) *intake.Ledger {
	if l := laneOf(e); l != nil {
		return &l.ledger
	}
	return &p.ledger
}

func (p *Pool) acceptLocked(e entry) {
	ledger := p.ledgerOf(e)
	ledger.Offered++
	ledger.Accepted++
	if j, ok := e.work.(*job); ok && j.lane != nil {
		j.lane.jobs.add(j)
	}
}

// rejectLocked counts a refusal. What a replay cannot bring in stays in its
// journal and was offered by nobody.
func (p *Pool) rejectLocked(e entry) {
	if j, ok := e.work.(*job); ok && j.rec != nil && j.rec.replayed {
		return
	}
	ledger := p.ledgerOf(e)
	ledger.Offered++
	ledger.Rejected++
}
