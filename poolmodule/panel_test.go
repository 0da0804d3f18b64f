package poolmodule_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// panels is an application with a pool "sms" and the lane "out" into it.
type panels struct {
	*fxtest.App
	t         *testing.T
	pool      *pool.Pool
	lane      *pool.Lane[SMS]
	conductor *lifecycle.Conductor
}

func withPanels(t *testing.T, cfg pool.Config, handler pool.Handler[SMS]) *panels {
	t.Helper()
	p := &panels{t: t}
	var in smsPool
	p.App = fxtest.New(t, fx.NopLogger, lifecycle.Module(),
		poolmodule.Provide("sms", cfg),
		poolmodule.Lane[SMS]("out", "sms", handler, poolmodule.Configure(pool.LaneConfig{Timeout: time.Minute})),
		fx.Populate(&in, &p.lane, &p.conductor))
	p.RequireStart()
	p.pool = in.Pool
	return p
}

func (p *panels) of(name string) *lifecycle.Panel {
	c, ok := p.conductor.Component(name)
	require.True(p.t, ok)
	require.True(p.t, lifecycletest.AssertPanel(p.t, c))
	return c.Panel
}

func (p *panels) turn(values map[string]any) error {
	_, err := p.conductor.Turn(p.t.Context(), "pool:sms", lifecycle.Change{Values: values})
	return err
}

// inJSON is what a reader of the endpoint gets.
func inJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	return got
}

func keysOf(m map[string]any) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

func valuesOf(metrics []lifecycle.Metric) map[string]float64 {
	values := map[string]float64{}
	for _, m := range metrics {
		values[m.Name] = m.Value
	}
	return values
}

func delivered(context.Context, SMS) error { return nil }

