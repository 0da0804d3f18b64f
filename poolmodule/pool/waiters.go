package pool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// waiter is a submitter that waits for room, with what it brings. Whoever
// makes room puts the task into the queue for it: so the order of arrival is
// the order of the queue, and nobody who comes later can overtake.
type waiter struct {
	ctx        context.Context
	entry      entry
	prev, next *waiter
	line       *line         // that it stands in; guarded by Pool.mu
	err        error         // why it was refused; guarded by Pool.mu until ready
	ready      chan struct{} // capacity 1; sent to once, by who takes it out of its last line
}

// line is a FIFO from which anybody may leave.
type line struct {
	first, last *waiter
	n           int
}

// waiters are those who wait for room.
type waiters struct {
	line
	timer *time.Timer // runs admitLate; made when first needed
	armed bool
	// spare is each pool's own: a channel must not leave the synctest bubble
	// it was made in.
	spare sync.Pool
}

func (l *line) empty() bool { return l.first == nil }

func (l *line) len() int { return l.n }

func (l *line) add(w *waiter) {
	w.line = l
	l.n++
	w.prev, w.next = l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

func (l *line) remove(w *waiter) {
	l.n--
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.line = nil, nil, nil
}

// A long queue lets the blocked in by half its length at a time, or after
// patience: one by one they would cost a goroutine switch per task.
const (
	longQueue = 256
	patience  = time.Millisecond
)

// admitLocked lets submitters in where it is time to.
func (p *Pool) admitLocked() calls {
	if p.waiting.empty() {
		return calls{}
	}
	capacity := p.cfg.capacity()
	if room := p.roomLocked(); capacity < longQueue || room <= 0 || room >= capacity/2 {
		return p.admitNowLocked()
	}
	// Half of a queue of slow tasks may take long to come free.
	if !p.waiting.armed {
		p.waiting.armed = true
		if p.waiting.timer == nil {
			p.waiting.timer = time.AfterFunc(patience, p.admitLate)
		} else {
			p.waiting.timer.Reset(patience)
		}
	}
	return calls{}
}

func (p *Pool) admitLate() {
	p.lock()
	p.waiting.armed = false
	c := p.admitNowLocked()
	c.worker = p.wakeLocked()
	p.unlock()
	c.send()
}

// admitNowLocked lets submitters in while there is room. Their gate is asked
// again: a drain may have begun since they came.
func (p *Pool) admitNowLocked() (c calls) {
	var last *waiter
	for !p.waiting.empty() && p.roomLocked() > 0 {
		w := p.waiting.first
		p.waiting.remove(w)
		if w.err = p.gateOf(w.entry).Admit(w.ctx); w.err != nil {
			p.rejectLocked(w.entry)
		} else {
			p.letInLocked(w.entry)
		}
		if last == nil {
			c.submitters = w
		} else {
			last.next = w
		}
		last = w
	}
	return c
}

// gateChanges sends home those who wait for room and have no lineage, and ends
// what no task boundary would end, if the gate drains or is paused. A gate that
// is open again has nobody who waits for that: there is only to be seen to it
// that the next drain is noticed. The gate calls it ([intake.OnChange]), perhaps
// when it has changed again, so it does what the gate says now.
func (p *Pool) gateChanges() {
	p.lock()
	p.noticed = false
	p.noticeDrainLocked()
	c := p.refuseWaitersLocked(p.gate, &p.waiting.line)
	p.unlock()
	c.send()
}

func (l *laneCore) gateChanges() {
	l.pool.lock()
	for _, w := range l.pool.idle {
		w.marks.endDrained()
	}
	c := l.refuseWaitersLocked()
	l.pool.unlock()
	c.send()
}

// refuseWaitersLocked sends home who stands in one of the lines for a gate that
// does not admit him any more.
func (p *Pool) refuseWaitersLocked(g *intake.Gate, lines ...*line) (c calls) {
	for _, l := range lines {
		for w := l.first; w != nil; {
			next := w.next
			if p.gateOf(w.entry) == g {
				if w.err = g.Admit(w.ctx); w.err != nil {
					l.remove(w)
					p.rejectLocked(w.entry)
					w.next, c.submitters = c.submitters, w
				}
			}
			w = next
		}
	}
	return c
}

// waitLocked puts the submitter in line and blocks until it was let in or
// refused, also by a drain (see gateChanges), or its context ends. It unlocks.
func (p *Pool) waitLocked(ctx context.Context, e entry, in *line) error {
	w, ok := p.waiting.spare.Get().(*waiter)
	if !ok {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	w.ctx, w.entry, w.err = ctx, e, nil
	defer func() {
		w.ctx, w.entry = nil, entry{}
		p.waiting.spare.Put(w)
	}()
	gate := p.gateOf(e)
	if err := gate.Admit(ctx); err != nil { // a drain has begun since it was asked
		p.rejectLocked(e)
		p.unlock()
		return err
	}
	in.add(w)
	// Batches may have set room free that nobody has noticed: their workers may
	// not be back for long, or be waiting themselves, right here.
	c := p.nudgeLocked()
	p.unlock()
	c.send()

	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
		err := fmt.Errorf("%s: not let in before the submitter's context ended: %w", gate.Name(), context.Cause(ctx))
		// It had lineage; what cut it short is the stop.
		if refusal := gate.Admit(context.Background()); refusal != nil {
			err = fmt.Errorf("%w (%w)", refusal, err)
		}
		return p.leave(w, err)
	}
}

// leave takes w out of its line, unless somebody has just decided about it.
func (p *Pool) leave(w *waiter, err error) error {
	p.lock()
	if w.line != nil {
		w.line.remove(w)
		p.rejectLocked(w.entry)
		p.unlock()
		return err
	}
	p.unlock()
	<-w.ready
	return w.err
}
