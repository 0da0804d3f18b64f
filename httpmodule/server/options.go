package server

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
)

// Option gives the server a collaborator that no file can name.
type Option func(*Server)

// WithName sets the name of the gate and in errors. Default "http".
func WithName(name string) Option {
	return func(s *Server) { s.name = name }
}

// WithListener makes the server accept from ln (a test's, or one inherited
// from the process before) instead of listening on Config.Addr. The server
// owns it from now on: Stop closes it, also when Start was never called.
// Where the socket is shared by duplicated file descriptors, only this copy
// is closed.
//
// Give the plain listener and [WithTLSConfig] rather than a listener of TLS
// connections: those can only be stopped as [http.Server.Shutdown] does.
func WithListener(ln net.Listener) Option {
	return func(s *Server) { s.given = ln }
}

// WithTLSConfig serves TLS with cfg, which must be able to produce a
// certificate unless Config.TLS names the files. The server works on a copy.
func WithTLSConfig(cfg *tls.Config) Option {
	return func(s *Server) { s.tlsConfig = cfg }
}

// WithReadiness is told true when the server accepts, and false when its stop
// begins, before the delay. Given more than once, each is told, in order.
func WithReadiness(fn func(ready bool)) Option {
	return func(s *Server) {
		if fn != nil {
			s.onReady = append(s.onReady, fn)
		}
	}
}

// WithServeError is told when the server stops accepting although nobody asked
// it to. Connections it has are still served; Stop is still to be called, and
// may be called from fn. It is called once at most, from its own goroutine.
func WithServeError(fn func(error)) Option {
	return func(s *Server) { s.onServeError = fn }
}

// WithPanicObserver is told of every panic of a handler, from the goroutine of
// the request. Without it they go to the error log.
func WithPanicObserver(fn func(Panic)) Option {
	return func(s *Server) { s.onPanic = fn }
}

// WithErrorLog takes what net/http has to say about single connections.
// Default: the standard logger.
func WithErrorLog(l *log.Logger) Option {
	return func(s *Server) { s.errorLog = l }
}

// WithBaseContext makes ctx the parent of the context of every request. It
// should outlive the stop: when it ends, all requests are cancelled.
func WithBaseContext(ctx context.Context) Option {
	return func(s *Server) { s.base = ctx }
}

// Router finds the pattern of a request without serving it, so that reports
// can name routes instead of paths. [http.ServeMux] is one.
type Router interface {
	Handler(*http.Request) (h http.Handler, pattern string)
}

// WithRouter names the routes in [Server.Stats] and in errors. It is needed
// only where the handler given to [New] is not itself a [Router], as a mux
// inside middleware is not.
func WithRouter(r Router) Option {
	return func(s *Server) { s.router = r }
}

// WithProbe answers requests for exactly this path with h, before the gate:
// they are not counted and not refused during a drain. Liveness and readiness
// are probes.
func WithProbe(path string, h http.Handler) Option {
	return func(s *Server) { s.probes[path] = h }
}
