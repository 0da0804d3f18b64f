package poolmodule_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestHungTaskIsTheLeakOfItsPoolAndNotOfWhoSubmittedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		hangs := func(context.Context) { <-release }
		var conductor *lifecycle.Conductor
		app := fx.New(fx.NopLogger, lifecycle.Module(),
			poolmodule.Provide("sms", pool.Config{Workers: 1, StopBudget: time.Millisecond}),
			fx.Invoke(func(lc fx.Lifecycle, in smsPool) {
				lifecycle.Append(lc, lifecycle.Hook{Name: "submitter", OnStart: func(ctx context.Context) error {
					return in.Pool.Submit(ctx, hangs)
				}})
			}),
			fx.Populate(&conductor))
		require.NoError(t, app.Start(t.Context()))
		require.ErrorContains(t, stop(t, app), "pool sms: stop: 1 tasks still run")

		leaks := conductor.Receipt().Leaks
		require.Len(t, leaks, 1)
		assert.Equal(t, "pool:sms", leaks[0].Component)
		close(release)
	})
}
