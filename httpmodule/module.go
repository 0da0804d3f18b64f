package httpmodule

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Option is for what no configuration file can name.
type Option func(*settings)

type settings struct {
	readyPath, livePath string
	server              []server.Option
}

// Probes serves readiness and liveness on the port of the server. An empty
// path is not served. They are answered before the gate and not counted.
//
// Readiness is 200 while the server serves, and 503 from the moment its stop
// begins, while its gate is paused, or while [Readiness] says no. Liveness is 200
// always. Once the listener is released, only connections that exist can ask.
func Probes(readyPath, livePath string) Option {
	return func(s *settings) { s.readyPath, s.livePath = readyPath, livePath }
}

// Listener makes the server accept from ln instead of listening on its
// address: see [server.WithListener].
func Listener(ln net.Listener) Option {
	return Server(server.WithListener(ln))
}

// Server passes options to [server.New], after those of the module: what they
// set replaces what the module sets, so [server.WithServeError] takes over what
// is done when the server can serve no more. [server.WithReadiness] adds.
func Server(opts ...server.Option) Option {
	return func(s *settings) { s.server = append(s.server, opts...) }
}

// Params is what the server is made of. Fx gives the first two; nothing else
// need be there.
type Params struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Shutdowner fx.Shutdowner

	Config     server.Config `optional:"true"` // none: the defaults
	Handler    http.Handler  `optional:"true"` // served at "/"
	Routes     []Route       `group:"lastcall.http.routes"`
	Middleware []Middleware  `group:"lastcall.http.middleware"`
	Listener   net.Listener  `name:"http" optional:"true"` // unless the option Listener is given
	Readiness  Readiness     `optional:"true"`             // asked by the readiness probe
	Logger     *zap.Logger   `optional:"true"`             // panics of handlers, errors of connections
}

// Module builds the server of the routes and the handler in the graph, and
// serves from start to stop. It provides *[server.Server], which is nil where
// there is neither. Give it once, at the root.
func Module(opts ...Option) fx.Option {
	var s settings
	for _, opt := range opts {
		opt(&s)
	}
	return fx.Module("http",
		fx.Provide(s.build),
		// Nobody need ask for it: it is there for its routes.
		fx.Invoke(func(*server.Server) {}),
	)
}

func (s settings) build(p Params) (*server.Server, error) {
	if len(p.Routes) == 0 && p.Handler == nil {
		return nil, nil
	}
	routes := p.Routes
	if p.Handler != nil {
		routes = append(routes, Route{Pattern: "/", Handler: p.Handler, Source: "the http.Handler of the graph"})
	}
	m, err := mux(routes)
	if err != nil {
		return nil, err
	}
	h, err := wrap(m, p.Middleware)
	if err != nil {
		return nil, err
	}
	probes := &probes{ask: p.Readiness}
	srv, err := server.New(p.Config, h, append(s.options(p, m, probes), s.server...)...)
	if err != nil {
		return nil, fmt.Errorf("httpmodule: %w", err)
	}
	probes.server = srv
	lifecycle.Append(p.Lifecycle, hook(srv, p.Config))
	return srv, nil
}

func (s settings) options(p Params, router server.Router, probes *probes) []server.Option {
	opts := []server.Option{
		server.WithRouter(router),
		server.WithReadiness(probes.setServing),
		server.WithServeError(serveError(p)),
	}
	if s.readyPath != "" {
		opts = append(opts, server.WithProbe(s.readyPath, http.HandlerFunc(probes.ready)))
	}
	if s.livePath != "" {
		opts = append(opts, server.WithProbe(s.livePath, http.HandlerFunc(live)))
	}
	if p.Listener != nil {
		opts = append(opts, server.WithListener(p.Listener))
	}
	if p.Logger != nil {
		opts = append(opts, logTo(p.Logger.Named("http"))...)
	}
	return opts
}

// serveError ends the application when the server can accept no more.
func serveError(p Params) func(error) {
	return func(cause error) {
		if p.Logger != nil {
			p.Logger.Named("http").Error("cannot serve any more, stopping", zap.Error(cause))
		}
		if err := lifecycle.Shutdown(p.Shutdowner, cause); err != nil && p.Logger != nil {
			p.Logger.Named("http").Error("cannot ask for the stop", zap.Error(err))
		}
	}
}

func logTo(l *zap.Logger) []server.Option {
	opts := []server.Option{server.WithPanicObserver(func(p server.Panic) {
		l.Error("panic in a handler",
			zap.Stringer("request", p.Request), zap.Any("panic", p.Value), zap.String("stack", p.Stack))
	})}
	if std, err := zap.NewStdLogAt(l, zap.WarnLevel); err == nil {
		opts = append(opts, server.WithErrorLog(std))
	}
	return opts
}

func hook(srv *server.Server, cfg server.Config) lifecycle.Hook {
	var reported atomic.Bool // the result of the stop
	return lifecycle.Hook{
		Name:    srv.Gate().Name(),
		Band:    lifecycle.Ingress,
		OnStart: srv.Start,
		OnStop: func(ctx context.Context) error {
			reported.Store(true)
			return srv.Stop(ctx)
		},
		// A listener that was given is closed even if the start never came.
		PreDestroy: func(ctx context.Context) error {
			err := srv.Stop(ctx)
			if reported.Load() {
				return nil
			}
			return err
		},
		Gate:     srv.Gate(),
		Describe: func() []string { return describe(srv.Stats()) },
		Panel:    panelOf(srv, cfg),
		Budget:   lifecycle.Budget{Stop: cfg.StopBudget},
	}
}

// describe is what the receipt says of the stop.
func describe(st server.Stats) []string {
	var lines []string
	for _, r := range st.Drained.Cut {
		lines = append(lines, "cut: "+r.String())
	}
	for _, r := range st.Requests {
		lines = append(lines, "still runs: "+r.String())
	}
	if d := st.Drained; d.Streams+d.Hijacked > 0 {
		lines = append(lines, fmt.Sprintf("closed after their grace: %d streams, %d hijacked connections", d.Streams, d.Hijacked))
	}
	return lines
}
