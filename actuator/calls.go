package actuator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// errStopped is the answer when there is nobody any more who would wait for a
// call that hangs.
var errStopped = errors.New("the actuator has been stopped")

// patience is for a function that returns as soon as its context has ended.
const patience = 50 * time.Millisecond

// calls lets many ask and one call run, by name: whoever asks while it runs
// waits for the same answer, and whoever asks soon after gets it again. So
// nobody can make a component work harder by asking more often, and one that
// hangs costs one goroutine.
type calls[T any] struct {
	mu   sync.Mutex
	last map[string]*call[T]
}

// call is one call and, once done is closed, its answer.
type call[T any] struct {
	began   time.Time
	timeout time.Duration
	done    chan struct{} // closed by the goroutine that calls
	answer  T
	ended   time.Time
}

// ask returns the call of that name that runs or whose answer still holds, or
// begins one; nil: the actuator has been stopped. It does not wait. The context
// of f is the actuator's own, so that nobody who goes away takes the answer
// from the others.
func (c *calls[T]) ask(a *Actuator, name string, timeout, keep time.Duration, f func(context.Context) T) *call[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := c.last[name]; last != nil && last.holds(keep) {
		return last
	}
	next := &call[T]{began: time.Now(), timeout: timeout, done: make(chan struct{})}
	if !a.work(func() { next.run(a.life, f) }) {
		return nil
	}
	if c.last == nil {
		c.last = map[string]*call[T]{}
	}
	c.last[name] = next
	return next
}

func (c *call[T]) run(life context.Context, f func(context.Context) T) {
	ctx, cancel := context.WithTimeout(life, c.timeout)
	defer cancel()
	defer close(c.done) // also if f ends its goroutine
	defer func() { c.ended = time.Now() }()
	c.answer = f(ctx)
}

func (c *call[T]) holds(keep time.Duration) bool {
	select {
	case <-c.done:
		return time.Since(c.ended) < keep
	default:
		return true
	}
}

// wait waits for the answer until the time of the call is up, or ctx ends.
func (c *call[T]) wait(ctx context.Context) (answer T, err error) {
	if c == nil {
		return answer, errStopped
	}
	timer := time.NewTimer(time.Until(c.began.Add(c.timeout + patience)))
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	select {
	case <-c.done: // perhaps long ago: whoever waits for one after the other comes late
		return c.answer, nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return answer, err
	}
	return answer, fmt.Errorf("it was asked %v ago and has not answered; it has %v", time.Since(c.began).Round(time.Millisecond), c.timeout)
}

// look is wait for those who do not wait. Neither answered nor late: it has time
// left.
func (c *call[T]) look() (answer T, answered, late bool) {
	switch {
	case c == nil:
		return answer, false, true
	case over(c.done):
		return c.answer, true, false
	default:
		return answer, false, time.Since(c.began) > c.timeout+patience
	}
}

// work runs f in a goroutine that Stop waits for; false: Stop has been called.
func (a *Actuator) work(f func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return false
	}
	a.jobs.Go(f)
	return true
}
