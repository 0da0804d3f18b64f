package lifecycle_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Distinct types, so that constructors can be told apart by what they make.
type (
	database struct{}
	cache    struct{}
	queue    struct{}
	server   struct{}
	route    struct{ name string }
)

const each = 100 * time.Millisecond

// slow appends a hook that takes each to stop.
func slow(lc fx.Lifecycle, name string) {
	lifecycle.Append(lc, lifecycle.Hook{Name: name, OnStop: sleeping(each)})
}

func newDatabase(lc fx.Lifecycle) *database                 { slow(lc, "database"); return &database{} }
func newCache(lc fx.Lifecycle, _ *database) *cache          { slow(lc, "cache"); return &cache{} }
func newQueue(lc fx.Lifecycle, _ *database) *queue          { slow(lc, "queue"); return &queue{} }
func newServer(lc fx.Lifecycle, _ *cache, _ *queue) *server { slow(lc, "server"); return &server{} }

var diamond = fx.Options(
	fx.Provide(newDatabase, newCache, newQueue, newServer),
	fx.Invoke(func(*server) {}),
)

// stopTime starts and stops the application in parallel mode and returns how
// long the stop took.
func stopTime(t *testing.T, opts ...fx.Option) (time.Duration, house) {
	t.Helper()
	h := build(t, configured(lifecycle.Config{Parallel: true}), fx.Options(opts...))
	require.NoError(t, h.start())
	began := time.Now()
	require.NoError(t, h.stop())
	return time.Since(began), h
}

