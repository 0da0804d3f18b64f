package modules_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// poolsShown are the panels of real pools with four workers each.
func poolsShown(b *testing.B, n int) (app *fxtest.App, panels []*lifecycle.Panel) {
	b.Helper()
	var conductor *lifecycle.Conductor
	opts := []fx.Option{fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor)}
	for i := range n {
		name := fmt.Sprintf("p%d", i)
		opts = append(opts, poolmodule.Provide(name, pool.Config{Workers: 4, MinWorkers: 4}),
			fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(`name:"`+name+`"`))))
	}
	app = fxtest.New(b, opts...)
	app.RequireStart()
	for _, c := range conductor.Components() {
		panels = append(panels, c.Panel)
	}
	return app, panels
}

// BenchmarkEvaluation is one look at the five alarms of each of 1,000 pools:
// those of 20 pools, each registered 50 times, as Fx takes minutes to make a
// graph of 1,000.
func BenchmarkEvaluation(b *testing.B) {
	pools, panels := poolsShown(b, 20)
	var watch *alarm.Watch
	app := fxtest.New(b, fx.NopLogger, lifecycle.Module(), fx.Invoke(func(lc fx.Lifecycle, c *lifecycle.Conductor) (err error) {
		for i := range 1000 {
			lifecycle.Append(lc, lifecycle.Hook{Name: fmt.Sprintf("pool:%d", i), Panel: panels[i%len(panels)]})
		}
		watch, err = alarm.New(c, alarm.Config{Every: time.Hour, FlushTimeout: time.Hour})
		return err
	}))
	app.RequireStart()
	require.NoError(b, watch.Start(b.Context()))
	require.NoError(b, watch.Flush(b.Context()))
	watched, _ := watch.Counts()
	require.Equal(b, 6000, watched, "five alarms and health")
	for b.Loop() {
		if err := watch.Flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, watch.Stop(context.Background()))
	app.RequireStop()
	pools.RequireStop()
}
