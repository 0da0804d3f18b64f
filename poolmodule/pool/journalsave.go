package pool

import (
	"context"
	"errors"
	"fmt"

	"github.com/lastcall-go/lastcall/journal"
)

var errNoSaver = errors.New("no saver is given; see WithSave, or WithJournal")

// Save settles the leftovers of a stop. A lane with a journal writes down those
// that are not in it yet, and how often each was tried, and closes it; another
// gives them to its saver. What is safe then is counted Saved, the rest Lost,
// and the error says how many of how many, and why. A lane that was not stopped
// is stopped at once. Called again it does nothing and returns the same.
//
// ctx bounds the writing and the waiting for a Start that still opens the
// journal; a journal that is open is closed also if ctx has ended.
//
// What a handler, a hook or a burial that still runs does later changes nothing:
// its item is saved, and comes again, also if it is in the dead letters by then.
func (l *Lane[T]) Save(ctx context.Context) error {
	_ = l.stop(endedContext())
	return l.settleOnce(func(jobs []*job) (saved int, err error) {
		switch {
		case l.mode != journal.Off:
			saved, err = l.writeDown(ctx, jobs)
			return saved, errors.Join(err, l.closeJournal(ctx))
		case len(jobs) == 0:
			return 0, nil
		case l.saver == nil:
			return 0, errNoSaver
		}
		if err := guard(func() error { return l.saver(ctx, l.values(jobs)) }); err != nil {
			return 0, err
		}
		return len(jobs), nil
	})
}

// writeDown saves what is left in the journal. An item that was never tried is
// known to nobody by its ID, so that the journal may make one.
func (l *Lane[T]) writeDown(ctx context.Context, jobs []*job) (saved int, err error) {
	if len(jobs) == 0 {
		return 0, nil
	}
	items := make([]journal.Item[T], len(jobs))
	err = guard(func() error {
		for i, j := range jobs {
			it := j.work.(*laneItem[T])
			items[i] = it.written()
			if it.attempts.Load() > 0 {
				items[i].ID = l.identity(it.rec)
			}
		}
		l.renew(ctx, jobs, items)
		return l.keeper.Save(ctx, items)
	})
	for i, j := range jobs {
		if items[i].Seq > 0 || j.inJournal() > 0 {
			saved++
		}
	}
	return saved, err
}

// renew has the journal know of the tries of this life. That takes a new entry:
// so from the first item on that was tried all are written anew, to keep their
// order, and nothing is where that would break it: while a part of an earlier
// life has still to come, or somebody is at the journal. What cannot be renewed
// is in the journal all the same, as after a kill.
func (l *Lane[T]) renew(ctx context.Context, jobs []*job, items []journal.Item[T]) {
	if !l.isInOrder() {
		return
	}
	var places []int
	var tried []journal.Item[T]
	for i, j := range jobs {
		it := j.work.(*laneItem[T])
		if it.rec.seq == 0 || len(tried) == 0 && it.attempts.Load() == 0 {
			continue
		}
		again := items[i]
		again.ID = l.identity(it.rec)
		places, tried = append(places, i), append(tried, again)
	}
	if len(tried) == 0 || l.keeper.Renew(ctx, tried) != nil {
		return
	}
	for n, i := range places {
		items[i] = tried[n]
	}
}

// isInOrder says whether the leftovers are the last in the journal.
func (l *laneCore) isInOrder() bool {
	l.pool.lock()
	defer l.pool.unlock()
	return !l.replay.isPartial && l.atJournal == 0
}

// closeJournal closes what Start has opened, or is just opening.
func (l *Lane[T]) closeJournal(ctx context.Context) error {
	l.pool.lock()
	o := l.opening
	l.pool.unlock()
	if o != nil {
		o.cancel()
		if !o.awaited(ctx) { // Start closes it, as soon as it can
			return fmt.Errorf("its journal is still being opened: %w", context.Cause(ctx))
		}
	}
	return l.keeper.Close()
}

// settleOnce gives the leftovers to save, which says how many of them are safe,
// and counts them.
func (l *laneCore) settleOnce(save func([]*job) (saved int, err error)) error {
	l.settling.Do(func() {
		jobs := l.takeLeftovers()
		saved, err := 0, error(&PanicError{Value: errGoexit})
		defer func() { // deferred: a saver may end its goroutine
			l.settle(jobs, saved)
			l.settleErr = l.unsaved(len(jobs)-saved, len(jobs), err)
		}()
		saved, err = save(jobs)
	})
	return l.settleErr
}

// takeLeftovers takes them for good: who comes later is settled by
// handBackLocked. What is in the journal and has a hook that does not end is
// one of them: it comes again.
func (l *laneCore) takeLeftovers() []*job {
	l.pool.lock()
	defer l.pool.unlock()
	for j := l.jobs.first; j != nil; j = j.next {
		if j.state == jobEnding && j.inJournal() > 0 && j.takeBack() {
			l.handBackLocked(j)
		}
	}
	l.settled = true
	return l.stopped
}

func (l *laneCore) settle(jobs []*job, saved int) {
	l.pool.lock()
	defer l.pool.unlock()
	l.ledger.Saved += uint64(saved)
	l.ledger.Lost += uint64(len(jobs) - saved)
	for _, j := range jobs {
		l.jobs.remove(j)
	}
	l.leftovers -= len(jobs)
}

func (l *laneCore) unsaved(lost, all int, err error) error {
	switch {
	case lost == 0 && err == nil:
		return nil
	case lost == 0:
		return fmt.Errorf("lane %s: save: %w", l.name, err)
	case lost == all:
		return fmt.Errorf("lane %s: %d items lost: %w", l.name, lost, err)
	default:
		return fmt.Errorf("lane %s: %d of %d items lost: %w", l.name, lost, all, err)
	}
}
