package server

import (
	"context"
	"time"
)

// cutGrace is what cancelled requests get to answer when the time is up.
const cutGrace = 50 * time.Millisecond

// cut ends what is left when the time is up.
func (s *Server) cut(ctx context.Context) error {
	s.gate.Drain()
	running := s.requests.list()
	names := snapshots(running)
	for _, r := range running {
		r.cancel(ErrCut)
	}
	s.settle(cutGrace)
	_ = s.http.Close()
	for _, c := range s.conns.list() {
		_ = c.Close() // hijacked ones, of which net/http knows nothing
	}
	for _, r := range running {
		r.visit.Fail() // unless it has answered
	}
	s.count(func(d *Drained) { d.Cut = names })
	if len(names) == 0 {
		return nil
	}
	return &StopError{Server: s.name, Cut: names, Err: context.Cause(ctx)}
}

// settle gives the cancelled requests a moment to answer.
func (s *Server) settle(grace time.Duration) {
	end := time.NewTimer(grace)
	defer end.Stop()
	for s.requests.len() > 0 {
		select {
		case <-s.requests.wake:
		case <-end.C:
			return
		}
	}
}
