package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Drain refuses root work at the lane and waits until nothing of it waits or
// runs in the pool, retries included. It returns early, with an error naming
// how much is left, when ctx ends; the drain itself goes on.
func (l *laneCore) Drain(ctx context.Context) error {
	l.gate.Drain()
	if l.quiet.await(ctx, nil, func() {}) {
		return nil
	}
	return fmt.Errorf("lane %s: drain: %d items left: %w", l.name, l.gate.Ledger().Inside, context.Cause(ctx))
}

func (l *laneCore) stop(ctx context.Context) error {
	l.stopping.run(ctx, func() { l.stopErr = l.doStop(ctx) })
	return l.stopErr
}

func (l *laneCore) doStop(ctx context.Context) error {
	ctx, cancel := budgeted(ctx, l.cfg.StopBudget)
	defer cancel()
	l.gate.Drain()
	var c calls
	closeGate := func() {
		l.gate.Close()
		c = l.refuseWaitersLocked()
	}
	if !l.pool.neverStarted() && l.quiet.await(ctx, l.stopping.hurry, closeGate) {
		c.send()
		// Quiet it may be because the pool's own stop has just cut the last
		// of the items: they are leftovers.
		l.collect()
		l.leave()
		return nil
	}
	return l.cut()
}

// cut takes back what has not begun and gives what has its grace.
func (l *laneCore) cut() error {
	p := l.pool
	p.lock()
	l.gate.Close()
	l.isCut = true
	refused := l.refuseWaitersLocked()
	l.withdrawLocked()
	room := p.nudgeLocked()
	p.quiet.tellLocked()
	p.unlock()

	l.cancel(ErrStopped)
	refused.send()
	room.send()

	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	l.quiet.await(patience, nil, func() {})
	running, replays := l.collect()
	l.leave()
	var errs []error
	if running > 0 {
		errs = append(errs, fmt.Errorf("lane %s: stop: %d handlers still run: they do not heed their context: %w", l.name, running, ErrStopped))
	}
	if replays {
		errs = append(errs, fmt.Errorf("lane %s: stop: the replay still runs: its journal or its codec hangs: %w", l.name, ErrStopped))
	}
	return errors.Join(errs...)
}

// handBackLocked makes j a leftover. It may be late: a stop waits for a burial,
// or for an item to be written down, no longer than for a handler.
func (l *laneCore) handBackLocked(j *job) {
	j.state = jobLeftover
	switch {
	case l.settled && j.inJournal() > 0:
		l.ledger.Saved++
		l.jobs.remove(j)
	case l.settled:
		l.ledger.Lost++
		l.jobs.remove(j)
	default:
		l.leftovers++
		if l.collected {
			l.stopped = append(l.stopped, j)
		}
	}
	l.quiet.tellLocked()
}

// collect takes the leftovers, with those whose handler will not end. It
// returns how many handlers or hooks still run, and whether the replay does.
func (l *laneCore) collect() (running int, replays bool) {
	l.pool.lock()
	defer l.pool.unlock()
	for j := l.jobs.first; j != nil; j = j.next {
		switch j.state {
		case jobRunning, jobBurying, jobEnding:
			running++
			if j.state == jobEnding || !j.takeBack() {
				continue // it is finished but for the hook, or the journal, and will be counted
			}
			l.handBackLocked(j)
		}
		l.stopped = append(l.stopped, j)
	}
	l.collected = true
	return running, l.replay.isFeeding
}

// left are the leftovers so far.
func (l *laneCore) left() []*job {
	l.pool.lock()
	defer l.pool.unlock()
	return slices.Clone(l.stopped)
}

// leave makes the pool forget a lane that is closed, and the box of dead
// letters too.
func (l *laneCore) leave() {
	p := l.pool
	p.lock()
	for i, other := range p.lanes {
		if other == l {
			p.lanes = append(p.lanes[:i:i], p.lanes[i+1:]...)
			break
		}
	}
	leaveBox := l.leaveBox
	l.leaveBox = nil
	p.unlock()
	if leaveBox != nil {
		leaveBox()
	}
}
