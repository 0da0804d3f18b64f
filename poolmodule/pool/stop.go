package pool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// grace is how long a stop whose time is up waits for tasks to see that their
// context has ended.
const grace = 100 * time.Millisecond

// Drain refuses root work, at the pool and at its lanes, and waits until
// nothing waits or runs in the pool, retries included. It returns early, with
// an error naming how much is left, when ctx ends; the drain itself goes on.
// A drain is not taken back.
func (p *Pool) Drain(ctx context.Context) error {
	p.drainGates()
	if p.quiet.await(ctx, nil, func() {}) {
		return nil
	}
	return fmt.Errorf("pool %s: drain: %d tasks left: %w", p.name, p.Stats().left(), context.Cause(ctx))
}

func (p *Pool) drainGates() {
	p.gate.Drain()
	p.lock()
	lanes := slices.Clone(p.lanes)
	p.unlock()
	for _, l := range lanes {
		l.gate.Drain()
	}
}

func (p *Pool) quietLocked() bool {
	return p.busy == 0 && p.queue.len() == 0 && p.keyWaiting == 0 && p.retrying == 0 &&
		p.entering == 0 && p.callersLocked() == 0
}

// Stop drains the pool and its lanes within ctx (and StopBudget) and ends the
// workers. When the time is up it withdraws what never ran, cancels the
// context of what runs with [ErrStopped] as the cause, and waits 100 ms more
// at most.
//
// It returns, in the order of the queue, the closures that never ran. They
// stay Inside in the ledger until each is settled: see [Task]. Items of lanes
// stay with their lane. The error is not nil if tasks still run; they are
// counted when they end. That the time was up is no error in itself.
//
// A pool that was never started has nobody to finish its work: Stop hands all
// of it back at once. Called again, Stop waits for the first call and returns
// the same; a later call whose ctx ends cuts the waiting of the first short.
// It may run beside Submit. A task that calls it waits for itself.
func (p *Pool) Stop(ctx context.Context) ([]Task, error) {
	p.stopping.run(ctx, func() { p.leftover, p.stopErr = p.stop(ctx) })
	return p.leftover, p.stopErr
}

func (p *Pool) stop(ctx context.Context) ([]Task, error) {
	ctx, cancel := budgeted(ctx, p.stopBudget())
	defer cancel()
	p.drainGates()
	hurry := p.stopping.hurry
	if !p.neverStarted() && p.quiet.await(ctx, hurry, func() {}) {
		// Lanes have nothing inside; closing them now takes no time.
		p.stopLanes(ctx)
		if p.quiet.await(ctx, hurry, p.closeLocked) {
			p.cancel(ErrStopped)
			patience, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			return nil, p.awaitTasks(patience)
		}
	}
	return p.cut()
}

func (p *Pool) stopBudget() time.Duration {
	p.lock()
	defer p.unlock()
	return p.cfg.StopBudget
}

func (p *Pool) neverStarted() bool {
	p.lock()
	defer p.unlock()
	return p.state == created
}

// stopLanes stops all lanes at once: each may need its grace.
func (p *Pool) stopLanes(ctx context.Context) {
	p.lock()
	lanes := slices.Clone(p.lanes)
	p.unlock()
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() { _ = l.stop(ctx) })
	}
	wg.Wait()
}

// closeLocked ends the pool: the gate is closed, workers retire as they come.
func (p *Pool) closeLocked() {
	p.gate.Close()
	p.state = stopped
	if p.reaper != nil {
		p.reaper.Stop()
		p.reaper = nil
	}
}

func (p *Pool) cut() ([]Task, error) {
	// One grace for all: that of the lanes is not followed by another.
	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	lanes := make(chan struct{})
	go func() {
		defer close(lanes)
		p.stopLanes(endedContext())
	}()

	p.lock()
	p.closeLocked()
	tasks := p.withdrawLocked()
	c := p.refuseWaitersLocked(p.gate, &p.waiting.line)
	p.unlock()

	p.cancel(ErrStopped)
	c.send()
	<-lanes
	return tasks, p.awaitTasks(patience)
}

// awaitTasks sends idle workers home and waits for the others, and for those who
// run a task on their own goroutine, until patience ends.
func (p *Pool) awaitTasks(patience context.Context) error {
	p.lock()
	leaving := p.retireIdleLocked(len(p.idle))
	p.unlock()
	callAll(leaving)
	if p.empty.await(patience, nil, func() {}) {
		return nil
	}
	if n := p.running(); n > 0 {
		return fmt.Errorf("pool %s: stop: %d tasks still run: they do not heed their context: %w", p.name, n, ErrStopped)
	}
	return nil // a worker that holds no task is on its way out
}

// running is how many tasks have begun and not ended.
func (p *Pool) running() int {
	p.lock()
	defer p.unlock()
	return p.busy + p.callersLocked()
}

// emptyLocked says that no goroutine is in the pool, be it a worker's or a
// caller's.
func (p *Pool) emptyLocked() bool { return len(p.workers) == 0 && p.callersLocked() == 0 }

// callersLocked is how many tasks run on the goroutine of a caller.
func (p *Pool) callersLocked() int { return p.callersOwn + p.callersLane }
