package modules_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sources are options that read nothing of the process: a file that is only
// text, and what else the test gives.
func sources(file string, environ []string, args ...string) fx.Option {
	return modules.Sources(config.Options{
		Name: "service", File: "config.yaml", Environ: environ, Args: args,
		ReadFile: func(name string) ([]byte, error) {
			if file == "" {
				return nil, os.ErrNotExist
			}
			return []byte(file), nil
		},
	})
}

// silent keeps the log out of the output of the tests.
var silent = fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.NewNop() })

func run(t *testing.T, opts ...fx.Option) {
	t.Helper()
	a := app.New(append(opts, silent)...)
	require.NoError(t, a.Err())
	ctx := context.Background()
	require.NoError(t, a.Start(ctx))
	require.NoError(t, a.Stop(ctx))
}

func TestDefault(t *testing.T) {
	t.Parallel()

	t.Run("RunsByItselfAndOpensNoPort", func(t *testing.T) {
		t.Parallel()
		var srv *server.Server
		run(t, modules.Default(), sources("", nil), fx.Populate(&srv))
		assert.Nil(t, srv)
	})

	t.Run("RunsInABareFxApplication", func(t *testing.T) {
		t.Parallel()
		fxtest.New(t, modules.Default(), sources("", nil), silent).RequireStart().RequireStop()
	})

	t.Run("EachPartCanBeLeftOut", func(t *testing.T) {
		t.Parallel()
		for part := modules.Config; part <= modules.Alarms; part++ {
			opts := []fx.Option{modules.Default(modules.Without(part))}
			if part != modules.Config {
				opts = append(opts, sources("", nil))
			}
			if part == modules.Logging {
				opts = append(opts, fx.Supply(zap.NewNop()))
			}
			run(t, opts...)
		}
	})

	t.Run("LoggerIsReplacedByAnother", func(t *testing.T) {
		t.Parallel()
		mine := zap.NewNop()
		var got *zap.Logger
		a := app.New(modules.Default(modules.Without(modules.Logging)), sources("", nil), fx.Supply(mine), fx.Populate(&got))
		require.NoError(t, a.Err())
		assert.Same(t, mine, got)
		require.NoError(t, a.Stop(context.Background()))
	})

	t.Run("LogLevelComesFromTheConfiguration", func(t *testing.T) {
		t.Parallel()
		var level zap.AtomicLevel
		run(t, modules.Default(), sources("log: {level: warn, format: json}", nil), fx.Populate(&level))
		assert.Equal(t, zapcore.WarnLevel, level.Level())
	})

	t.Run("LogIsFlushedLast", func(t *testing.T) {
		t.Parallel()
		var conductor *lifecycle.Conductor
		run(t, modules.Default(), sources("", nil), fx.Populate(&conductor),
			fx.Invoke(func(lc fx.Lifecycle) {
				lifecycle.Append(lc, lifecycle.Hook{Name: "database", Band: lifecycle.Resource})
			}))
		stopped := conductor.Receipt().Components
		require.NotEmpty(t, stopped)
		assert.Equal(t, "log", stopped[len(stopped)-1].Name)
		assert.Equal(t, lifecycle.OK, stopped[len(stopped)-1].PreDestroy.Outcome)
	})

	t.Run("ReadinessIsTheConductors", func(t *testing.T) {
		t.Parallel()
		var ready httpmodule.Readiness
		a := app.New(modules.Default(), sources("", nil), fx.Populate(&ready), silent)
		require.NoError(t, a.Err())
		assert.False(t, ready(), "nothing has started")
		ctx := context.Background()
		require.NoError(t, a.Start(ctx))
		assert.True(t, ready())
		require.NoError(t, a.Stop(ctx))
		assert.False(t, ready())
	})

	t.Run("EverythingWrongIsToldAtOnce", func(t *testing.T) {
		t.Parallel()
		a := app.New(modules.Default(), silent,
			poolmodule.Provide("sms", pool.Config{}),
			sources("pools:\n  sms:\n    wokers: 8\n    queue: -7\n  smss: {}\nhttp:\n  addr: nowhere\n", []string{"LASTCALL_LOG_FORMAT=xml"}))
		err := a.Err()
		var wrong *config.Error
		require.ErrorAs(t, err, &wrong)
		assert.Len(t, wrong.Problems, 5)
		for _, text := range []string{
			"config.yaml:3", "wokers", "workers", // with the suggestion
			"config.yaml:4", "queue",
			"config.yaml:5", "smss", "sms", // a pool that nobody declares
			"config.yaml:7", "addr",
			"LASTCALL_LOG_FORMAT", "json or console",
		} {
			assert.ErrorContains(t, err, text)
		}
	})
}

