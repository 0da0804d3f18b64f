package poolmodule_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type SMS struct{ To, Text string }

// smsPool takes the pool "sms" out of the graph.
type smsPool struct {
	fx.In
	Pool *pool.Pool `name:"sms"`
}

// workersOf builds an app and says how many workers its pool "sms" has.
func workersOf(t *testing.T, opts ...fx.Option) int {
	t.Helper()
	var in smsPool
	app := fxtest.New(t, append(opts, fx.Populate(&in))...)
	app.RequireStart().RequireStop()
	return in.Pool.Limits().Workers
}

func pools(name string, cfg pool.Config) poolmodule.Config {
	return poolmodule.Config{Pools: map[string]pool.Config{name: cfg}}
}

func double(cfg poolmodule.Config) poolmodule.Config {
	sms := cfg.Pools["sms"]
	sms.Workers *= 2
	return pools("sms", sms)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	declared := poolmodule.Provide("sms", pool.Config{Workers: 2})
	supplied := fx.Supply(pools("sms", pool.Config{Workers: 3}))
	replaced := fx.Replace(pools("sms", pool.Config{Workers: 5}))

	for _, tt := range []struct {
		name string
		give []fx.Option
		want int
	}{
		{"DeclaredHoldsAlone", []fx.Option{declared}, 2},
		{"DeclaredHoldsWithModule", []fx.Option{declared, poolmodule.Module}, 2},
		{"SuppliedReplacesDeclared", []fx.Option{declared, supplied}, 3},
		{"ReplaceWithoutAProvider", []fx.Option{declared, replaced}, 5},
		{"ReplaceWithAProvider", []fx.Option{declared, supplied, replaced}, 5},
		{"ReplaceWithModule", []fx.Option{declared, poolmodule.Module, replaced}, 5},
		{"DecorateOfSupplied", []fx.Option{declared, supplied, fx.Decorate(double)}, 6},
		{"DecorateOfDeclaredWithModule", []fx.Option{declared, poolmodule.Module, fx.Decorate(double)}, 4},
		{"InsideAModule", []fx.Option{fx.Module("mine", declared), supplied}, 3},
		{"ReplaceInsideAModuleHoldsThere", []fx.Option{fx.Module("mine", declared, replaced)}, 5},
		{"EntryOfAnotherPoolLeavesThisOne", []fx.Option{
			declared, poolmodule.Provide("mail", pool.Config{}), fx.Replace(pools("mail", pool.Config{Workers: 9})),
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, workersOf(t, tt.give...))
		})
		t.Run(tt.name+"UnderLifecycleModule", func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, workersOf(t, append([]fx.Option{lifecycle.Module()}, tt.give...)...))
		})
	}

	t.Run("ResizeBeatsThemAll", func(t *testing.T) {
		t.Parallel()
		var registry *poolmodule.Registry
		var in smsPool
		app := fxtest.New(t, declared, replaced, poolmodule.Module, fx.Populate(&in, &registry))
		app.RequireStart()
		require.NoError(t, registry.Resize("sms", pool.Limits{Workers: 7}))
		assert.Equal(t, 7, in.Pool.Limits().Workers)
		require.ErrorContains(t, registry.Resize("smss", pool.Limits{}), `there is no pool "smss"; declared are: sms`)
		assert.Equal(t, []string{"sms"}, registry.Names())
		app.RequireStop()
	})

	t.Run("WrongValuesAndUnknownNamesFailTheBuild", func(t *testing.T) {
		t.Parallel()
		for give, want := range map[string]fx.Option{
			"pools.sms.workers: is -1":                          fx.Replace(pools("sms", pool.Config{Workers: -1})),
			"pools.smss: nobody declares it; declared are: sms": fx.Replace(pools("smss", pool.Config{})),
			"lanes.out: nobody declares it; declared are: none": fx.Replace(poolmodule.Config{Lanes: map[string]pool.LaneConfig{"out": {}}}),
		} {
			err := fx.New(fx.NopLogger, declared, want, fx.Invoke(func(smsPool) {})).Err()
			require.ErrorContains(t, err, give)
			err = fx.New(fx.NopLogger, declared, want).Err()
			require.ErrorContains(t, err, give, "though nobody takes the pool")
		}
		err := fx.New(fx.NopLogger, poolmodule.Provide("sms", pool.Config{Workers: -1}), fx.Invoke(func(smsPool) {})).Err()
		require.ErrorContains(t, err, "pools.sms: pool sms: workers: is -1", "as declared")
	})

	t.Run("DecorateWithNothingToDecorateIsAnErrorNotSilence", func(t *testing.T) {
		t.Parallel()
		err := fx.New(fx.NopLogger, declared, fx.Decorate(double), fx.Invoke(func(smsPool) {})).Err()
		require.ErrorContains(t, err, "poolmodule.Config")
	})
}

