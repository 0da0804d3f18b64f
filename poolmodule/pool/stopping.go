package pool

import (
	"context"
	"sync"
	"time"
)

// stopping makes a stop happen once, however often it is asked for.
type stopping struct {
	first sync.Once
	rush  sync.Once
	hurry chan struct{} // closed when the time of a later caller is up
	done  chan struct{} // closed by the first caller, with the result in place
}

func newStopping() *stopping {
	return &stopping{hurry: make(chan struct{}), done: make(chan struct{})}
}

// run calls fn for the first caller. The others wait for it; the first of
// them whose time is up ends the patience of all.
func (s *stopping) run(ctx context.Context, fn func()) {
	isFirst := false
	s.first.Do(func() { isFirst = true })
	if isFirst {
		defer close(s.done)
		fn()
		return
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		s.rush.Do(func() { close(s.hurry) })
		<-s.done
	}
}

// budgeted is ctx, but no longer than budget if there is one.
func budgeted(ctx context.Context, budget time.Duration) (context.Context, context.CancelFunc) {
	if budget <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, budget)
}

func endedContext() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(ErrStopped)
	return ctx
}