// TestPrecedence: who wins over whom, for a pool, from the declaration in code
// to a resize while running.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	const (
		file = "pools: {sms: {queue: 20}}"
		env  = "LASTCALL_POOLS_SMS_QUEUE=30"
		flag = "--set=pools.sms.queue=40"
	)
	declared := poolmodule.Provide("sms", pool.Config{Workers: 3, Queue: 10})
	for _, tt := range []struct {
		name string
		give fx.Option
		want int
	}{
		{"Declared", sources("", nil), 10},
		{"FileOverDeclared", sources(file, nil), 20},
		{"EnvironmentOverFile", sources(file, []string{env}), 30},
		{"FlagOverEnvironment", sources(file, []string{env}, flag), 40},
		{"DecorateOverFlag", fx.Options(sources(file, []string{env}, flag), fx.Decorate(func(c poolmodule.Config) poolmodule.Config {
			sms := c.Pools["sms"]
			sms.Queue += 10
			c.Pools["sms"] = sms
			return c
		})), 50},
		{"ReplaceOverFlag", fx.Options(sources(file, []string{env}, flag),
			fx.Replace(poolmodule.Config{Pools: map[string]pool.Config{"sms": {Queue: 60}}})), 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var registry *poolmodule.Registry
			a := fxtest.New(t, modules.Default(), declared, tt.give, silent,
				fx.Populate(&registry), needPool("sms"))
			a.RequireStart()
			defer a.RequireStop()
			sms, err := registry.Get("sms")
			require.NoError(t, err)
			assert.Equal(t, tt.want, sms.Stats().Capacity)

			require.NoError(t, registry.Resize("sms", pool.Limits{Queue: 70}))
			assert.Equal(t, 70, sms.Stats().Capacity, "a resize while running is over all")
		})
	}

	t.Run("OneFieldOfTheFileLeavesTheOthers", func(t *testing.T) {
		t.Parallel()
		var cfg poolmodule.Config
		run(t, modules.Default(), declared, sources(file, nil), fx.Populate(&cfg))
		assert.Equal(t, pool.Config{Workers: 3, Queue: 20}, cfg.Pools["sms"])
	})

	t.Run("LanesAndBatchers", func(t *testing.T) {
		t.Parallel()
		var (
			pools    poolmodule.Config
			batchers batchmodule.Config
		)
		run(t, modules.Default(), declared,
			poolmodule.Lane[string]("out", "sms", func(context.Context, string) error { return nil }),
			batchmodule.Provide[int]("numbers", func(context.Context, []int) error { return nil }, batch.Config{MaxItems: 5}),
			sources("lanes: {out: {timeout: 2s}}\nbatchers: {numbers: {linger: 3s}}", nil),
			fx.Populate(&pools, &batchers))
		assert.Equal(t, 2*time.Second, pools.Lanes["out"].Timeout)
		assert.Equal(t, batch.Config{MaxItems: 5, Linger: 3 * time.Second}, batchers.Batchers["numbers"])
	})

	t.Run("LifecycleAndServer", func(t *testing.T) {
		t.Parallel()
		var (
			stopping lifecycle.Config
			http     server.Config
		)
		run(t, modules.Default(), sources("lifecycle: {reserve: 4s, parallel: true}\nhttp: {max_body_bytes: 2MiB}", nil),
			fx.Populate(&stopping, &http))
		assert.Equal(t, lifecycle.Config{Reserve: 4 * time.Second, Parallel: true}, stopping)
		assert.EqualValues(t, 2<<20, http.MaxBodyBytes)
	})
}

func needPool(name string) fx.Option {
	return fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(`name:"`+name+`"`)))
}

