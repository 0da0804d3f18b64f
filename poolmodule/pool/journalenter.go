package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// way is how an item enters that must be written down before it is accepted.
type way uint8

const (
	straight        way = iota // it need not be written down
	intoQueue                  // to the place that is reserved for it
	ontoCaller                 // to be run by who brings it
	insteadOfOldest            // to the place of what has waited longest
)

// submit is the way in for items that somebody brings. With the journal
// "always" it has three steps, so that no lock is held while the journal
// writes, and nothing is written that is then refused:
//
//	reserve a place ──▶ write the item down ──▶ accept it
//	under the lock      on this goroutine       under the lock
//
// In between the item is inside of nothing, but a stop waits for it. If a stop
// comes all the same it is durable, and so it is accepted and left over.
func (l *Lane[T]) submit(ctx context.Context, it *laneItem[T], try bool) error {
	if it.way == straight {
		if l.pool.putJob(&it.job) {
			return nil
		}
		return l.pool.submit(ctx, &it.job, try)
	}
	if !l.pool.reserve(&it.job) {
		err := l.pool.submit(ctx, &it.job, try)
		if err != nil || it.state != jobEntering { // the last: it was discarded
			return err
		}
	}
	if try { // the context of an append ends the waiting for room, not the writing
		ctx = atOnce
	}
	return l.keep(ctx, it)
}

// atOnce is for who does not wait for room in the journal either.
var atOnce = func() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("TrySubmit does not wait"))
	return ctx
}()

func (l *Lane[T]) keep(ctx context.Context, it *laneItem[T]) error {
	isKept := false
	defer func() { // deferred: a codec, a label or a store may panic
		if !isKept {
			l.pool.giveBack(&it.job)
		}
	}()
	items := [1]journal.Item[T]{it.written()}
	if err := l.keeper.Keep(ctx, items[:]); err != nil {
		return l.notKept(err)
	}
	isKept = true
	it.rec.seq = items[0].Seq
	l.pool.enter(&it.job)
	return nil
}

func (l *laneCore) notKept(err error) error {
	if errors.Is(err, journal.ErrClosed) {
		if refusal := l.gate.Admit(context.Background()); refusal != nil {
			return fmt.Errorf("%w (%w)", refusal, err)
		}
	}
	return fmt.Errorf("lane %s: not accepted: %w", l.name, err)
}

// reserveLocked keeps a place for j, if it must be written down first.
func (p *Pool) reserveLocked(j *job, by way) bool {
	if j == nil || j.way == straight {
		return false
	}
	j.state, j.way = jobEntering, by
	p.entering++
	j.lane.atJournal++
	return true
}

// giveBack takes the place back: the item could not be written down.
func (p *Pool) giveBack(j *job) {
	p.lock()
	p.entering--
	p.rejectLocked(entry{work: j})
	j.lane.leaveJournalLocked()
	c := p.nudgeLocked()
	p.unlock()
	c.send()
}

// enter accepts an item that was written down.
func (p *Pool) enter(j *job) {
	if p.fill(j) {
		return
	}
	e := entry{work: j}
	p.lock()
	p.entering--
	p.acceptLocked(e)
	j.lane.leaveJournalLocked()
	switch {
	case j.lane.isCut:
		j.lane.handBackLocked(j)
	case j.way == ontoCaller:
		p.callerBeginsLocked(j)
		c := p.nudgeLocked()
		p.unlock()
		c.send()
		p.runHere(j, j) // a panic is told to the panic handler
		return
	case j.way == insteadOfOldest && p.roomLocked() <= 0:
		p.replaceOldestLocked(e)
		return
	default:
		p.enqueueLocked(e)
	}
	c := p.nudgeLocked()
	p.unlock()
	c.send()
}

func (l *laneCore) leaveJournalLocked() {
	l.atJournal--
	l.quiet.tellLocked()
	l.pool.quiet.tellLocked()
}

// feed brings in an item of an earlier life, waiting for room whatever the
// policy, and for the end of a pause. Once a drain has begun it is refused, and
// is in nobody's ledger.
func (p *Pool) feed(j *job) error {
	return intake.Offer(j.lane.ctx, func() error { return p.feedNow(j) })
}

func (p *Pool) feedNow(j *job) error {
	l, e := j.lane, entry{work: j}
	p.lock()
	if err := l.gate.Admit(l.ctx); err != nil {
		p.unlock()
		return err
	}
	if !p.fitsLocked() {
		return p.waitLocked(l.ctx, e, &p.waiting.line)
	}
	p.letInLocked(e)
	w := p.wakeLocked()
	p.unlock()
	w.call()
	return nil
}
