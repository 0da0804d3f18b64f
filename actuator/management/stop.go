package management

import (
	"context"
	"fmt"
	"time"
)

const (
	// cutGrace is what connections get to end by themselves, and then once
	// more the requests to end without them.
	cutGrace = 50 * time.Millisecond
	// farewell is how much more handlers get which are still at work: that
	// they end, they have been told. A machine that is busy needs it to show
	// the last of a stop to who watches it.
	farewell = 500 * time.Millisecond
)

// Stop ends all requests and closes everything; see the package documentation.
// It returns within 100 ms if every handler ends when its context does, within
// 700 ms if one does not, which it leaves behind with an error, and when ctx
// ends if that is before. A second Stop waits for the first, or for its own
// ctx. A server that was never started is stopped.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	again := s.stopping
	s.stopping = true
	s.mu.Unlock()
	if again {
		select {
		case <-s.stopped:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer close(s.stopped)
	s.cancel(ErrStopped)
	if err := s.shutdown(ctx); err != nil {
		_ = s.http.Close() // those that do not end; the listeners are closed
	}
	s.serving.Wait()
	return s.await(ctx)
}

// shutdown waits for connections: for silent ones, and half requests, for one
// grace, and as long as handlers are at work for the farewell. What they wrote
// last has a grace to get out when they have ended.
func (s *Server) shutdown(ctx context.Context) error {
	for end := time.Now().Add(farewell); ; {
		s.mu.Lock()
		atWork := s.requests > 0 && time.Now().Before(end)
		s.mu.Unlock()
		grace, cancel := context.WithTimeout(ctx, cutGrace)
		err := s.http.Shutdown(grace)
		cancel()
		if err == nil || !atWork || ctx.Err() != nil {
			return err
		}
	}
}

// await waits for the goroutines of connections that are closed. There can be no
// others by now. net/http keeps one for half a second where it has refused to
// read a request to its end: that runs no code of ours.
func (s *Server) await(ctx context.Context) error {
	left := make(chan struct{})
	s.mu.Lock()
	s.left = left
	if s.conns == 0 {
		close(left)
	}
	s.mu.Unlock()
	limit := time.NewTimer(cutGrace)
	defer limit.Stop()
	select {
	case <-left:
	case <-limit.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests > 0 {
		return fmt.Errorf("management: %d of the requests do not end though their contexts have; they are left behind", s.requests)
	}
	return nil
}
