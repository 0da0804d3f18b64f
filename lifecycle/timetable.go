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
}

// The receipt gets one part in so many of the total, and no more than a tenth
// of a second. A caller that gives up at its deadline, as Fx does, would miss
// what the hooks reported if they were given time until that very moment.
const (
	receiptPart = 50
	maxReceipt  = 100 * time.Millisecond
)

func (c Config) timetable(ctx context.Context) timetable {
	t := timetable{began: time.Now(), grace: c.Grace}
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
	t.deadline = deadline
	t.hard = deadline.Add(-min(total/receiptPart, maxReceipt))
	reserve := min(c.Reserve, total/2)
	if reserve == 0 {
		reserve = min(total/reservePart, maxReserve)
	}
	t.soft = deadline.Add(-reserve)
	if t.soft.After(t.hard) {
		t.soft = t.hard
	}
	return t
}

func (t timetable) limited() bool { return !t.hard.IsZero() }

// stop bounds an OnStop; others is how many components come after it.
func (t timetable) stop(soft context.Context, b Budget, others int) (context.Context, context.CancelFunc) {
	left := time.Until(t.soft)
	switch {
	case b.Stop > 0:
		return context.WithTimeout(soft, b.Stop) // soft bounds it too
	case !t.limited():
		return context.WithCancel(soft)
	case b.Share > 0:
		return context.WithTimeout(soft, time.Duration(float64(left)*min(b.Share, 1)))
	default:
		slice := min(t.grace, left/time.Duration(2*(others+1)))
		return context.WithTimeout(soft, left-slice*time.Duration(others))
	}
}

// graceNow is how long a hook may go on whose context has just ended, or had
// ended when it was called; hooks is how many are still to be called, this one
// included.
func (t timetable) graceNow(hooks int) time.Duration {
	if !t.limited() {
		return t.grace
	}
	return max(min(t.grace, time.Until(t.hard)/time.Duration(2*hooks)), time.Millisecond)
}

// destroy bounds a backup hook; hooks is how many are still to be called,
// this one included. It is not bound to the soft deadline: it is what the
// reserve is for.
func (t timetable) destroy(b Budget, hooks int) (context.Context, context.CancelFunc) {
	ctx := context.Background()
	switch {
	case !t.limited() && b.PreDestroy > 0:
		return context.WithTimeout(ctx, b.PreDestroy)
	case !t.limited():
		return context.WithCancel(ctx)
	}
	now := time.Now()
	waiting := max(t.soft.Sub(now), 0)
	reserve := t.hard.Sub(now) - waiting
	part := waiting/2 + reserve/time.Duration(hooks)
	if b.PreDestroy > 0 {
		part = min(b.PreDestroy, waiting+reserve)
	}
	return context.WithTimeout(ctx, max(part, time.Millisecond))
}
