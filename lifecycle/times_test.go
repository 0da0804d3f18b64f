package lifecycle_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var starting lifecycle.Times
		var h house
		h = build(t, configured(lifecycle.Config{Reserve: 4 * time.Second}), hook(lifecycle.Hook{OnStart: func(context.Context) error {
			time.Sleep(time.Second)
			starting = h.Times()
			return nil
		}}))
		assert.Zero(t, h.Times())
		began := time.Now()
		require.NoError(t, h.start())
		assert.Equal(t, lifecycle.Times{Began: began, Stop: patience, Wait: patience - 4*time.Second}, starting)
		assert.Equal(t, began.Add(time.Second), h.Times().Up)
		require.NoError(t, h.stop())
		assert.Equal(t, h.Receipt().Timeout, h.Times().Stop)
		assert.Equal(t, h.Receipt().Reserve, h.Times().Stop-h.Times().Wait)
	})
}