func TestPoolPanel(t *testing.T) {
	t.Parallel()

	t.Run("ShowsWhatThePoolDoes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := withPanels(t, pool.Config{Workers: 2, Queue: 10}, delivered)
			release := make(chan struct{})
			for range 5 {
				require.NoError(t, p.pool.Submit(t.Context(), func(context.Context) { <-release }))
			}
			synctest.Wait()
			shown := p.of("pool:sms")
			assert.Equal(t, "pool", shown.Kind)
			shown.Stats()
			time.Sleep(1500 * time.Millisecond)

			stats := inJSON(t, shown.Stats())
			assert.ElementsMatch(t, []string{
				"name", "limits", "workers", "idle", "busy", "queued", "capacity", "retrying", "entering", "submitters",
				"oldest_wait", "longest_run", "wait", "run", "ledger",
			}, keysOf(stats))
			assert.Equal(t, map[string]any{"workers": 2.0, "min_workers": 0.0, "queue": 10.0}, stats["limits"])
			assert.Equal(t, "1.5s", stats["longest_run"])
			assert.InDelta(t, 3.0, stats["queued"], 0)
			assert.ElementsMatch(t, []string{"count", "sum", "mean", "p50", "p99", "buckets"}, keysOf(stats["wait"].(map[string]any)))

			values := valuesOf(shown.Metrics())
			assert.InDelta(t, 2.0, values["busy_workers"], 0)
			assert.InDelta(t, 3.0, values["queued_tasks"], 0)
			assert.InDelta(t, 1.5, values["longest_run_seconds"], 0)
			close(release)
			p.RequireStop()
		})
	})

	t.Run("DistributionsAddUp", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := withPanels(t, pool.Config{Workers: 1}, delivered)
			time.Sleep(time.Second) // slow enough that every task is timed
			for _, took := range []time.Duration{0, 3 * time.Microsecond, 2 * time.Millisecond, 3 * time.Second, 3 * time.Hour} {
				require.NoError(t, p.pool.Submit(t.Context(), func(context.Context) { time.Sleep(took) }))
				time.Sleep(4 * time.Hour)
			}
			var run lifecycle.Metric
			for _, m := range p.of("pool:sms").Metrics() {
				if m.Name == "run_seconds" {
					run = m
				}
			}
			assert.Equal(t, lifecycle.Distribution, run.Type)
			assert.EqualValues(t, 5, run.Count)
			assert.InDelta(t, 3*3600+3.002003, run.Sum, 1e-9)
			assert.Len(t, run.Buckets, 16)
			assert.EqualValues(t, 2, run.Buckets[4e-6])
			assert.EqualValues(t, 3, run.Buckets[0.004096])
			assert.EqualValues(t, 4, run.Buckets[4.194304])
			assert.EqualValues(t, 4, run.Buckets[4294.967296], "three hours are above all bounds")
			p.RequireStop()
		})
	})

	t.Run("HealthSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := withPanels(t, pool.Config{Workers: 1, Queue: 2}, delivered)
			health := func() lifecycle.Health { return p.of("pool:sms").Health(t.Context()) }
			assert.Equal(t, lifecycle.Up, health().Status)
			release := make(chan struct{})
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { assert.NoError(t, p.pool.Submit(t.Context(), func(context.Context) { <-release })) })
			}
			synctest.Wait()
			h := health()
			assert.Equal(t, lifecycle.Warning, h.Status)
			assert.Equal(t, "saturated: 1 of 1 workers are busy, 2 of 2 places of the queue are taken, and 2 submitters wait; "+
				"raise pools.sms.workers or pools.sms.queue, or slow down who submits", h.Reason)
			require.NoError(t, p.turn(map[string]any{"queue": 5}))
			wg.Wait()
			assert.Equal(t, lifecycle.Up, health().Status)
			close(release)
			p.RequireStop()
			assert.Equal(t, lifecycle.OutOfService, health().Status)
		})
	})

	t.Run("HealthBlamesTheHandlerForRetries", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var in smsPool
			var lane *pool.Lane[SMS]
			var conductor *lifecycle.Conductor
			app := fxtest.New(t, fx.NopLogger, lifecycle.Module(),
				poolmodule.Provide("sms", pool.Config{Workers: 1, Queue: 2, Policy: pool.Abort}),
				poolmodule.Lane[SMS]("out", "sms", func(context.Context, SMS) error { return errors.New("down") },
					poolmodule.Configure(pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2, InitialDelay: time.Minute}})),
				fx.Populate(&in, &lane, &conductor))
			app.RequireStart()
			for range 2 {
				require.NoError(t, lane.Submit(t.Context(), SMS{}))
			}
			synctest.Wait()
			c, _ := conductor.Component("pool:sms")
			h := c.Panel.Health(t.Context())
			assert.Contains(t, h.Reason, "and new work is refused")
			assert.Contains(t, h.Reason, "2 places are held by items that wait for their next try: look at what the handlers of its lanes call")
			time.Sleep(time.Hour)
			app.RequireStop()
		})
	})

	t.Run("InspectNamesWhatRunsAndWhere", func(t *testing.T) {
		t.Parallel()
		release := make(chan struct{})
		p := withPanels(t, pool.Config{Workers: 4, MinWorkers: 4}, func(context.Context, SMS) error { hang(release); return nil })
		defer p.RequireStop()
		defer close(release)
		began := make(chan struct{})
		for range 2 {
			require.NoError(t, p.pool.Submit(t.Context(), func(context.Context) { began <- struct{}{}; hang(release) }))
			<-began
		}
		require.NoError(t, p.lane.SubmitKey(t.Context(), "anna", SMS{}))
		inspect := p.of("pool:sms").Inspect
		var got map[string]any
		require.Eventually(t, func() bool {
			got = inJSON(t, inspect(t.Context()))
			return len(got["running"].([]any)) == 3 && len(got["stacks"].([]any)) == 2
		}, time.Minute, time.Millisecond)
		assert.ElementsMatch(t, []string{"stats", "running", "stacks"}, keysOf(got))
		item := got["running"].([]any)[2].(map[string]any)
		assert.Equal(t, "out", item["lane"], "it came last")
		assert.Equal(t, "anna", item["key"])
		assert.InDelta(t, 1.0, item["attempt"], 0)
		assert.Contains(t, item, "seen_for")
		most := got["stacks"].([]any)[0].(map[string]any)
		assert.InDelta(t, 2.0, most["count"], 0)
		assert.Contains(t, most["task"], "poolmodule_test.TestPoolPanel")
		assert.Contains(t, most["at"], "poolmodule_test.hang (")
		assert.NotContains(t, most["stack"], "pool.(*worker)", "of a task its own code is shown")
	})

	t.Run("TurnsLimitsAllOrNone", func(t *testing.T) {
		t.Parallel()
		p := withPanels(t, pool.Config{Workers: 4, MinWorkers: 2, Queue: 10}, delivered)
		defer p.RequireStop()
		was := p.pool.Limits()
		for want, values := range map[string]map[string]any{
			"workers: is 1, less than min_workers (2); lower min_workers too": {"workers": 1, "queue": 99},
			"min_workers: is 9, must not exceed workers (4)":                  {"min_workers": 9, "queue": 99},
			"queue: is 0; give -1 for no queue":                               {"workers": 8, "queue": 0},
			"workers: ":                                                       {"workers": 0, "queue": 99},
		} {
			require.ErrorContains(t, p.turn(values), want)
			require.Equal(t, was, p.pool.Limits())
		}
		require.ErrorIs(t, p.turn(map[string]any{"queue": 99, "policy": "abort"}), lifecycle.ErrCold)
		require.Equal(t, was, p.pool.Limits())

		require.NoError(t, p.turn(map[string]any{"workers": 1.0, "min_workers": 0.0}), "together they fit, and JSON has only floats")
		assert.Equal(t, pool.Limits{Workers: 1, Queue: 10}, p.pool.Limits())
		require.NoError(t, p.turn(map[string]any{"queue": -1, "policy": "block"}), "what is so already is no change")
		assert.Equal(t, pool.Limits{Workers: 1, Queue: pool.NoQueue}, p.pool.Limits())

		knobs, _, err := p.conductor.Knobs("pool:sms")
		require.NoError(t, err)
		assert.Equal(t, "pools.sms.workers", knobs[0].Key)
		assert.EqualValues(t, 1, knobs[0].Value, "as they are now")
	})

	t.Run("IsReadAndTurnedUnderLoad", func(t *testing.T) {
		t.Parallel()
		p := withPanels(t, pool.Config{Workers: 2, Queue: 64}, delivered)
		shown := p.of("pool:sms")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for ctx.Err() == nil {
					assert.NoError(t, p.pool.Submit(t.Context(), func(context.Context) {}))
					assert.NoError(t, p.lane.Submit(t.Context(), SMS{}))
				}
			})
		}
		for i := range 50 {
			require.NoError(t, p.turn(map[string]any{"workers": 1 + i%7, "queue": 1 + i%50}))
			p.of("pool:sms")
			p.of("lane:out")
			if i%10 == 0 {
				shown.Inspect(t.Context())
			}
		}
		cancel()
		wg.Wait()
		p.RequireStop()
		lifecycletest.AssertBalanced(t, p.conductor.Receipt())
	})
}

