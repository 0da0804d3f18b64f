package pool

import (
	"sync"
	"sync/atomic"
	"time"
)

// stamp is a clock for what is noted of every item: reading the time takes
// longer than a hop through a channel, so one reading counts for all that come
// within a millisecond. While nothing comes no timer runs. The zero stamp is
// ready.
type stamp struct {
	last atomic.Pointer[time.Time] // nil: it is too old

	mu    sync.Mutex
	timer *time.Timer
}

const stampCounts = time.Millisecond

func (s *stamp) now() time.Time {
	if last := s.last.Load(); last != nil {
		return *last
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	// In this order: a timer that runs already may end it at once, but nothing
	// counts that no timer ends.
	s.last.Store(&now)
	if s.timer == nil {
		s.timer = time.AfterFunc(stampCounts, func() { s.last.Store(nil) })
	} else {
		s.timer.Reset(stampCounts)
	}
	return now
}