func TestProvide(t *testing.T) {
	t.Parallel()

	t.Run("NobodyAsksNothingIsBuilt", func(t *testing.T) {
		t.Parallel()
		var registry *poolmodule.Registry
		app := fxtest.New(t, poolmodule.Module, poolmodule.Provide("sms", pool.Config{}), fx.Populate(&registry))
		app.RequireStart().RequireStop()
		assert.Empty(t, registry.Names())
		require.EqualError(t, registry.Resize("sms", pool.Limits{Workers: 2}),
			`pool "sms" is declared, but nobody takes it, so it was not built; take a *pool.Pool tagged name:"sms", or a lane into it`)
		_, err := registry.Get("mail")
		require.EqualError(t, err, `there is no pool "mail"; declared are: sms`)
	})

	t.Run("ConstructorsAreReadableInTheEvents", func(t *testing.T) {
		t.Parallel()
		var names []string
		spy := logger(func(e fxevent.Event) {
			if p, ok := e.(*fxevent.Provided); ok {
				names = append(names, p.ModuleName+" "+p.ConstructorName)
			}
		})
		app := fx.New(fx.WithLogger(func() fxevent.Logger { return spy }),
			poolmodule.Provide("sms", pool.Config{}), poolmodule.Lane[SMS]("out", "sms", newHandler))
		require.NoError(t, app.Err())
		all := strings.Join(names, "\n")
		assert.Contains(t, all, "pool:sms fx.Annotate(github.com/lastcall-go/lastcall/poolmodule.(*declaration).NewPool")
		assert.Contains(t, all, "lane:out fx.Annotate(github.com/lastcall-go/lastcall/poolmodule.Lane[...]")
		assert.Contains(t, all, "poolmodule_test.newHandler")
	})

	for _, withModule := range []bool{false, true} {
		name := map[bool]string{false: "PlainFx", true: "LifecycleModule"}[withModule]
		base := fx.Options()
		if withModule {
			base = lifecycle.Module()
		}

		t.Run("StopFinishesWhatIsQueuedUnder"+name, func(t *testing.T) {
			t.Parallel()
			var ran atomic.Int32
			var in smsPool
			app := fxtest.New(t, base, poolmodule.Provide("sms", pool.Config{Workers: 2}), fx.Populate(&in))
			app.RequireStart()
			for range 100 {
				require.NoError(t, in.Pool.Submit(t.Context(), func(context.Context) { ran.Add(1) }))
			}
			app.RequireStop()
			assert.EqualValues(t, 100, ran.Load())
			require.ErrorIs(t, in.Pool.Submit(t.Context(), func(context.Context) {}), pool.ErrClosed)
		})

		t.Run("LeftoverClosuresGoToTheSaverUnder"+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var in smsPool
				var saved int
				save := func(_ context.Context, tasks []pool.Task) error { saved = len(tasks); return nil }
				app := fxtest.New(t, base,
					poolmodule.Provide("sms", pool.Config{Workers: 1, StopBudget: time.Second}, poolmodule.SaveTasks(save)),
					fx.Populate(&in))
				app.RequireStart()
				for range 3 {
					require.NoError(t, in.Pool.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
				}
				_ = stop(t, app)
				assert.Equal(t, 2, saved)
				ledger := in.Pool.Gate().Ledger()
				assert.EqualValues(t, 2, ledger.Saved)
				assert.Zero(t, ledger.Inside)
			})
		})

		t.Run("WithoutASaverTheErrorSaysHowManyAreLostUnder"+name, func(t *testing.T) {
			t.Parallel()
			for _, opts := range [][]poolmodule.Option{nil, {poolmodule.SaveTasks(func(context.Context, []pool.Task) error { panic("disk") })}} {
				synctest.Test(t, func(t *testing.T) {
					var in smsPool
					app := fx.New(fx.NopLogger, base, poolmodule.Provide("sms", pool.Config{Workers: 1, StopBudget: time.Second}, opts...), fx.Populate(&in))
					require.NoError(t, app.Start(t.Context()))
					for range 3 {
						require.NoError(t, in.Pool.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
					}
					require.ErrorContains(t, stop(t, app), "pool sms: 2 tasks lost")
					assert.EqualValues(t, 2, in.Pool.Gate().Ledger().Lost)
				})
			}
		})

		t.Run("SaverThatEndsItsGoroutineLosesThemUnder"+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var in smsPool
				app := fx.New(fx.NopLogger, base, poolmodule.Provide("sms", pool.Config{Workers: 1, StopBudget: time.Second},
					poolmodule.SaveTasks(func(context.Context, []pool.Task) error { runtime.Goexit(); return nil })), fx.Populate(&in))
				require.NoError(t, app.Start(t.Context()))
				for range 2 {
					require.NoError(t, in.Pool.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
				}
				require.Error(t, stop(t, app))
				assert.EqualValues(t, 1, in.Pool.Gate().Ledger().Lost)
				assert.Zero(t, in.Pool.Gate().Ledger().Inside)
			})
		})
	}
}