//go:noinline
func hang(release <-chan struct{}) { <-release }

func TestLanePanel(t *testing.T) {
	t.Parallel()
	p := withPanels(t, pool.Config{}, delivered)
	shown := p.of("lane:out")
	assert.Equal(t, "lane", shown.Kind)
	stats := inJSON(t, shown.Stats())
	assert.ElementsMatch(t, []string{
		"name", "pool", "queued", "running", "retrying", "leftover", "burying", "ledger", "journal", "dead_letters",
		"in_journal", "writing", "submitters", "replayed", "replay_left", "unreadable",
	}, keysOf(stats))
	assert.Equal(t, "sms", stats["pool"])
	assert.Equal(t, lifecycle.Up, shown.Health(t.Context()).Status)

	knobs := map[string]lifecycle.Knob{}
	for _, k := range shown.Knobs() {
		knobs[k.Name] = k
		assert.True(t, k.Cold, k.Name)
	}
	assert.Equal(t, time.Minute, knobs["timeout"].Value)
	assert.Equal(t, "lanes.out.timeout", knobs["timeout"].Key)
	assert.EqualValues(t, 1, knobs["retry.max_attempts"].Value)
	_, err := p.conductor.Turn(t.Context(), "lane:out", lifecycle.Change{Values: map[string]any{"timeout": "2m"}})
	require.ErrorIs(t, err, lifecycle.ErrCold)
	p.RequireStop()
	assert.Equal(t, lifecycle.OutOfService, shown.Health(context.Background()).Status)
}

// TestPanelsCostNothingInABareApplication: there they are not looked at.
func TestPanelsCostNothingInABareApplication(t *testing.T) {
	t.Parallel()
	var in smsPool
	app := fxtest.New(t, poolmodule.Provide("sms", pool.Config{}), fx.Populate(&in))
	app.RequireStart()
	require.NoError(t, in.Pool.Resize(pool.Limits{Workers: 3}))
	assert.Equal(t, 3, in.Pool.Limits().Workers)
	app.RequireStop()
}
