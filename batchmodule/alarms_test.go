package batchmodule_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func TestAlarmsAreReadOffOnePicture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.broken = true
		p := withPanels(t, s.write, batch.Config{MaxItems: 2, Buffer: 4, WhenFull: batch.Reject, Linger: time.Minute})
		values := func() map[string]float64 {
			shown := p.panel()
			stats := shown.Stats()
			got := map[string]float64{}
			for _, a := range shown.Alarms {
				got[a.Name] = a.Of(stats)
				if a.Name == "oldest" {
					assert.InDelta(t, 120, a.Threshold, 0, "twice the linger")
				}
			}
			return got
		}
		p.add(4)
		require.Error(t, p.orders.Add(t.Context(), Order(9)))
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		got := values()
		assert.InDelta(t, 100, got["capacity"], 0)
		assert.InDelta(t, 1, got["reject"], 0)
		assert.InDelta(t, 0.05, got["oldest"], 0.001)
		assert.InDelta(t, 1, got["failed_flushes"], 0)

		p.orders.Gate().Drain()
		require.Error(t, p.orders.Add(t.Context(), Order(9)))
		assert.InDelta(t, 1, values()["reject"], 0, "what a drain refuses is meant")
		s.mu.Lock()
		s.broken = false
		s.mu.Unlock()
		p.RequireStop()
	})
}
