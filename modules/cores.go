package modules

import (
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
)

// pools: the registry is there whether or not there is a configuration.
func pools() fx.Option { return fx.Provide(poolmodule.NewRegistry) }

// declared: a pool, a lane or a batcher is declared in code; a source changes
// it, but does not make one.
var declared = config.Section{Declared: true}

// poolConfig lays the sources over what poolmodule.Provide and
// poolmodule.Lane declare: the sections "pools" and "lanes".
func poolConfig() fx.Option {
	return section[poolmodule.Config](declared, poolmodule.NewConfig)
}

// batchConfig does the same for batchmodule.Provide: the section "batchers".
func batchConfig() fx.Option {
	return section[batchmodule.Config](declared, batchmodule.NewConfig)
}

// httpServer serves the routes and the handler that are in the graph; without
// any it opens no port.
func httpServer() fx.Option {
	return fx.Options(
		httpmodule.Module(httpmodule.Probes("/readyz", "/livez")),
		fx.Provide(readiness),
	)
}

func stopping() fx.Option { return Section("lifecycle", lifecycle.Config{}) }

func httpConfig() fx.Option { return Section("http", server.Config{}) }

type readinessIn struct {
	fx.In

	Conductor *lifecycle.Conductor `optional:"true"`
}

// readiness is the conductor's; a bare Fx application is ready while it
// answers.
func readiness(in readinessIn) httpmodule.Readiness {
	if in.Conductor == nil {
		return func() bool { return true }
	}
	return in.Conductor.Ready
}
