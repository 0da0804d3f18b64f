package modules

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/actuator/dashboard"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// ManagementConfig is the section "management". A zero value in the graph
// counts as none: that is the server on management.DefaultAddress.
type ManagementConfig struct {
	// Enabled is whether there is a management server. Zero: there is.
	Enabled *bool `yaml:"enabled"`
	// Address is the "host:port" to listen on; port 0 picks a free one. An address
	// that others than this machine reach needs a Token. By default
	// management.DefaultAddress; a service that finds that taken does without,
	// while one that is asked for and taken refuses the start. In a test binary
	// there is no port by default. Zero: no port.
	Address string `yaml:"address"`
	// Socket is the path of a unix socket. Zero: none.
	Socket string `yaml:"socket"`
	// Token is what those show who ask from elsewhere than this machine. Zero:
	// nobody else may, but for health.
	Token config.Secret `yaml:"token"`
	// Hosts are further names by which the service is asked. Zero: none.
	Hosts []string `yaml:"hosts"`
	// Dashboard is whether the page of package dashboard is at "/". Zero: it is.
	Dashboard *bool `yaml:"dashboard"`
	// Pprof serves the profiles of the runtime at /debug/pprof/, here and
	// nowhere else. Zero: it does not.
	Pprof bool `yaml:"pprof"`
	// Actuator is which endpoints there are and what they show.
	Actuator actuator.Config `yaml:",inline"`
}

// ownEndpoints are the ids of those that this package adds: a configuration can
// turn them off, too.
var ownEndpoints = []string{envID, configPropsID, "alarms", "conditions", "deadletters", "journal"}

// Validate reports every wrong field.
func (c ManagementConfig) Validate() error {
	err := c.Actuator.ValidateWith(ownEndpoints...)
	if c.enabled() {
		err = errors.Join(c.server().Validate(), err)
	}
	return err
}

func (c ManagementConfig) enabled() bool { return c.Enabled == nil || *c.Enabled }

func (c ManagementConfig) server() management.Config {
	return management.Config{Address: c.Address, Socket: c.Socket, Token: c.Token.Reveal, Hosts: c.Hosts}
}

func defaultManagement() ManagementConfig {
	on := true
	return ManagementConfig{Enabled: &on, Dashboard: &on, Address: management.DefaultAddress}
}

// managementServer shows the application, from before its first OnStart until
// after its last PreDestroy.
func managementServer() fx.Option {
	return fx.Options(
		fx.Provide(newActuator, newManagement, newManagementNote,
			fx.Annotate(newConditions, fx.ResultTags(`group:"lastcall.endpoints"`))),
		// Nobody need ask for it.
		fx.Invoke(func(*management.Server) {}),
	)
}

func managementConfig() fx.Option {
	return section[ManagementConfig](config.Section{Key: "management"}, defaultManagement)
}

type actuatorIn struct {
	fx.In

	Shutdowner fx.Shutdowner
	Conductor  *lifecycle.Conductor `optional:"true"`
	Config     ManagementConfig     `optional:"true"`
	Log        Log                  `optional:"true"`
	Alarms     *alarm.Watch         `optional:"true"`
	Endpoints  []actuator.Custom    `group:"lastcall.endpoints"`
}

// newActuator is nil in a bare Fx application: nobody knows its components.
func newActuator(in actuatorIn) (*actuator.Actuator, error) {
	if in.Conductor == nil {
		return nil, nil
	}
	endpoints := slices.Concat(alarmEndpoints(in.Alarms), in.Endpoints)
	slices.SortStableFunc(endpoints, func(a, b actuator.Custom) int { // a group of Fx has no order
		return cmp.Compare(a.Path, b.Path)
	})
	return actuator.New(in.Conductor, in.Config.Actuator,
		actuator.WithAuthorized(func(r *http.Request) bool { return management.Trusted(r.Context()) }),
		actuator.WithCaller(asker),
		actuator.WithShutdown(func(by string) error { return lifecycle.ShutdownBy(in.Shutdowner, by) }),
		actuator.WithLoggers(in.Log.rootLogger()),
		actuator.WithRaised(raisedBy(in.Alarms)),
		actuator.WithEndpoints(endpoints...))
}

