package server

import (
	"context"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	// newGrace is the silence after which a connection that never sent a
	// byte is closed: browsers and load balancers open some in advance.
	newGrace = 500 * time.Millisecond
	// closeGrace is between asking and doing: a dismissed connection that
	// did not close itself is closed, a cancelled stream that did not end
	// is shut.
	closeGrace = 250 * time.Millisecond
	// look is how often silence is looked for.
	look = 10 * time.Millisecond
)

// Stop drains the server within ctx (and StopBudget), then cuts what still
// runs; see the package documentation. It blocks until nothing is open, at the
// longest a moment (50 ms) after the time is up, and returns nil or a
// [*StopError] that names the requests that were cut.
//
// A server that was never started is closed, together with a listener it was
// given. A second Stop waits for the first and returns its result, or the
// cause of its own ctx if that ends before.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	was := s.phase
	s.phase = stopping
	s.mu.Unlock()

	if was == stopping {
		select {
		case <-s.stopped:
			return s.stopErr
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer close(s.stopped)
	defer s.gate.Close()
	switch was {
	case fresh:
		return s.closeGiven()
	case serving:
		s.stopErr = s.stop(ctx)
	}
	return s.stopErr
}

func (s *Server) stop(ctx context.Context) error {
	if s.cfg.StopBudget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.StopBudget)
		defer cancel()
	}
	s.ready(false)
	pause(ctx, within(ctx, s.cfg.Drain.Delay))
	s.release()
	if s.drain(ctx) {
		return nil
	}
	return s.cut(ctx)
}

// release closes the listener and tells everybody to leave. Draining is set
// first: whoever connects before the close is sent away all the same.
func (s *Server) release() {
	s.draining.Store(true)
	_ = s.ln.Close()
	// No connection can come after this; one that is just being accepted is
	// tracked already.
	<-s.served
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked()
}

// gateChanges tells streams of a pause, and has others to be told where it is
// over. The gate calls it, see [intake.OnChange].
func (s *Server) gateChanges() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.gate.State() != intake.Open:
		s.tellLocked()
	case s.isTold && !s.draining.Load():
		s.told, s.isTold = make(chan struct{}), false
	}
}

func (s *Server) tellLocked() {
	if !s.isTold {
		s.isTold = true
		close(s.told)
	}
}

func (s *Server) telling() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}

// drain waits until no connection and no request is left; false when ctx
// ended before.
func (s *Server) drain(ctx context.Context) bool {
	now := time.Now()
	limits := graces{
		idle:    within(ctx, s.cfg.Drain.IdleGrace),
		streams: now.Add(within(ctx, s.cfg.Drain.StreamGrace)),
	}
	tick := time.NewTicker(look)
	defer tick.Stop()

	var shutdown chan struct{} // nil until no HTTP/1 connection is left
	for {
		h1 := s.sweepConns(now, limits)
		s.sweepStreams(now, limits)
		if shutdown == nil && h1 == 0 {
			shutdown = make(chan struct{})
			go s.shutdown(ctx, shutdown)
		}
		select {
		case <-shutdown:
			if s.requests.len() == 0 {
				return ctx.Err() == nil
			}
			// Handlers that lost their connection, with nothing to wait
			// for but the tick.
			select {
			case <-ctx.Done():
				return false
			case <-s.requests.wake:
			case <-tick.C:
			}
		case <-ctx.Done():
			if shutdown != nil {
				<-shutdown // it has the same ctx
			}
			return s.requests.len() == 0 && len(s.conns.list()) == 0
		case <-s.conns.wake:
		case <-tick.C:
		}
		now = time.Now()
	}
}

// shutdown makes net/http say GOAWAY on HTTP/2 and wait for those
// connections. Its errors are of the listener, which we closed, and of ctx,
// which the caller sees.
func (s *Server) shutdown(ctx context.Context, done chan<- struct{}) {
	defer close(done)
	_ = s.http.Shutdown(ctx)
}

type graces struct {
	idle    time.Duration
	streams time.Time // until when streams may go on
}

// sweepConns closes what is silent and returns how many HTTP/1 connections
// are left.
func (s *Server) sweepConns(now time.Time, limits graces) (left int) {
	for _, c := range s.conns.list() {
		if c.h2.Load() {
			continue
		}
		left++
		silence, grace := c.silence(now), limits.idle
		switch c.seenState {
		case http.StateActive:
			continue
		case http.StateHijacked:
			if now.After(limits.streams) {
				s.count(func(d *Drained) { d.Hijacked++ })
				_ = c.Close()
			}
			continue
		case http.StateNew:
			if c.seenReads == 0 {
				grace = min(newGrace, grace)
			}
		}
		switch {
		case silence >= max(grace, 0)+closeGrace:
			_ = c.Close()
		case silence >= grace && !c.dismissed.Load():
			s.count(func(d *Drained) { d.Silent++ })
			c.dismiss()
		}
	}
	return left
}

// sweepStreams ends the streams that did not end when they were told.
func (s *Server) sweepStreams(now time.Time, limits graces) {
	if !now.After(limits.streams) {
		return
	}
	for _, r := range s.requests.list() {
		if !r.endless.Load() {
			continue
		}
		if !r.told {
			r.told = true
			s.count(func(d *Drained) { d.Streams++ })
			r.cancel(ErrDraining)
		} else if !r.shut && now.After(limits.streams.Add(closeGrace)) {
			r.shut = true
			r.disconnect()
		}
	}
}

// within is d, but no more than half of what is left of ctx.
func within(ctx context.Context, d time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(end)/2)
	}
	return d
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
