package pool

import (
	"sync/atomic"
	"time"
)

// Replay tells an observer how far the replay of an earlier life's items is.
type Replay struct {
	// Entered is how many are in the queue or beyond, Left how many have still
	// to come, and Unreadable how many the codec could not read: those are in
	// the dead letters, or stay in the journal where there are none.
	Entered, Left, Unreadable int
	// Took is the time since it began; 0: it begins.
	Took time.Duration
	// Over says that it has ended.
	Over bool
	// Err is why it ended before all had entered: it matches [ErrDraining],
	// [ErrClosed] or [ErrStopped], or is the journal's. What has not entered
	// stays in the journal for the next life.
	Err error
}

// WithReplay observes the replay: when it begins, every 5 s while items enter,
// and when it has ended, before new work is let in. It is called on the
// goroutine of the replay, which it holds up. Where there is nothing to replay
// it is not called. nil: none.
func WithReplay[T any](observe func(Replay)) LaneOption[T] {
	return func(l *Lane[T]) {
		if observe != nil {
			l.onReplay = observe
		}
	}
}

// replay is that of one lane.
type replay struct {
	total     int          // guarded by pool.mu
	isFeeding bool         // guarded by pool.mu; its goroutine runs
	isPartial bool         // guarded by pool.mu; not all have entered
	entered   atomic.Int64 // written by that goroutine
	began     time.Time    // of that goroutine
}

const (
	replayPace  = 5 * time.Second // between two reports
	replayCheck = 256             // items between two looks at the clock
)

// feedAll is the goroutine of the replay. The lane's stop waits for it.
func (l *Lane[T]) feedAll(total int) {
	l.replay.began = time.Now()
	err := error(&PanicError{Value: errGoexit}) // a codec may end the goroutine
	defer func() {
		l.tellReplay(total, true, err)
		l.endReplay(err)
	}()
	l.tellReplay(total, false, nil)
	err = guard(func() error { return l.feedEach(total) })
}

func (l *Lane[T]) feedEach(total int) error {
	told, looked := l.replay.began, 0
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
		if entered-looked < replayCheck {
			continue
		}
		looked = entered
		if now := time.Now(); now.Sub(told) >= replayPace {
			told = now
			l.tellReplay(total, false, nil)
		}
	}
	return nil
}

func (l *Lane[T]) tellReplay(total int, over bool, err error) {
	if l.onReplay == nil {
		return
	}
	r := Replay{Entered: int(l.replay.entered.Load()), Unreadable: l.keeper.Unreadable(), Over: over, Err: err}
	r.Left = max(0, total-r.Entered-r.Unreadable)
	if over || r.Entered > 0 {
		r.Took = time.Since(l.replay.began)
	}
	l.pool.shield(func() { l.onReplay(r) })
}

// endReplay lets new work in.
func (l *laneCore) endReplay(err error) {
	p := l.pool
	p.lock()
	opened := l.openLocked()
	l.replay.isFeeding, l.replay.isPartial = false, err != nil
	l.quiet.tellLocked()
	c := p.nudgeLocked()
	p.unlock()
	opened.send()
	c.send()
}
