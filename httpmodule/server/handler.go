package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// ServeHTTP is what the server serves: the handler given to [New] behind the
// gate and the limits. It works without a port too, in tests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(*conn)
	switch {
	case c == nil:
	case r.ProtoMajor == 1:
		c.slide()
	case !c.h2.Load():
		c.h2.Store(true)
	}
	if probe, ok := s.probes[r.URL.Path]; ok {
		if s.leaving() {
			w.Header().Set("Connection", "close")
		}
		probe.ServeHTTP(w, r)
		return
	}
	req := &request{server: s, conn: c, began: time.Now(), given: r, path: r.URL.Path}
	req.writer = response{ResponseWriter: w, req: req}
	if err := s.gate.EnterAs(r.Context(), &req.visit); err != nil {
		s.refuse(w, err)
		return
	}
	s.serve(req, r)
}

// leaving says that clients are to be sent away with every reply.
func (s *Server) leaving() bool {
	return s.draining.Load() || s.gate.State() != intake.Open
}

// refuse sends the client away. The request was not accepted.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Connection", "close")
	if d := s.cfg.Drain.RetryAfter; d > 0 {
		seconds := (d + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

// serve runs the handler for an accepted request and ends its visit.
func (s *Server) serve(req *request, r *http.Request) {
	w := &req.writer
	s.requests.add(req)

	// Deferred, because a handler may also leave by runtime.Goexit.
	defer func() {
		req.release()
		req.visit.Fail() // unless finish or recovered has decided
		req.end()
		s.requests.remove(req)
	}()
	// In its own defer, so that aborting below still ends the visit above.
	defer func() {
		if v := recover(); v != nil {
			w.recovered(v)
		}
	}()

	// A copy: net/http goes by the body of the request it made.
	r = r.WithContext(req)
	if s.limit(w, r) {
		s.handler.ServeHTTP(w, r)
	}
	w.finish()
}

// limit applies the limits on the body; it reports false where it has
// answered.
func (s *Server) limit(w *response, r *http.Request) bool {
	limit := s.cfg.MaxBodyBytes
	if limit > 0 && r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the body is not worth reading
		http.Error(w, fmt.Sprintf("request body too large: the limit is %d bytes", limit), http.StatusRequestEntityTooLarge)
		return false
	}
	if limit > 0 && r.Body != nil && r.Body != http.NoBody {
		// It gets the writer of net/http, which it tells to close the
		// connection.
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, limit)
	}
	return true
}

// recovered answers for a handler that panicked.
func (w *response) recovered(v any) {
	req, s := w.req, w.req.server
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // the handler's wish: net/http ends the reply without a word
	}
	s.panicked(Panic{Value: v, Stack: string(debug.Stack()), Request: req.snapshot(time.Now())})
	switch {
	case w.hijacked:
		if req.conn != nil {
			_ = req.conn.Close() // nobody else will
		}
	case w.status == 0:
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	default:
		// Half a reply must not look like a whole one.
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) panicked(p Panic) {
	if s.onPanic != nil {
		s.onPanic(p)
		return
	}
	s.http.ErrorLog.Printf("%s: %s\n%s", s.name, p, p.Stack)
}
