package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestShutdownBy(t *testing.T) {
	t.Parallel()

	t.Run("SaysWhoAskedAndIsNoFailure", func(t *testing.T) {
		t.Parallel()
		var sd fx.Shutdowner
		h := build(t, fx.Populate(&sd))
		require.NoError(t, h.start())
		require.NoError(t, lifecycle.ShutdownBy(sd, "alice (10.0.0.7:51234)"))
		<-h.Asked()
		require.NoError(t, h.stop())
		assert.Equal(t, lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "alice (10.0.0.7:51234)"}, h.Receipt().Cause)
		assert.True(t, h.Receipt().Clean())
	})

	t.Run("WithoutTheModuleItIsFxsShutdown", func(t *testing.T) {
		t.Parallel()
		var sd fx.Shutdowner
		a := fx.New(fx.NopLogger, fx.Populate(&sd))
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, lifecycle.ShutdownBy(sd, "alice", fx.ExitCode(7)))
		assert.Equal(t, 7, (<-a.Wait()).ExitCode)
		require.NoError(t, a.Stop(t.Context()))
	})
}
