package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/intake"
)

// Server serves HTTP from Start to Stop, once. Make one with [New].
type Server struct {
	name    string
	cfg     Config
	handler http.Handler
	router  Router // may be nil
	probes  map[string]http.Handler
	base    context.Context

	given     net.Listener // nil: listen on cfg.Addr
	tlsConfig *tls.Config
	errorLog  *log.Logger

	onReady      []func(bool)
	onServeError func(error)
	onPanic      func(Panic)

	http     *http.Server
	gate     *intake.Gate
	conns    conns
	requests requests

	draining atomic.Bool
	served   chan struct{} // closed when nothing is accepted any more
	stopped  chan struct{} // closed by the first Stop, when it is through

	mu       sync.Mutex
	phase    phase
	ln       net.Listener // set by Start
	serveErr error
	stopErr  error // set before stopped is closed
	drained  Drained
	told     chan struct{} // closed by the drain, and by a pause; then isTold
	isTold   bool
}

// phase only grows.
type phase int

const (
	fresh phase = iota
	starting
	serving
	failed // Start returned an error
	stopping
)

// New returns a server for handler; a nil handler is [http.DefaultServeMux].
// The error lists every wrong field of cfg. Nothing is opened yet.
func New(cfg Config, handler http.Handler, opts ...Option) (*Server, error) {
	if handler == nil {
		handler = http.DefaultServeMux
	}
	s := &Server{
		name:     "http",
		cfg:      cfg.WithDefaults(),
		handler:  handler,
		probes:   map[string]http.Handler{},
		base:     context.Background(),
		errorLog: log.Default(),
		told:     make(chan struct{}),
		served:   make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	s.router, _ = handler.(Router)
	s.conns = conns{writeTimeout: s.cfg.WriteTimeout, wake: make(chan struct{}, 1), all: map[*conn]struct{}{}}
	s.requests.wake = make(chan struct{}, 1)
	for _, opt := range opts {
		opt(s)
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: wrong configuration:\n%w", s.name, err)
	}
	s.gate = intake.New(s.name, intake.OnChange(s.gateChanges))
	s.http = s.httpServer()
	return s, nil
}

func (s *Server) httpServer() *http.Server {
	hs := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.cfg.ReadHeaderTimeout,
		ReadTimeout:       s.cfg.ReadTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    int(s.cfg.MaxHeaderBytes),
		ErrorLog:          s.errorLog,
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ConnContext:       connContext,
		ConnState:         connState,
		Protocols:         new(http.Protocols),
		// WriteTimeout stays zero: see Config.WriteTimeout.
	}
	hs.Protocols.SetHTTP1(true)
	hs.Protocols.SetHTTP2(s.secure())
	hs.Protocols.SetUnencryptedHTTP2(s.cfg.H2C)
	if d := s.cfg.WriteTimeout; d > 0 {
		hs.HTTP2 = &http.HTTP2Config{WriteByteTimeout: d}
	}
	return hs
}

// Start listens and returns when the server accepts. ctx bounds the start
// alone. After an error nothing is open, and the server cannot be started
// again. It fails with [ErrStarted] or [ErrStopped] out of turn.
func (s *Server) Start(ctx context.Context) error {
	if err := s.advance(fresh, starting); err != nil {
		return err
	}
	ln, err := s.listen(ctx)
	if err != nil {
		return errors.Join(err, s.advance(starting, failed))
	}
	s.mu.Lock()
	s.ln = ln
	s.mu.Unlock()
	// Before the phase changes, so that a Stop beside us cannot be overtaken
	// and leave the server ready for ever. The kernel accepts already.
	s.ready(true)
	if err := s.advance(starting, serving); err != nil {
		// Stop came meanwhile. It found nothing to close.
		s.ready(false)
		return errors.Join(err, ln.Close())
	}
	go s.accept(ln)
	return nil
}

func (s *Server) ready(now bool) {
	for _, tell := range s.onReady {
		tell(now)
	}
}

func (s *Server) advance(from, to phase) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == from {
		s.phase = to
		return nil
	}
	if s.phase == stopping {
		return fmt.Errorf("%s: start: %w", s.name, ErrStopped)
	}
	return fmt.Errorf("%s: start: %w", s.name, ErrStarted)
}

// accept runs until the listener is closed or broken. Stop waits for it.
func (s *Server) accept(ln net.Listener) {
	var err error
	if s.secure() {
		err = s.http.ServeTLS(ln, "", "")
	} else {
		err = s.http.Serve(ln)
	}
	s.mu.Lock()
	broken := s.phase != stopping
	if broken {
		s.serveErr = fmt.Errorf("%s: serve %s: %w", s.name, ln.Addr(), err)
		err = s.serveErr
	}
	s.mu.Unlock()

	// First, so that the observer may call Stop.
	close(s.served)
	if broken && s.onServeError != nil {
		s.onServeError(err)
	}
}

// Addr is where the server listens, with the real port. Nil before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ln == nil {
		return nil
	}
	return s.ln.Addr()
}

// Err is why the server stopped accepting although nobody asked it to, or nil.
func (s *Server) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serveErr
}

// Gate is the gate in front of the handler, with the ledger.
func (s *Server) Gate() *intake.Gate { return s.gate }
