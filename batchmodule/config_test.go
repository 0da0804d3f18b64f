package batchmodule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func entry(maxItems int) batchmodule.Config {
	return batchmodule.Config{Batchers: map[string]batch.Config{"orders": {MaxItems: maxItems, Linger: time.Hour}}}
}

// TestPrecedence shows by the number of items that fill a batch which Config
// holds.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		give []fx.Option
		want int
	}{
		{"ProvideHoldsWithoutAConfig", nil, 5},
		{"ProvideHoldsWithoutAnEntry", []fx.Option{fx.Supply(batchmodule.Config{})}, 5},
		{"SupplyBeatsProvide", []fx.Option{fx.Supply(entry(4))}, 4},
		{"ReplaceBeatsSupply", []fx.Option{fx.Supply(entry(4)), fx.Replace(entry(3))}, 3},
		{"ReplaceNeedsNothingToReplace", []fx.Option{fx.Replace(entry(3))}, 3},
		{"DecorateChangesWhatIsThere", []fx.Option{fx.Supply(entry(4)), fx.Decorate(func(c batchmodule.Config) batchmodule.Config {
			return entry(c.Batchers["orders"].MaxItems - 2)
		})}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var orders *batch.Batcher[Order]
			declared := batch.Config{MaxItems: 5, Linger: time.Hour}
			app := fxtest.New(t, fx.Options(tt.give...), fx.Provide(newStore),
				fx.Module("shop", batchmodule.Provide[Order]("orders", newSink, declared)),
				fx.Populate(&orders)).RequireStart()
			for i := range tt.want {
				assert.Zero(t, orders.Stats().Flushes.Count, "item %d", i)
				require.NoError(t, orders.Add(t.Context(), Order(i)))
			}
			require.NoError(t, orders.Flush(t.Context()))
			assert.EqualValues(t, 1, orders.Stats().Flushes.Count, "full at %d", tt.want)
			app.RequireStop()
		})
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	two := fx.Options(fx.Provide(newStore),
		batchmodule.Provide[Order]("orders", newSink, batch.Config{}),
		batchmodule.Provide[Order]("audit", newSink, batch.Config{}, batchmodule.Named[Order]()))

	t.Run("NameThatNobodyDeclaredIsReportedWithTheKnownOnes", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, two, fx.Supply(batchmodule.Config{Batchers: map[string]batch.Config{"order": {}}}))
		require.ErrorContains(t, app.Err(), "batchers.order: nobody declares it; declared are: audit, orders")
	})

	t.Run("WrongFieldsOfAllEntriesAreReportedTogether", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, two, fx.Supply(batchmodule.Config{Batchers: map[string]batch.Config{
			"orders": {MaxItems: -1, Parallel: -1}, "audit": {Linger: -1},
		}}))
		for _, want := range []string{"batchers.orders.max_items: is -1", "batchers.orders.parallel: is -1", "batchers.audit.linger: is -1ns"} {
			assert.ErrorContains(t, app.Err(), want)
		}
	})

	t.Run("NameGivenTwiceIsAnError", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, two, batchmodule.Provide[string]("orders", newSink, batch.Config{}))
		require.ErrorContains(t, app.Err(), "first result must be func(context.Context, []string) error")
		app = fx.New(fx.NopLogger, two, batchmodule.Provide[Order]("orders", newSink, batch.Config{}, batchmodule.Named[Order]()))
		require.ErrorContains(t, app.Err(), "batchers.orders: two batchers have this name; give each its own")
	})
}

func TestDeclarationsAreInTheGraph(t *testing.T) {
	t.Parallel()
	var got struct {
		fx.In
		Declarations batchmodule.Declarations
	}
	fxtest.New(t, fx.Provide(newStore),
		fx.Module("shop", batchmodule.Provide[Order]("orders", newSink, batch.Config{MaxItems: 7})),
		batchmodule.Provide[Order]("audit", newSink, batch.Config{MaxItems: 8}, batchmodule.Named[Order]()),
		fx.Populate(&got))
	assert.Equal(t, batchmodule.Config{Batchers: map[string]batch.Config{
		"orders": {MaxItems: 7}, "audit": {MaxItems: 8},
	}}, batchmodule.NewConfig(got.Declarations))
}