func TestParallel(t *testing.T) {
	t.Parallel()

	bubble(t, "DiamondStopsInItsCriticalPath", func(t *testing.T) {
		took, h := stopTime(t, diamond)
		assert.Equal(t, 3*each, took)
		r := h.Receipt()
		assert.Equal(t, component(t, r, "cache").Stop.Began, component(t, r, "queue").Stop.Began)
		assert.Equal(t, 2*each, component(t, r, "database").Stop.Began)
	})

	bubble(t, "WithoutItTheSameDiamondStopsOneByOne", func(t *testing.T) {
		h := build(t, diamond)
		require.NoError(t, h.start())
		began := time.Now()
		require.NoError(t, h.stop())
		assert.Equal(t, 4*each, time.Since(began))
	})

	bubble(t, "WithoutTheTapComponentsStopOneByOneAndTheReceiptSaysSo", func(t *testing.T) {
		var c *lifecycle.Conductor
		a := fx.New(lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{Parallel: true})), fx.NopLogger, diamond, fx.Populate(&c))
		require.NoError(t, a.Err())
		h := house{c, a}
		require.NoError(t, h.start())
		began := time.Now()
		require.NoError(t, h.stop())
		assert.Equal(t, 4*each, time.Since(began))
		assert.Contains(t, strings.Join(h.Receipt().Notes, "\n"), "parallel stop needs the event tap")
	})

	bubble(t, "TwoHooksOfOneConstructorStayInTheirOrder", func(t *testing.T) {
		took, _ := stopTime(t, fx.Provide(func(lc fx.Lifecycle) *cache {
			slow(lc, "a")
			slow(lc, "b")
			return nil
		}), fx.Provide(newDatabase), fx.Invoke(func(*cache, *database) {}))
		assert.Equal(t, 2*each, took, "beside each other would be 1, one by one 3")
	})

	bubble(t, "TwoConstructorsFromOneClosureAreIndependent", func(t *testing.T) {
		provide := func(name string) fx.Option {
			return fx.Provide(fx.Annotate(func(lc fx.Lifecycle) *cache {
				slow(lc, name)
				return &cache{}
			}, fx.ResultTags(`name:"`+name+`"`)))
		}
		took, _ := stopTime(t, provide("a"), provide("b"),
			fx.Invoke(fx.Annotate(func(_, _ *cache) {}, fx.ParamTags(`name:"a"`, `name:"b"`))))
		assert.Equal(t, each, took)
	})

	bubble(t, "SamePlainClosureTwiceIsIndependentToo", func(t *testing.T) {
		took, _ := stopTime(t, fx.Provide(makes[*cache]("a"), makes[*queue]("b")), fx.Invoke(func(*cache, *queue) {}))
		assert.Equal(t, each, took)
	})

	bubble(t, "NamedAnnotationsCarryTheirDependencies", func(t *testing.T) {
		took, _ := stopTime(t,
			fx.Provide(fx.Annotate(newDatabase, fx.ResultTags(`name:"main"`))),
			fx.Provide(fx.Annotate(newCache, fx.ParamTags(``, `name:"main"`), fx.ResultTags(`name:"warm"`))),
			fx.Invoke(fx.Annotate(func(*cache) {}, fx.ParamTags(`name:"warm"`))))
		assert.Equal(t, 2*each, took, "the cache stands on the database")
	})

	bubble(t, "InterfacesByFxAsCarryTheirDependencies", func(t *testing.T) {
		took, _ := stopTime(t,
			fx.Provide(fx.Annotate(func(lc fx.Lifecycle) *strings.Reader { slow(lc, "reader"); return strings.NewReader("") }, fx.As(new(io.Reader)))),
			fx.Provide(func(lc fx.Lifecycle, _ io.Reader) *cache { slow(lc, "cache"); return nil }),
			fx.Invoke(func(*cache) {}))
		assert.Equal(t, 2*each, took)
	})

	bubble(t, "ValueGroupStopsAfterItsConsumer", func(t *testing.T) {
		member := func(name string) fx.Option {
			return fx.Provide(fx.Annotate(func(lc fx.Lifecycle) route { slow(lc, name); return route{name} }, fx.ResultTags(`group:"routes"`)))
		}
		took, h := stopTime(t, member("a"), member("b"), fx.Provide(fx.Annotate(
			func(lc fx.Lifecycle, _ []route) *server { slow(lc, "server"); return nil }, fx.ParamTags(``, `group:"routes"`))),
			fx.Invoke(func(*server) {}))
		assert.Equal(t, 2*each, took, "the server first, then both routes beside each other")
		assert.Zero(t, component(t, h.Receipt(), "server").Stop.Began)
	})

	bubble(t, "FxOutMembersOfAGroupCount", func(t *testing.T) {
		type out struct {
			fx.Out

			Route route `group:"routes"`
			Cache *cache
		}
		type in struct {
			fx.In

			Routes []route `group:"routes"`
		}
		took, _ := stopTime(t,
			fx.Provide(func(lc fx.Lifecycle) out { slow(lc, "route"); return out{} }),
			fx.Provide(func(lc fx.Lifecycle, _ in) *server { slow(lc, "server"); return nil }),
			fx.Invoke(func(*server) {}))
		assert.Equal(t, 2*each, took)
	})

	bubble(t, "ModulesAndPrivateConstructorsAreInTheGraph", func(t *testing.T) {
		took, h := stopTime(t, fx.Module("store",
			fx.Provide(newDatabase, fx.Private),
			fx.Provide(newCache, newQueue),
		), fx.Invoke(func(*cache, *queue) {}))
		assert.Equal(t, 2*each, took)
		assert.Equal(t, "store", component(t, h.Receipt(), "database").Module)
	})

	bubble(t, "WhoStandsOnADecoratedTypeIsABarrier", func(t *testing.T) {
		took, _ := stopTime(t, fx.Provide(newDatabase, newCache, makes[*queue]("queue")),
			fx.Decorate(func(d *database) *database { return d }),
			fx.Invoke(func(*cache, *queue) {}))
		assert.Equal(t, 3*each, took, "nothing stops beside the cache: what it stands on is hidden")
	})

	bubble(t, "HooksOfAnInvokeAreBarriers", func(t *testing.T) {
		took, _ := stopTime(t, fx.Provide(makes[*cache]("cache"), makes[*queue]("queue")),
			fx.Invoke(func(*cache, *queue) {}),
			hook(lifecycle.Hook{Name: "invoked", OnStop: sleeping(each)}))
		assert.Equal(t, 2*each, took)
	})

	bubble(t, "BandsDoNotOverlap", func(t *testing.T) {
		banded := func(name string, b lifecycle.Band) func(lc fx.Lifecycle) {
			return func(lc fx.Lifecycle) {
				lifecycle.Append(lc, lifecycle.Hook{Name: name, Band: b, OnStop: sleeping(each)})
			}
		}
		took, _ := stopTime(t,
			fx.Provide(func(lc fx.Lifecycle) *cache { banded("db", lifecycle.Resource)(lc); return nil }),
			fx.Provide(func(lc fx.Lifecycle) *queue { banded("log", lifecycle.Sink)(lc); return nil }),
			fx.Provide(func(lc fx.Lifecycle) *server { banded("http", lifecycle.Ingress)(lc); return nil }),
			fx.Invoke(func(*cache, *queue, *server) {}))
		assert.Equal(t, 3*each, took)
	})

	bubble(t, "AfterOrdersWhatTheGraphDoesNot", func(t *testing.T) {
		took, _ := stopTime(t, fx.Provide(makes[*cache]("cache")),
			fx.Provide(func(lc fx.Lifecycle) *queue {
				lifecycle.Append(lc, lifecycle.Hook{Name: "queue", After: []string{"cache"}, OnStop: sleeping(each)})
				return nil
			}), fx.Invoke(func(*cache, *queue) {}))
		assert.Equal(t, 2*each, took)
	})

	bubble(t, "NineComponentsInThreeLayersTakeThreeSteps", func(t *testing.T) {
		var opts []fx.Option
		tag := func(layer, i int) string { return fmt.Sprintf(`name:"%d/%d"`, layer, i) }
		for layer := range 3 {
			for i := range 3 {
				params := []string{"", "optional:\"true\"", "optional:\"true\"", "optional:\"true\""}
				if layer > 0 {
					params = []string{"", tag(layer-1, 0), tag(layer-1, 1), tag(layer-1, 2)}
				}
				opts = append(opts, fx.Provide(fx.Annotate(func(lc fx.Lifecycle, _, _, _ *part) *part {
					slow(lc, tag(layer, i))
					return &part{}
				}, fx.ParamTags(params...), fx.ResultTags(tag(layer, i)))))
			}
		}
		took, _ := stopTime(t, append(opts, fx.Invoke(fx.Annotate(func(_, _, _ *part) {}, fx.ParamTags(tag(2, 0), tag(2, 1), tag(2, 2)))))...)
		assert.Equal(t, 3*each, took)
	})
}