// stop stops an app whose work ends only when its time is up.
func stop(t *testing.T, app interface{ Stop(context.Context) error }) error {
	ctx, cancel := context.WithTimeout(t.Context(), fx.DefaultTimeout)
	defer cancel()
	return app.Stop(ctx)
}

type logger func(fxevent.Event)

func (l logger) LogEvent(e fxevent.Event) { l(e) }

func newHandler() pool.Handler[SMS] { return func(context.Context, SMS) error { return nil } }

// client and store stand for what a handler and a saver need from the graph.
type client struct{ sent []SMS }

type store struct{ saved []SMS }

func newSender(c *client) (pool.Handler[SMS], error) {
	return func(ctx context.Context, m SMS) error {
		if m.To == "nobody" {
			<-ctx.Done()
			return ctx.Err()
		}
		c.sent = append(c.sent, m)
		return nil
	}, nil
}

func newSaver(s *store) func(context.Context, []SMS) error {
	return func(_ context.Context, items []SMS) error { s.saved = append(s.saved, items...); return nil }
}

func TestLane(t *testing.T) {
	t.Parallel()

	for _, withModule := range []bool{false, true} {
		name := map[bool]string{false: "PlainFx", true: "LifecycleModule"}[withModule]
		base := fx.Options()
		if withModule {
			base = lifecycle.Module()
		}
		t.Run("HandlerSaverAndHookGetTheirDependenciesUnder"+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var lane *pool.Lane[SMS]
				var results []pool.Result[SMS]
				c, s := &client{}, &store{}
				app := fxtest.New(t, base, fx.Module("messages",
					fx.Supply(c, s),
					poolmodule.Provide("sms", pool.Config{Workers: 1}),
					poolmodule.Lane[SMS]("out", "sms", newSender,
						poolmodule.Configure(pool.LaneConfig{StopBudget: time.Second}),
						poolmodule.SaveWith(newSaver),
						poolmodule.ResultWith(func() func(context.Context, pool.Result[SMS]) {
							return func(_ context.Context, r pool.Result[SMS]) { results = append(results, r) }
						})),
				), fx.Populate(&lane))
				app.RequireStart()
				for _, to := range []string{"a", "nobody", "b"} {
					require.NoError(t, lane.Submit(t.Context(), SMS{To: to}))
				}
				synctest.Wait()
				_ = stop(t, app)
				assert.Equal(t, []SMS{{To: "a"}}, c.sent)
				assert.Equal(t, []SMS{{To: "nobody"}, {To: "b"}}, s.saved)
				assert.Equal(t, []pool.Result[SMS]{{Item: SMS{To: "a"}, Attempts: 1}}, results)
				ledger := lane.Gate().Ledger()
				assert.EqualValues(t, 2, ledger.Saved)
				assert.True(t, ledger.Balanced(), "%s", ledger)
				assert.Zero(t, ledger.Inside)
			})
		})
	}

	t.Run("TwoLanesOfOneTypeAreToldApartByName", func(t *testing.T) {
		t.Parallel()
		var in struct {
			fx.In
			First  *pool.Lane[SMS] `name:"first"`
			Second *pool.Lane[SMS]
		}
		handler := func(context.Context, SMS) error { return nil } // given itself
		app := fxtest.New(t,
			poolmodule.Provide("sms", pool.Config{}),
			poolmodule.Lane[SMS]("first", "sms", handler, poolmodule.Named()),
			poolmodule.Lane[SMS]("second", "sms", newHandler),
			fx.Populate(&in))
		app.RequireStart().RequireStop()
		assert.Equal(t, "first", in.First.Name())
		assert.Equal(t, "second", in.Second.Name())
	})

	t.Run("ConfigOfTheGraphReplacesConfigure", func(t *testing.T) {
		t.Parallel()
		tries := 0
		failing := func(context.Context, SMS) error { tries++; return errors.New("down") }
		var lane *pool.Lane[SMS]
		app := fxtest.New(t,
			poolmodule.Provide("sms", pool.Config{}),
			poolmodule.Lane[SMS]("out", "sms", failing, poolmodule.Configure(pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 1}})),
			fx.Replace(poolmodule.Config{Lanes: map[string]pool.LaneConfig{"out": {Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Nanosecond}}}}),
			fx.Populate(&lane))
		app.RequireStart()
		require.NoError(t, lane.Submit(t.Context(), SMS{}))
		app.RequireStop()
		assert.Equal(t, 3, tries)
	})

	t.Run("TestMayReplaceTheHandler", func(t *testing.T) {
		t.Parallel()
		var got []SMS
		fake := pool.Handler[SMS](func(_ context.Context, m SMS) error { got = append(got, m); return nil })
		var lane *pool.Lane[SMS]
		app := fxtest.New(t,
			poolmodule.Provide("sms", pool.Config{}),
			poolmodule.Lane[SMS]("out", "sms", newSender), // needs a client that nobody provides here
			fx.Replace(fx.Annotate(fake, fx.ResultTags(`name:"lane:out"`))),
			fx.Populate(&lane))
		app.RequireStart()
		require.NoError(t, lane.Submit(t.Context(), SMS{To: "x"}))
		app.RequireStop()
		assert.Equal(t, []SMS{{To: "x"}}, got)
	})

	t.Run("WrongConstructorsAreToldInWords", func(t *testing.T) {
		t.Parallel()
		for want, opt := range map[string]fx.Option{
			"the handler is int; give a constructor":                       poolmodule.Lane[SMS]("out", "sms", 3),
			"the handler constructor is func() int; its first result must": poolmodule.Lane[SMS]("out", "sms", func() int { return 1 }),
			"the saver constructor is func() int; its first result must":   poolmodule.Lane[SMS]("out", "sms", newHandler, poolmodule.SaveWith(func() int { return 1 })),
			"the result hook constructor is func() int; its first result":  poolmodule.Lane[SMS]("out", "sms", newHandler, poolmodule.ResultWith(func() int { return 1 })),
		} {
			require.ErrorContains(t, fx.New(fx.NopLogger, opt).Err(), want)
		}
	})
}