// limits is a section of a program's own.
type limits struct {
	PerDay int           `yaml:"per_day"`
	Pause  time.Duration `yaml:"pause"`
}

func (l limits) Validate() error {
	if l.PerDay < 0 {
		return errors.New("per_day: must not be negative")
	}
	return nil
}

func TestSection(t *testing.T) {
	t.Parallel()
	own := fx.Options(
		modules.Section("limits", limits{PerDay: 100, Pause: time.Second}),
		modules.Flag("per-day", "limits.per_day", "`number` of messages a day"),
	)

	t.Run("HoldsDefaultsAndWhatTheSourcesSay", func(t *testing.T) {
		t.Parallel()
		var got limits
		run(t, modules.Default(), own, sources("limits: {pause: 2s}", nil, "--per-day", "7"), fx.Populate(&got))
		assert.Equal(t, limits{PerDay: 7, Pause: 2 * time.Second}, got)
	})

	t.Run("IsValidated", func(t *testing.T) {
		t.Parallel()
		a := app.New(modules.Default(), own, sources("limits: {per_day: -1}", nil), fx.Invoke(func(limits) {}), silent)
		require.ErrorContains(t, a.Err(), "config.yaml:1")
		require.ErrorContains(t, a.Err(), "must not be negative")
	})

	t.Run("OneOptionServesManyApplications", func(t *testing.T) {
		t.Parallel()
		for _, want := range []int{1, 2} {
			var got limits
			run(t, modules.Default(), own, sources("", nil, fmt.Sprintf("--per-day=%d", want)), fx.Populate(&got))
			assert.Equal(t, want, got.PerDay)
		}
	})
}

// TestAskedInsteadOfStarted: --help and the --print flags are answered without
// starting anything.
func TestAskedInsteadOfStarted(t *testing.T) {
	t.Parallel()
	service := fx.Options(
		modules.Default(),
		poolmodule.Provide("sms", pool.Config{Workers: 3}),
		poolmodule.Lane[string]("out", "sms", func(context.Context, string) error { return nil }),
		httpmodule.Handle("GET /", newFront),
	)
	ask := func(t *testing.T, flag string) string {
		t.Helper()
		a := app.New(service, sources("pools: {sms: {workers: 5}}", nil, flag), silent)
		require.NoError(t, a.Err())
		answer := a.Conductor().Replacement()
		require.NotNil(t, answer)
		var out bytes.Buffer
		require.NoError(t, answer(&out))
		require.NoError(t, a.Stop(context.Background()))
		return out.String()
	}

	t.Run("PrintConfig", func(t *testing.T) {
		t.Parallel()
		out := ask(t, "--print-config")
		assert.Regexp(t, `workers: 5 +# config.yaml:1`, out)
		assert.Regexp(t, `queue: 1024 +# default`, out, "what the pool makes of zero")
		assert.Regexp(t, `addr: :8080 +# default`, out)
	})

	t.Run("PrintGraph", func(t *testing.T) {
		t.Parallel()
		out := ask(t, "--print-graph")
		assert.Regexp(t, `// +1 +ingress +http`, out)
		assert.Regexp(t, `// +2 +middle +lane:out`, out)
		assert.Regexp(t, `// +3 +middle +pool:sms`, out)
		assert.Contains(t, out, "digraph {")
	})

	t.Run("BareFxRefuses", func(t *testing.T) {
		t.Parallel()
		a := fx.New(service, sources("", nil, "--help"), fx.NopLogger)
		require.ErrorContains(t, a.Err(), "app.Run only")
	})

	t.Run("FxRunWithAConductorDoesNotStart", func(t *testing.T) {
		t.Parallel()
		a := fx.New(service, lifecycle.Module(), sources("", nil, "--help"), fx.NopLogger, silent)
		require.NoError(t, a.Err())
		require.ErrorContains(t, a.Start(context.Background()), "app.Run")
	})

	t.Run("Help", func(t *testing.T) {
		t.Parallel()
		out := ask(t, "--help")
		assert.Contains(t, out, "--print-config")
		assert.Contains(t, out, "pools.sms.workers")
	})
}

func newFront(out *pool.Lane[string]) *front { return &front{out} }
