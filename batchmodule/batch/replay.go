package batch

import (
	"context"
	"fmt"
	"runtime/pprof"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// replayTold is how often an observer hears of a replay that goes on.
const replayTold = 5 * time.Second

// Replay tells an observer how far the replay of an earlier life's items is.
type Replay struct {
	// Entered is how many have entered, Left how many have still to, and
	// Unreadable how many the codec could not read: those are in the dead
	// letters, or stay in the journal where there are none.
	Entered, Left, Unreadable int
	// Took is the time since it began; 0: it begins.
	Took time.Duration
	// Over says that it has ended.
	Over bool
	// Err is why it ended before all had entered: the drain, or the journal.
	// What has not entered stays in the journal for the next life.
	Err error
}

// WithReplay observes the replay: when it begins, every 5 s, and when it has
// ended, before new items are let in. It is called on the goroutine of the
// replay, which it holds up. A panic in it changes nothing. Where there is
// nothing to replay it is not called.
func WithReplay[T any](observe func(Replay)) Option[T] {
	return when(observe != nil, func(o *options[T]) { o.replay = observe })
}

// past is what a batcher knows of its journal and its replay.
type past struct {
	opened bool                    // the journal is open
	unopen context.CancelCauseFunc // ends the opening; nil: nobody opens it

	cut       context.CancelCauseFunc // ends the replay; nil: there is none
	room      chan struct{}           // made by a replay that waits, closed when there may be room
	total     int                     // how many items an earlier life has left
	entered   int                     // of those
	isPartial bool                    // not all of them have, nor will in this life
}

// beginReplayLocked bars the way for new items until those of an earlier life
// have entered.
func (b *Batcher[T]) beginReplayLocked(total int) {
	b.past.total = total
	if total == 0 {
		return
	}
	b.barLocked(b.replaying)
	ctx, cancel := context.WithCancelCause(b.base)
	b.past.cut = cancel
	if b.gate.State() >= intake.Draining { // it found nothing to end yet
		cancel(ErrDraining)
	}
	go b.replay(ctx)
}

// replay is the goroutine of a replay. Stop waits for it.
func (b *Batcher[T]) replay(ctx context.Context) {
	pprof.SetGoroutineLabels(ctx)
	began := time.Now()
	err := error(&PanicError{Value: errGoexit}) // a codec may end the goroutine
	defer func() { b.replayOver(err) }()
	defer func() { b.tellReplay(Replay{Took: time.Since(began), Over: true, Err: err}) }()
	b.tellReplay(Replay{})
	err = b.guard(func() error { return b.enterAll(ctx, began) })
}

func (b *Batcher[T]) tellReplay(r Replay) {
	if b.opts.replay == nil {
		return
	}
	s := b.Stats()
	r.Entered, r.Left, r.Unreadable = s.Replayed, s.ReplayLeft, s.Unreadable
	_ = b.guard(func() error { b.opts.replay(r); return nil })
}

func (b *Batcher[T]) enterAll(ctx context.Context, began time.Time) error {
	tick := time.NewTicker(replayTold)
	defer tick.Stop()
	tell := func() { b.tellReplay(Replay{Took: time.Since(began)}) }
	for it, err := range b.keeper.Replay(ctx) {
		if err != nil {
			return err
		}
		if err := b.enter(ctx, it, tick.C, tell); err != nil {
			return err
		}
		select {
		case <-tick.C:
			tell()
		default:
		}
	}
	return nil
}

// enter waits for room and lets one item of an earlier life in.
func (b *Batcher[T]) enter(ctx context.Context, it journal.Item[T], tick <-chan time.Time, tell func()) error {
	var p place
	err := b.guard(func() error { p = b.measure(it.Value); return nil })
	if err != nil && it.Keyed { // it was accepted, so that is no reason to refuse it
		p.key = it.Key
	}
	for {
		room, err := b.tryEnter(it, p)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-tick:
			tell()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tryEnter returns a channel that is closed when it is worth trying again, or
// nil.
func (b *Batcher[T]) tryEnter(it journal.Item[T], p place) (<-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state, changed := b.gate.Watch(); state {
	case intake.Open:
	case intake.Paused: // what was accepted in an earlier life can wait
		return changed, nil
	default:
		return nil, b.gate.Admit(context.Background())
	}
	if !b.fitsLocked(p.key, b.cfg.Buffer) {
		if b.past.room == nil {
			b.past.room = make(chan struct{})
			b.nudgeLocked() // an open bundle may go now to make room
		}
		return b.past.room, nil
	}
	b.past.entered++
	t := tagOf(&it)
	t.replayed = true
	b.placeLocked(it.Value, p, &t)
	return nil, nil
}

// replayHung is an error when the replay has not ended although it was cut.
func (b *Batcher[T]) replayHung() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.past.cut == nil {
		return nil
	}
	return &Error{Batcher: b.name, Op: "stop", Err: fmt.Errorf("the replay: %w", ErrHung)}
}

// replayOver lets in those who have waited for the end of the replay.
func (b *Batcher[T]) replayOver(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.past.cut(nil)
	b.past.cut, b.past.room, b.past.isPartial = nil, nil, err != nil
	b.letInLocked()
	b.grantLocked()
	b.nudgeLocked() // those who go on waiting are why open bundles may go now
	b.tellGroundedLocked()
}
