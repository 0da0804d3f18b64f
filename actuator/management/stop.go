package management

import (
	"context"
	"fmt"
	"time"
)

// cutGrace is what requests get to end by themselves, and then once more to end
// without their connections.
const cutGrace = 50 * time.Millisecond

// Stop ends all requests and closes everything; see the package documentation.
// It returns within 100 ms, or when ctx ends if that is before, and then, with
// an error, leaves a handler behind that does not end. A second Stop waits for
// the first, or for its own ctx. A server that was never started is stopped.
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
	grace, cancel := context.WithTimeout(ctx, cutGrace)
	defer cancel()
	if err := s.http.Shutdown(grace); err != nil {
		_ = s.http.Close() // those that do not end; the listeners are closed
	}
	s.serving.Wait()
	return s.await(ctx)
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
