package pool

import (
	"sync/atomic"
	"time"
)

// Replay tells how far a lane is with what an earlier life has left.
type Replay struct {
	Lane string `json:"lane"`
	// Total is how much there was, Entered how much of it is in the queue or
	// beyond, and Unreadable how much no codec could read; that went to the
	// dead letters, if there is a box, and stays in the journal if not.
	Total      int `json:"total"`
	Entered    int `json:"entered"`
	Unreadable int `json:"unreadable"`
	// Took is the time since the replay began.
	Took time.Duration `json:"took"`
	// IsOver is set in the last report. Err says why the replay ended before
	// its time: it matches [ErrDraining] or [ErrClosed], or is the journal's. What
	// has not entered then stays in the journal for the next life.
	IsOver bool  `json:"is_over"`
	Err    error `json:"-"`
}

// Left is how much is still to come.
func (r Replay) Left() int { return max(0, r.Total-r.Entered-r.Unreadable) }

// WithReplayProgress is called when the replay of a journal begins, every few
// seconds while it goes on, and when it is over. Where nothing was left it is
// not called. nil: none.
func WithReplayProgress[T any](fn func(Replay)) LaneOption[T] {
	return func(l *Lane[T]) { l.onReplay = fn }
}

// replay is that of one lane.
type replay struct {
	total     int          // guarded by pool.mu
	isFeeding bool         // guarded by pool.mu; its goroutine runs
	entered   atomic.Int64 // written by that goroutine
}

const (
	replayPace  = 5 * time.Second // between two reports
	replayCheck = 256             // items between two looks at the clock
)

// feedAll is the goroutine of the replay. The lane's stop waits for it.
func (l *Lane[T]) feedAll() {
	began := time.Now()
	p := l.pool
	p.mu.Lock()
	total := l.replay.total
	p.mu.Unlock()
	report := func(isOver bool, err error) {
		if l.onReplay == nil {
			return
		}
		p.shield(func() {
			l.onReplay(Replay{
				Lane: l.name, Total: total, Entered: int(l.replay.entered.Load()), Unreadable: l.keeper.Unreadable(),
				Took: time.Since(began), IsOver: isOver, Err: err,
			})
		})
	}
	report(false, nil)
	err := guard(func() error { return l.feedEach(total, func() { report(false, nil) }) })

	p.mu.Lock()
	opened := l.openLocked()
	c := p.nudgeLocked()
	p.mu.Unlock()
	opened.send()
	c.send()
	report(true, err)

	p.mu.Lock()
	l.replay.isFeeding = false
	l.quiet.tellLocked()
	p.mu.Unlock()
}

func (l *Lane[T]) feedEach(total int, report func()) error {
	reported, checked := time.Now(), 0
	for old, err := range l.keeper.Replay(l.ctx) {
		if err != nil {
			return err
		}
		entered := int(l.replay.entered.Load())
		if entered+l.keeper.Unreadable() >= total {
			return nil // what follows was written in this life, and is inside
		}
		if err := l.pool.feed(&l.again(old).job); err != nil {
			return err
		}
		l.replay.entered.Add(1)
		if entered-checked < replayCheck {
			continue
		}
		checked = entered
		if now := time.Now(); now.Sub(reported) >= replayPace {
			reported = now
			report()
		}
	}
	return nil
}
