package lifecycle

import (
	"context"
	"fmt"
	"runtime/pprof"
	"time"
)

// door has a place for one.
type door chan struct{}

// outcome is what came of something that was done behind a door.
type outcome struct {
	Turned
	answer any
	err    error
}

// enterDoor waits until nobody else is behind the door, and counts one that is. The
// context it returns ends with ctx, and with the stop.
func (c *Conductor) enterDoor(ctx context.Context, d door) (inside context.Context, leave func(), err error) {
	if c.State() == Constructing || !c.changes.begin() {
		return nil, nil, ErrNotUp
	}
	inside, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(c.changes.over, func() { cancel(context.Cause(c.changes.over)) })
	uncount := func() {
		release()
		cancel(nil)
		c.changes.going.Done()
	}
	select {
	case d <- struct{}{}:
		if inside.Err() == nil { // else both had come
			return inside, func() { <-d; uncount() }, nil
		}
		<-d
	case <-inside.Done():
	}
	err = fmt.Errorf("it did not come to its turn: %w", context.Cause(inside))
	uncount()
	return nil, nil, err
}

// behind does something behind a door, and waits for it until ctx has ended and
// the grace is over. Then it is left to itself: the door opens when it returns,
// and what it concludes is its own.
func (c *Conductor) behind(ctx context.Context, d door, entry Turned, only bool, do func(context.Context) outcome) outcome {
	inside, leave, err := c.enterDoor(ctx, d)
	if err != nil {
		entry, err = c.conclude(entry, only, err)
		return outcome{Turned: entry, err: err}
	}
	asked := entry.copied() // the entry is that of the goroutine from now on
	answered := make(chan outcome, 1)
	go func() {
		defer leave()
		// It is nobody's goroutine, whoever asked for it.
		pprof.SetGoroutineLabels(context.Background())
		answered <- do(inside)
	}()
	select {
	case came := <-answered:
		return came
	case <-inside.Done():
	}
	c.mu.Lock()
	grace := time.NewTimer(c.config.Grace)
	c.mu.Unlock()
	defer grace.Stop()
	select {
	case came := <-answered:
		return came
	case <-grace.C:
		err = fmt.Errorf("lifecycle: %s %s: it still goes on, the audit will say what came of it: %w", asked.verb(), asked.Component, context.Cause(inside))
		return outcome{Turned: asked, err: err}
	}
}
