package management

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Errors of a [Server].
var (
	// ErrStarted: a server starts once.
	ErrStarted = errors.New("management: the server has been started before")
	// ErrStopped: the server is stopped. It is the cause of the contexts of the
	// requests that a stop ends.
	ErrStopped = errors.New("management: the server is stopped")
)

const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = time.Minute
	maxHeaderBytes    = 64 << 10
	maxConns          = 512
)

// Server serves a handler behind a [Guard]. Make one with [New].
type Server struct {
	cfg          Config
	http         *http.Server
	base         context.Context //nolint:containedctx // it ends with the server, not with a call
	cancel       context.CancelCauseFunc
	open         func(*http.Request) bool
	onTaken      func(error) // may be nil
	onServeError func(error) // may be nil
	maxConns     int
	serving      sync.WaitGroup
	stopped      chan struct{} // closed by the first Stop, when it is through

	mu       sync.Mutex
	started  bool
	stopping bool
	addr     net.Addr      // nil: no port
	conns    int           // those whose goroutine has not ended
	requests int           // those whose handler has not returned
	left     chan struct{} // nil until nothing is accepted any more; closed when conns is 0
}

// Option gives the server a collaborator that no file can name.
type Option func(*Server)

// WithOpen says which requests, if they only read, anybody may make. Default:
// none.
func WithOpen(open func(*http.Request) bool) Option { return func(s *Server) { s.open = open } }

// WithTaken makes Start go on without a port when the address is taken, and
// tell fn: nobody has asked for just this one. Without it Start fails.
func WithTaken(fn func(error)) Option { return func(s *Server) { s.onTaken = fn } }

// WithServeError is told when the server stops accepting although nobody asked
// it to, from a goroutine of its own. Connections it has are still served.
func WithServeError(fn func(error)) Option { return func(s *Server) { s.onServeError = fn } }

// WithErrorLog takes what net/http has to say about single connections, panics
// of the handler with them. Default: the standard logger.
func WithErrorLog(l *log.Logger) Option { return func(s *Server) { s.http.ErrorLog = l } }

// New returns a server for handler. The error lists every wrong field of cfg.
// Nothing is opened yet.
func New(cfg Config, handler http.Handler, opts ...Option) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("management: wrong configuration:\n%w", err)
	}
	s := &Server{cfg: cfg, maxConns: maxConns, stopped: make(chan struct{})}
	s.base, s.cancel = context.WithCancelCause(context.Background())
	s.http = &http.Server{
		// "OPTIONS *" is a request like any other: it goes through the guard.
		DisableGeneralOptionsHandler: true,

		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return s.base },
		ConnState:         s.count,
	}
	for _, opt := range opts {
		opt(s)
	}
	guarded := Guard(cfg, s.open, handler)
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.countRequest(+1)
		defer s.countRequest(-1)
		guarded.ServeHTTP(w, r)
	})
	return s, nil
}

// count is told by net/http of every connection, at its two ends by the
// goroutine that has it. What is too many is closed: who holds connections here
// must not take the files that the service needs.
func (s *Server) count(c net.Conn, state http.ConnState) {
	if s.tooMany(state) {
		_ = c.Close() // nothing was said on it
	}
}

func (s *Server) tooMany(state http.ConnState) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns++
		return s.conns > s.maxConns
	case http.StateClosed, http.StateHijacked:
		if s.conns--; s.conns == 0 && s.left != nil {
			close(s.left)
		}
	case http.StateActive, http.StateIdle:
	}
	return false
}

func (s *Server) countRequest(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests += n
}

// Start listens and returns when the server accepts. ctx bounds the start
// alone. After an error nothing is open, and the server cannot be started
// again. It fails with [ErrStarted] or [ErrStopped] out of turn.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	started, stopping := s.started, s.stopping
	s.started = true
	s.mu.Unlock()
	switch {
	case stopping:
		return ErrStopped
	case started:
		return ErrStarted
	}
	open, err := s.listen(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping { // meanwhile, and has found nothing to close
		return errors.Join(ErrStopped, closeAll(open))
	}
	for _, ln := range open {
		if ln.Addr().Network() == "tcp" {
			s.addr = ln.Addr()
		}
		s.serving.Go(func() { s.accept(ln) })
	}
	return nil
}

// listen opens all that is configured, or nothing.
func (s *Server) listen(ctx context.Context) (open []net.Listener, err error) {
	if s.cfg.Address != "" {
		switch ln, err := listenTCP(ctx, s.cfg.Address); {
		case err == nil:
			open = append(open, ln)
		case s.onTaken != nil && errors.Is(err, syscall.EADDRINUSE):
			s.onTaken(err)
		default:
			return nil, err
		}
	}
	if s.cfg.Socket != "" {
		ln, err := listenUnix(ctx, s.cfg.Socket)
		if err != nil {
			return nil, errors.Join(err, closeAll(open))
		}
		open = append(open, ln)
	}
	return open, nil
}

func closeAll(open []net.Listener) error {
	var errs []error
	for _, ln := range open {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

// accept runs until the listener is closed or broken.
func (s *Server) accept(ln net.Listener) {
	err := s.http.Serve(ln) // which closes it
	if !errors.Is(err, http.ErrServerClosed) && s.onServeError != nil {
		s.onServeError(fmt.Errorf("management: serve %s: %w", ln.Addr(), err))
	}
}

// Addr is where the server listens, with the real port. Nil without a port, and
// before Start.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}
