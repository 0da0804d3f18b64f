package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func newUnused() *route { return &route{} }

type (
	greeting string
	farewell string
)

func TestFunctions(t *testing.T) {
	t.Parallel()

	t.Run("SayWhatTheApplicationIsMadeOf", func(t *testing.T) {
		t.Parallel()
		h := build(t, diamond,
			fx.Module("extra", fx.Provide(
				fx.Annotate(newUnused, fx.ResultTags(`name:"home"`)),
				fx.Private,
			), fx.Supply(greeting("hello"), farewell("bye")), fx.Replace(farewell("good night")), fx.Decorate(func(g greeting) greeting { return g }), fx.Invoke(func(lc fx.Lifecycle, _ greeting) {
				slow(lc, "greeter")
			})))
		byMakes := map[string]lifecycle.Function{}
		var invoked lifecycle.Function
		for _, f := range h.Functions() {
			if f.Kind == lifecycle.InvokeFunction && f.Module == "extra" {
				invoked = f
			}
			for _, made := range f.Makes {
				byMakes[string(f.Kind)+" "+made] = f
			}
		}
		const pkg = "github.com/lastcall-go/lastcall/lifecycle_test."
		server := byMakes["provide *lifecycle_test.server"]
		assert.Positive(t, server.Took)
		server.Took = 0
		assert.Equal(t, lifecycle.Function{
			Name: pkg + "newServer", Kind: lifecycle.ProvideFunction, Makes: []string{"*lifecycle_test.server"},
			Needs: []string{"*lifecycle_test.cache", "*lifecycle_test.queue", "fx.Lifecycle"},
			Ran:   true, Components: []string{"server"},
		}, server)
		unused := byMakes["provide *lifecycle_test.route[name=home]"]
		assert.Equal(t, pkg+"newUnused", unused.Name)
		assert.Equal(t, "extra", unused.Module)
		assert.True(t, unused.Private)
		assert.False(t, unused.Ran)
		assert.Equal(t, "supply", byMakes["supply lifecycle_test.greeting"].Name)
		assert.Equal(t, "extra", byMakes["replace lifecycle_test.farewell"].Module)
		assert.Contains(t, byMakes["decorate lifecycle_test.greeting"].Name, "TestFunctions")
		assert.Equal(t, []string{"greeter"}, invoked.Components)
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
	})

	t.Run("KnowTheNamesAndGroupsOfValues", func(t *testing.T) {
		t.Parallel()
		in := func(tag string) fx.Annotation { return fx.ResultTags(tag) }
		h := build(t, fx.Supply(
			fx.Annotate(greeting("hello"), in(`name:"first"`)),
			fx.Annotate(greeting("hi"), in(`group:"others"`)),
			fx.Annotate(greeting("hey"), in(`group:"others"`)),
			greeting("good evening"),
		), fx.Provide(fx.Annotate(func([]greeting) farewell { return "bye" }, fx.ParamTags(`group:"others"`))))
		var supplied []string
		for _, f := range h.Functions() {
			switch {
			case f.Kind == lifecycle.SupplyFunction:
				supplied = append(supplied, f.Makes...)
			case len(f.Makes) == 1 && f.Makes[0] == "lifecycle_test.farewell":
				assert.Equal(t, []string{"lifecycle_test.greeting[group=others]"}, f.Needs)
			}
		}
		assert.ElementsMatch(t, []string{
			"lifecycle_test.greeting[name=first]", "lifecycle_test.greeting[group=others]", "lifecycle_test.greeting[group=others]", "lifecycle_test.greeting",
		}, supplied)
		require.NoError(t, h.stop())
	})

	t.Run("AreNotKnownWithoutTheTap", func(t *testing.T) {
		t.Parallel()
		var c *lifecycle.Conductor
		a := fx.New(lifecycle.Module(), diamond, fx.Populate(&c), fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }))
		require.NoError(t, a.Err())
		assert.Empty(t, c.Functions())
	})
}

func TestStandsOn(t *testing.T) {
	t.Parallel()
	stands := func(h house) map[string][]string {
		on := map[string][]string{}
		for _, c := range h.Components() {
			on[c.Name] = c.StandsOn
		}
		return on
	}

	t.Run("LeavesOutWhatLiesDeeper", func(t *testing.T) {
		t.Parallel()
		h := build(t, diamond, hook(lifecycle.Hook{Name: "last", After: []string{"server", "database", "nobody"}}))
		on := stands(h)
		assert.ElementsMatch(t, []string{"cache", "queue"}, on["server"], "not the database below them")
		assert.Equal(t, []string{"database"}, on["cache"])
		assert.Equal(t, []string{"server"}, on["last"])
		assert.Empty(t, on["database"])
	})

	t.Run("OfACycleIsAllThatIsKnown", func(t *testing.T) {
		t.Parallel()
		h := build(t, hook(lifecycle.Hook{Name: "hen", After: []string{"egg"}}), hook(lifecycle.Hook{Name: "egg", After: []string{"hen"}}))
		on := stands(h)
		assert.Equal(t, []string{"egg"}, on["hen"])
		assert.Equal(t, []string{"hen"}, on["egg"])
	})
}
