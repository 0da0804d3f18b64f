package lifecycle

import (
	"context"
	"time"
)

// timetable is the time of one stop:
//
//	began ──────────────────────────── soft ─────────── hard ─ deadline
//	      waiting is allowed                backup hooks    receipt
//	                                  └────────── reserve ─────────┘
//
// A stop without a deadline has none of the three.
type timetable struct {
	began      time.Time
	soft, hard time.Time
	deadline   time.Time
	grace      time.Duration
	// ifCut is the reserve of a stop that has no deadline and is cut.
	ifCut time.Duration
}

// The receipt gets one part in so many of the total, and no more than a tenth
// of a second. A caller that gives up at its deadline, as Fx does, would miss
// what the hooks reported if they were given time until that very moment.
const (
	receiptPart = 50
	maxReceipt  = 100 * time.Millisecond
)

func (c Config) timetable(ctx context.Context) timetable {
	t := timetable{began: time.Now(), grace: c.Grace, ifCut: maxReserve}
	if c.Reserve > 0 {
		t.ifCut = c.Reserve
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		return t
	}
	total := deadline.Sub(t.began)
	if total <= 0 {
		// Called too late. The backup hooks have their time all the same.
		t.soft, t.hard = t.began, t.began.Add(max(c.Reserve, minReserveIfLate))
		t.deadline = t.hard
		return t
	}
	reserve, receipt := c.reserveOf(total)
	t.deadline = deadline
	t.hard = deadline.Add(-receipt)
	t.soft = deadline.Add(-reserve)
	return t
}

// reserveOf is how much of a stop timeout is kept for backup hooks, and how
// much of that for the receipt.
func (c Config) reserveOf(total time.Duration) (reserve, receipt time.Duration) {
	reserve = min(c.Reserve, total/2)
	if reserve == 0 {
		// A fifth of very little would not be enough to save anything.
		reserve = min(max(total/reservePart, min(minReserve, total/2)), maxReserve)
	}
	// The backup hooks have the most of what is kept for them.
	return reserve, min(total/receiptPart, maxReceipt, reserve/reservePart)
}

func (t timetable) limited() bool { return !t.hard.IsZero() }

// cutAt is the timetable of a stop that nobody waits for any more from now
// on: the reserve begins at once, and the stop is over when it is.
func (t timetable) cutAt(now time.Time) timetable {
	switch {
	case !t.limited():
		t.soft, t.hard = now, now.Add(t.ifCut)
		t.deadline = t.hard
	case now.Before(t.soft):
		early := t.soft.Sub(now)
		t.soft, t.hard, t.deadline = now, t.hard.Add(-early), t.deadline.Add(-early)
	}
	return t
}

// slice is the time that is kept for each of so many OnStops: once to end by
// itself, and once as the grace if it does not. All of them together are at
// most half of the time there is.
func (t timetable) slice(stops int) time.Duration {
	if !t.limited() {
		return t.grace
	}
	return max(min(t.grace, time.Until(t.soft)/time.Duration(4*max(stops, 1))), 0)
}

// stop is the time for an OnStop, zero if it is not limited, and for its grace
// if it ends before the soft deadline. others is how many components come
// after it; slice is what is kept for each of them.
func (t timetable) stop(b Budget, slice time.Duration, others int) (budget, grace time.Duration) {
	if !t.limited() {
		return b.Stop, t.grace
	}
	left := time.Until(t.soft)
	// Whoever was slow before may have left less than what was to be kept. It
	// is the same for each then.
	equal := max(min(slice, left/time.Duration(2*(others+1))), 0)
	// This one may have more than that, or where there are many the few that
	// need a moment would be taken for hung. If it is late, of the reserve.
	grace = max(equal, min(t.grace, left/4), t.graceNow(others+1))
	budget = left
	if others > 0 {
		budget -= grace + equal*time.Duration(2*others)
	}
	switch {
	case b.Stop > 0:
		budget = min(budget, b.Stop)
	case b.Share > 0:
		budget = min(budget, time.Duration(float64(left)*min(b.Share, 1)))
	}
	return max(budget, time.Nanosecond), grace
}

// within cuts a grace at the soft deadline, but for what is left then.
func (t timetable) within(grace time.Duration, hooks int) time.Duration {
	if !t.limited() {
		return grace
	}
	return min(grace, max(time.Until(t.soft), 0)+t.graceNow(hooks))
}

// graceNow is how long a hook may go on whose context has just ended, or had
// ended when it was called; hooks is how many are still to be called, this one
// included.
//
// Most hooks end at once when they are told to, so an equal part would be too
// little for the few that need a moment, where there are many. The first half
// of the reserve is theirs: each may have a quarter of what is left of it.
// The other half is divided equally.
func (t timetable) graceNow(hooks int) time.Duration {
	if !t.limited() {
		return t.grace
	}
	left := time.Until(t.hard)
	equal := left / time.Duration(2*hooks)
	quarter := (left - t.hard.Sub(t.soft)/2) / 4
	return max(min(t.grace, max(equal, quarter)), time.Millisecond)
}

// While waiting is allowed, the time is divided among all hooks still to be
// called; an OnStop counts as much as so many backup hooks.
const stopWeight = 4

// destroy is the time for a backup hook, zero if it is not limited. stops and
// destroys are how many hooks are still to be called, this one included. It is
// not bound to the soft deadline: it is what the reserve is for.
//
// Most backup hooks have nothing to do. holders are those, this one included,
// of components that still have work inside, and save it: the others keep half
// of an equal part each, and these share the rest. 0: this one holds nothing.
func (t timetable) destroy(b Budget, stops, destroys, holders int) time.Duration {
	if !t.limited() {
		return b.PreDestroy
	}
	now := time.Now()
	waiting := max(t.soft.Sub(now), 0)
	reserve := t.hard.Sub(now) - waiting
	equal := waiting/time.Duration(stopWeight*stops+destroys) + reserve/time.Duration(destroys)
	if b.PreDestroy == 0 {
		if holders > 0 {
			kept := min(t.grace, reserve/time.Duration(2*destroys)) * time.Duration(destroys-holders)
			if stops > 0 {
				kept += 2 * t.slice(stops) * time.Duration(stops)
			}
			equal = max(equal, (reserve+waiting-kept)/time.Duration(holders))
		}
		return max(equal, time.Millisecond)
	}
	// One that asks for all of it, and hangs, must not leave the others with
	// nothing: each keeps a part, and so does its own grace.
	most := reserve + waiting
	if destroys > 1 {
		most -= min(t.grace, reserve/time.Duration(destroys)) * time.Duration(destroys)
	}
	if stops > 0 {
		// Beyond the reserve it is the time of those still to be stopped.
		most = max(most-waiting, waiting-2*t.slice(stops)*time.Duration(stops))
	}
	return max(min(b.PreDestroy, max(most, equal)), time.Millisecond)
}
