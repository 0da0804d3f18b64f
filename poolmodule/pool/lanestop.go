package pool

import (
	"context"
	"errors"
	"fmt"
)

var errNoSaver = errors.New("no saver is given; see WithSave")

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
		c = l.pool.refuseWaitersLocked(l.gate)
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
	p.mu.Lock()
	l.gate.Close()
	l.isCut = true
	refused := p.refuseWaitersLocked(l.gate)
	l.withdrawLocked()
	room := p.nudgeLocked()
	p.quiet.tellLocked()
	p.mu.Unlock()

	l.cancel(ErrStopped)
	refused.send()
	room.send()

	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	l.quiet.await(patience, nil, func() {})
	running := l.collect()
	l.leave()
	if running > 0 {
		return fmt.Errorf("lane %s: stop: %d handlers still run: they do not heed their context: %w", l.name, running, ErrStopped)
	}
	return nil
}

func (l *laneCore) handBackLocked(j *job) {
	j.state = jobLeftover
	l.leftovers++
	l.quiet.tellLocked()
}

// collect takes the leftovers, with those whose handler will not end. It
// returns how many handlers or hooks still run.
func (l *laneCore) collect() (running int) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	for j := l.jobs.first; j != nil; j = j.next {
		switch j.state {
		case jobEnding: // it is finished but for its hook, and will be counted
			running++
			continue
		case jobRunning:
			running++
			l.handBackLocked(j)
		}
		l.stopped = append(l.stopped, j)
	}
	return running
}

// leave makes the pool forget a lane that is closed.
func (l *laneCore) leave() {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.lanes {
		if other == l {
			p.lanes = append(p.lanes[:i:i], p.lanes[i+1:]...)
			return
		}
	}
}

// settleOnce gives the leftovers to save and counts what came of it.
func (l *laneCore) settleOnce(save func([]*job) error) error {
	l.settling.Do(func() {
		if len(l.stopped) == 0 {
			return
		}
		err := error(&PanicError{Value: errGoexit})
		defer func() { // deferred: a saver may end its goroutine
			if err != nil {
				l.settleErr = fmt.Errorf("lane %s: %d items lost: %w", l.name, len(l.stopped), err)
			}
			l.settle(err == nil)
		}()
		err = save(l.stopped)
	})
	return l.settleErr
}

func (l *laneCore) settle(saved bool) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	n := uint64(len(l.stopped))
	if saved {
		l.ledger.Saved += n
	} else {
		l.ledger.Lost += n
	}
	for _, j := range l.stopped {
		l.jobs.remove(j)
	}
	l.leftovers -= int(n)
}