// asker is what is known of a trusted request: it showed the token, or began on
// this machine.
func asker(r *http.Request) (by, from string) {
	by, from = "somebody on this machine", r.RemoteAddr
	if r.Header.Get("Authorization") != "" {
		by = "a holder of the token"
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && addr.Network() == "unix" {
		from = "socket"
	}
	return by, from
}

type managementIn struct {
	fx.In

	Lifecycle fx.Lifecycle
	Actuator  *actuator.Actuator
	Config    ManagementConfig `optional:"true"`
	Values    *config.Values   `optional:"true"`
	Logger    *zap.Logger      `optional:"true"`
	Note      *managementNote
}

// managementNote says why nobody can ask the management server; empty: somebody
// can.
type managementNote struct{ atomic.Pointer[string] }

func newManagementNote() *managementNote { return &managementNote{} }

func (n *managementNote) put(why string) { n.Store(&why) }

// newManagement is nil where there is nothing to listen on, or to show.
func newManagement(in managementIn) (*management.Server, error) {
	cfg := in.Config
	if reflect.ValueOf(cfg).IsZero() {
		cfg = defaultManagement()
	}
	asked := cfg.Address != management.DefaultAddress || in.Values != nil && in.Values.Origin("management.address").Source != config.FromDefault
	if testing.Testing() && !asked {
		cfg.Address = "" // tests run beside each other
	}
	switch {
	case !cfg.enabled():
		in.Note.put("management.enabled is false")
		return nil, nil
	case cfg.Address == "" && cfg.Socket == "":
		in.Note.put("there is neither an address nor a socket to listen on (management.address; in a test binary there is none by default)")
		return nil, nil
	}
	log := in.Logger
	if log == nil {
		log = zap.NewNop()
	}
	if in.Actuator == nil {
		if asked {
			log.Warn("management server: there is none, as a bare Fx application knows nothing of itself; add lifecycle.Module(), or use app.New")
		}
		return nil, nil
	}
	page, err := cfg.page()
	if err != nil {
		return nil, err
	}
	srv, err := management.New(cfg.server(), managementHandler(cfg, in.Actuator, page), managementOptions(in, page, log, asked)...)
	if err != nil {
		return nil, err
	}
	lifecycle.Attend(in.Lifecycle, lifecycle.Witness{
		Name: "management",
		Open: func(ctx context.Context) error {
			if err := errors.Join(srv.Start(ctx), in.Actuator.Start(ctx)); err != nil {
				return err
			}
			tellManagement(log, srv, cfg)
			return nil
		},
		Close: func(ctx context.Context) {
			err := errors.Join(srv.Stop(ctx), in.Actuator.Stop(ctx))
			if err != nil {
				log.Warn("management server: it has not ended cleanly", zap.Error(err))
			}
		},
	})
	return srv, nil
}

// managementHandler gives the actuator every path that nobody else has, so that
// it answers with what there is.
func managementHandler(cfg ManagementConfig, a *actuator.Actuator, page *dashboard.Dashboard) http.Handler {
	var rest http.Handler = a
	if cfg.Pprof {
		mux := http.NewServeMux()
		mux.Handle("/", a)
		mux.Handle(management.ProfilesPath, management.Profiles())
		rest = mux
	}
	return withPage(page, rest)
}

func managementOptions(in managementIn, page *dashboard.Dashboard, log *zap.Logger, asked bool) []management.Option {
	opts := []management.Option{
		management.WithOpen(func(r *http.Request) bool {
			e, ok := in.Actuator.Match(r)
			return ok && e.Open || isPage(page, r)
		}),
		management.WithServeError(func(err error) {
			log.Error("management server: it can accept nobody any more", zap.Error(err))
		}),
	}
	if !asked {
		opts = append(opts, management.WithTaken(func(err error) {
			in.Note.put("the address is taken, so there is no port: " + err.Error())
			log.Warn("management server: there is none on this port", zap.Error(err))
		}))
	}
	if std, err := zap.NewStdLogAt(log.Named("management"), zap.WarnLevel); err == nil {
		opts = append(opts, management.WithErrorLog(std))
	}
	return opts
}

// tellManagement says where a person finds it.
func tellManagement(log *zap.Logger, srv *management.Server, cfg ManagementConfig) {
	var fields []zap.Field
	if cfg.Socket != "" {
		fields = append(fields, zap.String("socket", cfg.Socket))
	}
	base := cfg.Actuator.WithDefaults().BasePath
	switch addr := srv.Addr(); {
	case addr != nil:
		log.Info("management server: http://"+reachable(addr)+base, fields...)
		if cfg.hasPage() {
			log.Info("dashboard: http://" + reachable(addr) + "/")
		}
	case cfg.Socket != "":
		log.Info("management server: at its socket alone", fields...)
	}
}

// reachable is an address as this machine can ask for it.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	_, port, _ := net.SplitHostPort(addr.String())
	return net.JoinHostPort("localhost", port)
}
