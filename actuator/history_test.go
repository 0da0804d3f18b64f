package actuator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

const step = 5 * time.Second

// recorded is what the history has of one component.
func recorded(t *testing.T, act http.Handler, component string) object {
	t.Helper()
	body := get(t, act, "/actuator/history?component="+component, http.StatusOK)
	return body["components"].(object)[component].(object)
}

// recording is the actuator of an application that runs, and records.
func recording(tb testing.TB, cfg actuator.Config, hooks ...lifecycle.Hook) *actuator.Actuator {
	tb.Helper()
	act := running(tb, cfg, hooks...)
	require.NoError(tb, act.Start(tb.Context()))
	return act
}

func TestHistory(t *testing.T) {
	bubble(t, "TellsWhatWasBeforeAnybodyLooked", func(t *testing.T) {
		b := newBox()
		var level atomic.Int64
		act := recording(t, actuator.Config{}, b.hook(), lifecycle.Hook{Name: "tank", Panel: &lifecycle.Panel{Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{
				{Name: "level", Value: float64(level.Load()) / 10, Labels: map[string]string{"side": "left", "api_key": "canary"}},
				{Name: "poured", Type: lifecycle.Counter, Value: 1e12 + float64(level.Load())},
				{Name: "still", Value: 7},
				{Name: "flow_seconds", Type: lifecycle.Distribution, Count: 1},
			}
		}}})
		for range 3 {
			time.Sleep(step - time.Millisecond) // before the sample
			work, err := b.gate.Enter(t.Context())
			require.NoError(t, err)
			t.Cleanup(work.Done) // before the application stops
			level.Add(1)
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		all := get(t, act, "/actuator/history", http.StatusOK)
		process := get(t, act, "/actuator/feed", http.StatusOK)["hello"].(object)["process"]
		assert.Equal(t, process, all["process"])
		assert.EqualValues(t, 5000, all["step_ms"])
		assert.EqualValues(t, time.Now().Add(-3*step).UnixMilli(), all["from"])
		components := all["components"].(object)
		assert.Equal(t, object{
			"level{api_key=******,side=left}": []any{0.0, 0.1, 0.2, 0.3},
			"poured":                          []any{1e12, 1e12 + 1, 1e12 + 2, 1e12 + 3},
			"still":                           []any{7.0, 7.0, 7.0, 7.0},
		}, components["tank"])
		box := components["box:sms"].(object)
		assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0}, box["inside"])
		assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0}, box["accepted"])
		assert.Equal(t, []any{0.0, 0.0, 0.0, 0.0}, box["lost"])
		assert.Equal(t, box, components[""], "there is no other gate")
		assert.NotContains(t, all, "left_out")
		assert.NotContains(t, all, "not_recorded")
	})

	bubble(t, "KeepsAQuarterOfAnHour", func(t *testing.T) {
		began := time.Now()
		act := recording(t, actuator.Config{}, lifecycle.Hook{Name: "clock", Panel: &lifecycle.Panel{Metrics: func() []lifecycle.Metric {
			return []lifecycle.Metric{{Name: "minutes", Value: time.Since(began).Truncate(time.Minute).Minutes()}}
		}}})
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		minutes := recorded(t, act, "clock")["minutes"].([]any)
		require.Len(t, minutes, 180)
		assert.EqualValues(t, 5, minutes[0])
		assert.EqualValues(t, 20, minutes[179])
	})

	bubble(t, "WhatIsNotKnownIsNull", func(t *testing.T) {
		began := time.Now()
		act := recording(t, actuator.Config{}, lifecycle.Hook{Name: "guest", Panel: &lifecycle.Panel{Metrics: func() []lifecycle.Metric {
			if s := time.Since(began).Seconds(); s < 5 || s > 14 {
				return nil
			}
			return []lifecycle.Metric{{Name: "here", Value: 1}}
		}}})
		time.Sleep(4 * step)
		synctest.Wait()
		assert.Equal(t, []any{nil, 1.0, 1.0, nil, nil}, recorded(t, act, "guest")["here"])
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Empty(t, recorded(t, act, "guest"), "it is forgotten")
	})

	bubble(t, "OfManyComponentsOnlyThoseThatAreNamed", func(t *testing.T) {
		var hooks []lifecycle.Hook
		for i := range 30 {
			name := fmt.Sprintf("bar:%d", i)
			hooks = append(hooks, lifecycle.Hook{Name: name, Gate: intake.New(name)})
		}
		act := recording(t, actuator.Config{}, hooks...)
		time.Sleep(step)
		synctest.Wait()
		all := get(t, act, "/actuator/history?component=", http.StatusOK)
		assert.Len(t, all["components"], 21, "and the sum of all")
		assert.EqualValues(t, 10, all["left_out"])
		two := get(t, act, "/actuator/history?component=bar:3&component=bar:29", http.StatusOK)
		assert.Len(t, two["components"], 2)
		get(t, act, "/actuator/history?component=nobody", http.StatusNotFound)
	})

	bubble(t, "WhatThereIsNoRoomForIsCounted", func(t *testing.T) {
		b := newBox()
		act := recording(t, actuator.Config{MaxSeries: 4}, b.hook())
		time.Sleep(step)
		synctest.Wait()
		all := get(t, act, "/actuator/history", http.StatusOK)
		assert.EqualValues(t, 14, all["not_recorded"], "of nine columns, and nine of all gates")
		assert.Len(t, all["components"].(object)["box:sms"], 4)
	})

	bubble(t, "NothingRunsUnlessItIsStartedOrWhereItIsOff", func(t *testing.T) {
		var looks atomic.Int64
		act := running(t, actuator.Config{}, counting("counter", &looks))
		time.Sleep(time.Minute)
		assert.EqualValues(t, 0, get(t, act, "/actuator/history", http.StatusOK)["from"])
		off := recording(t, actuator.Config{Endpoints: map[string]bool{"history": false}}, counting("counter", &looks))
		time.Sleep(time.Minute)
		get(t, off, "/actuator/history", http.StatusNotFound)
		assert.Zero(t, looks.Load())
	})

	bubble(t, "StartsOnceAndEndsWithTheActuator", func(t *testing.T) {
		var looks atomic.Int64
		a, conductor := app(t, counting("counter", &looks))
		act, err := actuator.New(conductor, actuator.Config{})
		require.NoError(t, err)
		require.NoError(t, act.Start(t.Context()))
		require.NoError(t, act.Start(t.Context()))
		synctest.Wait()
		a.RequireStart()
		time.Sleep(step)
		synctest.Wait()
		assert.EqualValues(t, 1, looks.Load(), "the first was of a time when panels could not be asked")
		require.NoError(t, act.Stop(t.Context()))
		time.Sleep(time.Minute)
		assert.EqualValues(t, 1, looks.Load())
		a.RequireStop()
		late, err := actuator.New(conductor, actuator.Config{})
		require.NoError(t, err)
		require.NoError(t, late.Stop(t.Context()))
		require.Error(t, late.Start(t.Context()))
	})

	bubble(t, "LastSampleIsOfTheEnd", func(t *testing.T) {
		b := newBox()
		hook := b.hook()
		hook.OnStop = func(context.Context) error {
			work, err := b.gate.Enter(context.Background())
			if err == nil {
				work.Done()
			}
			time.Sleep(7 * time.Second)
			return nil
		}
		hook.Band = lifecycle.Ingress
		a, conductor := app(t, hook)
		act := over(t, conductor, actuator.Config{})
		a.RequireStart()
		require.NoError(t, act.Start(t.Context()))
		time.Sleep(step)
		a.RequireStop()
		synctest.Wait()
		done := recorded(t, act, "box:sms")["done"].([]any)
		assert.EqualValues(t, 1, done[len(done)-1])
		assert.EqualValues(t, 0, done[0])
	})
}