// makes is a factory of constructors: all of them are the same closure.
func makes[T any](name string) func(fx.Lifecycle) T {
	return func(lc fx.Lifecycle) (zero T) {
		slow(lc, name)
		return zero
	}
}

func TestDependencyOrder(t *testing.T) {
	t.Parallel()

	bubble(t, "DependencyBeatsBandAndTheReceiptSaysWhy", func(t *testing.T) {
		var d diary
		banded := func(lc fx.Lifecycle, name string, b lifecycle.Band) {
			lifecycle.Append(lc, d.stopping(lifecycle.Hook{Name: name, Band: b}))
		}
		h := build(t, fx.Provide(
			func(lc fx.Lifecycle) *database { banded(lc, "database", lifecycle.Middle); return nil },
			func(lc fx.Lifecycle, _ *database) *cache { banded(lc, "audit", lifecycle.Sink); return nil },
			func(lc fx.Lifecycle, _ *cache) *queue { banded(lc, "pool", lifecycle.Middle); return nil },
		), fx.Invoke(func(*queue) {}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"pool", "audit", "database"}, d.read())
		assert.Equal(t, "moved from middle to sink: audit stands on database", component(t, h.Receipt(), "database").Moved)
		assert.Contains(t, h.Receipt().String(), "database moved from middle to sink")
	})

	bubble(t, "CycleRefusesTheStartAndDestroysWhatIsThere", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a", After: []string{"b"}})), hook(d.noting(lifecycle.Hook{Name: "b", After: []string{"a"}})))
		err := h.start()
		var cycle *lifecycle.CycleError
		require.ErrorAs(t, err, &cycle)
		assert.Equal(t, []string{"a", "b"}, cycle.Components)
		assert.Equal(t, []string{"destroy b", "destroy a"}, d.read())
		_, err = h.Plan()
		require.ErrorAs(t, err, &cycle)
	})

	bubble(t, "UnknownNameInAfterIsANote", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "a", After: []string{"ghost"}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{`a is to start after "ghost", but nobody has that name`}, h.Receipt().Notes)
	})

	bubble(t, "SameNamesAreNumbered", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "a"}), hook(lifecycle.Hook{Name: "a#2"}), hook(lifecycle.Hook{Name: "a"}), hook(lifecycle.Hook{Name: "a"}))
		plan, err := h.Plan()
		require.NoError(t, err)
		var names []string
		for _, s := range plan.Steps {
			names = append(names, s.Component)
		}
		assert.ElementsMatch(t, []string{"a", "a#2", "a#3", "a#4"}, names)
	})

	bubble(t, "PlainHooksAreNamedByTheirConstructorWithAndWithoutTheTap", func(t *testing.T) {
		for _, log := range []fx.Option{tapped, fx.NopLogger} {
			var c *lifecycle.Conductor
			a := fx.New(lifecycle.Module(), log, fx.Populate(&c), fx.Provide(newPlain), fx.Invoke(func(*cache) {}))
			require.NoError(t, a.Err())
			plan, err := c.Plan()
			require.NoError(t, err)
			require.Len(t, plan.Steps, 1)
			assert.Equal(t, "lifecycle_test.newPlain", plan.Steps[0].Component)
			require.NoError(t, c.Stop(context.Background()))
		}
	})
}

func newPlain(lc fx.Lifecycle) *cache {
	lc.Append(fx.StopHook(func() {}))
	return nil
}

func TestPlan(t *testing.T) {
	t.Parallel()
	h := build(t, configured(lifecycle.Config{Parallel: true}), diamond,
		hook(lifecycle.Hook{Name: "http", Band: lifecycle.Ingress}))
	plan, err := h.Plan()
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(plan.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	assert.Equal(t, []string{"1 ingress http", "2 middle server", "3 middle queue", "4 middle cache beside queue", "5 middle database"}, lines)
	require.NoError(t, h.stop())
}
