package pool_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestRunning(t *testing.T) {
	t.Parallel()
	run := func(name string, test func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}

	run("TheClockStartsWithTheFirstLook", func(t *testing.T) {
		p := newPool(t, pool.Config{Workers: 2})
		release := make(chan struct{})
		require.NoError(t, p.Submit(t.Context(), func(context.Context) { <-release }))
		time.Sleep(time.Hour)
		require.Equal(t, []pool.Running{{}}, p.Running())
		time.Sleep(time.Second)
		require.NoError(t, p.SubmitKey(t.Context(), "k", func(context.Context) { <-release }))
		synctest.Wait()
		require.Equal(t, []pool.Running{{SeenFor: time.Second}, {Key: "k"}}, p.Running())
		time.Sleep(time.Second)
		require.Equal(t, 2*time.Second, p.Stats().LongestRun)
		close(release)
		synctest.Wait()
		require.Empty(t, p.Running())
		require.Zero(t, p.Stats().LongestRun)
	})

	run("EachTaskOfABatchHasItsOwn", func(t *testing.T) {
		p := newPool(t, pool.Config{Workers: 1, Queue: 1000})
		steps := make(chan struct{})
		for range 100 {
			require.NoError(t, p.Submit(t.Context(), func(context.Context) { <-steps }))
		}
		for range 100 {
			synctest.Wait()
			require.Equal(t, []pool.Running{{}}, p.Running())
			time.Sleep(time.Second)
			require.Equal(t, []pool.Running{{SeenFor: time.Second}}, p.Running())
			steps <- struct{}{}
		}
	})

	run("SoHasEachTryOfAnItem", func(t *testing.T) {
		p := newPool(t, pool.Config{Workers: 1})
		var tries atomic.Int32
		lane, err := pool.NewLane(p, "out", func(context.Context, int) error {
			time.Sleep(10 * time.Second)
			tries.Add(1)
			return errors.New("down")
		}, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Second, Multiplier: 1, Jitter: -1}})
		require.NoError(t, err)
		require.NoError(t, lane.SubmitKey(t.Context(), "anna", 1))
		for try := 1; try <= 3; try++ {
			synctest.Wait()
			require.Equal(t, []pool.Running{{Lane: "out", Key: "anna", Attempt: try}}, p.Running())
			time.Sleep(9 * time.Second)
			require.Equal(t, 9*time.Second, p.Running()[0].SeenFor)
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		require.EqualValues(t, 3, tries.Load())
		_, err = lane.Stop(t.Context())
		require.NoError(t, err)
	})
}

func TestStatsInJSONAreReadable(t *testing.T) {
	t.Parallel()
	s := pool.Stats{Limits: pool.Limits{Queue: pool.NoQueue}, OldestWait: 1500 * time.Millisecond}
	s.Wait.Count, s.Wait.Sum = 3, 3*time.Second
	s.Wait.Buckets[0], s.Wait.Buckets[len(s.Wait.Buckets)-1] = 2, 1
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, "1.5s", got["oldest_wait"])
	assert.Equal(t, "0s", got["longest_run"])
	assert.Equal(t, map[string]any{"workers": 0.0, "min_workers": 0.0, "queue": -1.0}, got["limits"])
	assert.Equal(t, map[string]any{
		"count": 3.0, "sum": "3s", "mean": "1s", "p50": "1µs", "p99": "9h32m39.738368s",
		"buckets": []any{map[string]any{"below": "1µs", "count": 2.0}, map[string]any{"count": 1.0}},
	}, got["wait"])
}
