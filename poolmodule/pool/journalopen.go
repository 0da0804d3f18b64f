package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// door is what a lane with a journal has in front of its queue.
//
//	unstarted ──Start──▶ replaying ──▶ open
//	                         └── the journal is empty, the replay
//	                             has ended, or a drain ended it
//
// The door of a lane without a journal is open from the beginning.
type door uint8

const (
	doorOpen door = iota
	doorUnstarted
	doorReplaying
)

// opening is one call of Start.
type opening struct {
	cancel context.CancelFunc
	done   chan struct{} // closed by the one who opens, with err in place
	err    error
}

// awaited waits for the end of the opening, unless ctx ends first. One that has
// ended is not missed because ctx has, too: a select would throw a coin.
func (o *opening) awaited(ctx context.Context) bool {
	select {
	case <-o.done:
		return true
	default:
	}
	select {
	case <-o.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// poolKey is the key of the context of everything that runs in a pool.
type poolKey struct{}

// errUnopened is for who waits for a Start that has panicked.
var errUnopened = errors.New("pool: opening the journal has panicked")

// errOpened sends a submitter on who has waited for the end of a replay.
var errOpened = errors.New("pool: the replay has ended")

// Start opens the journal of the lane and begins to replay what an earlier life
// has left. It returns when the journal is open, which ctx bounds; the replay
// goes on by itself, until it has ended or the lane drains. Meanwhile Submit
// waits, and TrySubmit returns [ErrReplaying]. See "Journal" in the package
// documentation.
//
// A lane without a journal needs no Start, but takes no dead letters back
// without it. Called again, Start does nothing and returns the same; if it
// failed, it may be called again. After Stop it returns [ErrClosed].
func (l *Lane[T]) Start(ctx context.Context) error {
	if l.keeper == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o, isMine, err := l.claimStart(cancel)
	switch {
	case err != nil:
		return err
	case !isMine:
		if !o.awaited(ctx) {
			return fmt.Errorf("lane %s: start: %w", l.name, context.Cause(ctx))
		}
		return o.err
	}
	o.err = errUnopened
	defer l.endStart(o) // deferred: a store may panic
	o.err = l.open(ctx)
	return o.err
}

func (l *laneCore) claimStart(cancel context.CancelFunc) (o *opening, isMine bool, err error) {
	l.pool.lock()
	defer l.pool.unlock()
	if err := l.refusesStart(); err != nil {
		return nil, false, err
	}
	if l.opening != nil {
		return l.opening, false, nil
	}
	l.opening = &opening{cancel: cancel, done: make(chan struct{})}
	return l.opening, true, nil
}

func (l *laneCore) refusesStart() error {
	if l.gate.State() < intake.Draining { // one that is paused will open
		return nil
	}
	return fmt.Errorf("lane %s: start after stop: %w", l.name, l.gate.Admit(context.Background()))
}

func (l *laneCore) endStart(o *opening) {
	l.pool.lock()
	if o.err != nil {
		l.opening = nil
	}
	l.pool.unlock()
	close(o.done)
}

func (l *Lane[T]) open(ctx context.Context) error {
	if l.mode != journal.Off {
		if err := l.keeper.Open(ctx); err != nil {
			return fmt.Errorf("lane %s: start: %w", l.name, err)
		}
	}
	leave := l.keeper.Receive(l.redrive)
	p, total := l.pool, l.keeper.Len()
	p.lock()
	if err := l.refusesStart(); err != nil { // a stop came in between
		p.unlock()
		leave()
		return errors.Join(err, l.keeper.Close())
	}
	l.leaveBox = leave
	l.door = doorOpen
	if total > 0 {
		l.door = doorReplaying
		l.replay.total, l.replay.isFeeding, l.replay.isPartial = total, true, true
		go l.feedAll(total)
	}
	p.unlock()
	return nil
}

// redrive takes a letter back as new work. When it returns nil the letter is
// thrown away: so no policy may throw the item away before, and where there is
// a journal the item is in it, also one that is only written at a stop.
func (l *Lane[T]) redrive(ctx context.Context, old journal.Item[T]) error {
	it := l.offered(old.Value)
	it.rec.id = old.ID
	it.key, it.keyed = old.Key, old.Keyed
	it.patient = true
	if l.mode != journal.Off {
		it.way = intoQueue
	}
	return l.submit(ctx, it, false)
}

// isInsider says whether who comes with ctx must not be kept waiting for the
// end of the replay: it runs in this very pool, and the replay may be waiting
// for its worker.
func (l *laneCore) isInsider(ctx context.Context) bool {
	return l.door == doorReplaying && ctx.Value(poolKey{}) == l.pool
}

// knockLocked is for who finds the door closed. It unlocks.
func (l *laneCore) knockLocked(ctx context.Context, e entry, try bool) error {
	p := l.pool
	if l.door == doorUnstarted || try {
		refusal := l.errReplaying
		if l.door == doorUnstarted {
			refusal = l.errNotStarted
		}
		p.rejectLocked(e)
		p.unlock()
		return refusal
	}
	err := p.waitLocked(ctx, e, &l.waiting)
	if errors.Is(err, errOpened) {
		return p.submit(ctx, e.work, false)
	}
	return err
}

// openLocked opens the door. Those who wait come first, in their order: they
// move to the end of the pool's own line, or see for themselves what its policy
// has for them.
func (l *laneCore) openLocked() (c calls) {
	p := l.pool
	l.door = doorOpen
	var last *waiter
	for !l.waiting.empty() {
		w := l.waiting.first
		l.waiting.remove(w)
		if p.cfg.Policy == Block {
			p.waiting.add(w)
			continue
		}
		w.err = errOpened
		if last == nil {
			c.submitters = w
		} else {
			last.next = w
		}
		last = w
	}
	return c
}

// refuseWaitersLocked sends everybody home who waits for the lane.
func (l *laneCore) refuseWaitersLocked() calls {
	return l.pool.refuseWaitersLocked(l.gate, &l.waiting, &l.pool.waiting.line)
}
