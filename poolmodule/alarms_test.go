package poolmodule_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestAlarmsAreReadOffOnePicture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := withPanels(t, pool.Config{Workers: 2, Queue: 4, Policy: pool.Abort}, func(context.Context, SMS) error {
			return errors.New("no such number")
		})
		values := func(name string) map[string]float64 {
			shown := p.of(name)
			stats := shown.Stats()
			got := map[string]float64{}
			for _, a := range shown.Alarms {
				assert.NotZero(t, a.Threshold)
				assert.NotEmpty(t, a.Help)
				got[a.Name] = a.Of(stats)
			}
			return got
		}
		assert.Equal(t, map[string]float64{"capacity": 0, "liveness": 0, "reject": 0, "run_timeout": 0, "queue_timeout": 0}, values("pool:sms"))
		for range 5 {
			require.NoError(t, p.pool.Submit(t.Context(), func(context.Context) { <-release }))
		}
		synctest.Wait()
		values("pool:sms") // the clock of what is not timed begins with the first look
		time.Sleep(90 * time.Second)
		got := values("pool:sms")
		assert.InDelta(t, 75, got["capacity"], 0)
		assert.InDelta(t, 100, got["liveness"], 0)
		assert.InDelta(t, 90, got["run_timeout"], 1)
		assert.InDelta(t, 90, got["queue_timeout"], 1)

		require.NoError(t, p.pool.Submit(t.Context(), func(context.Context) {}))
		require.ErrorIs(t, p.pool.Submit(t.Context(), func(context.Context) {}), pool.ErrFull)
		assert.InDelta(t, 1, values("pool:sms")["reject"], 0)
		p.pool.Gate().Drain()
		require.Error(t, p.pool.Submit(t.Context(), func(context.Context) {}))
		assert.InDelta(t, 1, values("pool:sms")["reject"], 0, "what a drain refuses is meant")
		close(release)
		synctest.Wait() // the queue has room

		require.NoError(t, p.lane.Submit(t.Context(), SMS{}))
		time.Sleep(time.Hour)
		synctest.Wait()
		lane := values("lane:out")
		assert.InDelta(t, 1, lane["failed"], 0)
		assert.InDelta(t, 0, lane["reject"], 0)
		p.RequireStop()
	})
}