// BenchmarkHistory is one sample of a thousand pools, in which everything moves.
func BenchmarkHistory(b *testing.B) {
	const numbers = 12
	var n atomic.Int64
	var hooks []lifecycle.Hook
	for i := range 1000 {
		name := fmt.Sprintf("pool:%d", i)
		hooks = append(hooks, lifecycle.Hook{Name: name, Gate: intake.New(name), Panel: &lifecycle.Panel{Kind: "pool", Metrics: func() []lifecycle.Metric {
			list := make([]lifecycle.Metric, numbers)
			for i := range list {
				list[i] = lifecycle.Metric{Name: metricNames[i], Value: float64(n.Add(1))}
			}
			return list
		}}})
	}
	act := running(b, actuator.Config{}, hooks...)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	at := time.Now()
	b.ResetTimer()
	for b.Loop() {
		at = at.Add(step)
		actuator.Sample(act, at)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	series := 1000*(numbers+9) + 9
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(series), "B/series")
	b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/step.Seconds(), "%cpu")
	w := httptest.NewRecorder()
	act.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/actuator/history", http.NoBody))
	if w.Code != http.StatusOK {
		b.Fatal(w.Code)
	}
}

var metricNames = []string{"workers", "idle", "busy", "most", "least", "queued", "capacity", "retrying", "entering", "waiting", "oldest", "longest"}
