package actuator_test

import (
	"context"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

type seats struct {
	Taken int           `json:"taken"`
	Free  int           `json:"free"`
	Key   string        `json:"api_key"`
	Wait  time.Duration `json:"wait"`
}

// bar is a component with everything that one can have.
func bar(name string) lifecycle.Hook {
	gate := intake.New(name)
	return lifecycle.Hook{
		Name: name, Band: lifecycle.Resource, Gate: gate,
		OnStart: func(ctx context.Context) error {
			for range 3 {
				v, err := gate.Enter(ctx)
				if err != nil {
					return err
				}
				v.Done()
			}
			return nil
		},
		Panel: &lifecycle.Panel{
			Kind:    "bar",
			Stats:   func() any { return seats{3, 5, "s3cret", time.Second} },
			Health:  func(context.Context) lifecycle.Health { return lifecycle.Health{Status: lifecycle.Up} },
			Inspect: func(context.Context) any { return object{"guests": []string{"ann", "bob"}} },
			Knobs: func() []lifecycle.Knob {
				return []lifecycle.Knob{
					{Name: "seats", Type: lifecycle.IntKnob, Value: int64(8), Min: int64(1), Key: "bars.seats"},
					{Name: "patience", Type: lifecycle.DurationKnob, Value: 90 * time.Second, Cold: true},
				}
			},
			Turn: func(context.Context, map[string]any) error { return nil },
			Metrics: func() []lifecycle.Metric {
				return []lifecycle.Metric{
					{Name: "seats", Help: "Seats there are.", Value: 8},
					{Name: "drinks", Help: "Drinks that were served.", Type: lifecycle.Counter, Value: 40, Labels: map[string]string{"drink": "tea"}},
					{Name: "drinks", Help: "Drinks that were served.", Type: lifecycle.Counter, Value: 2, Labels: map[string]string{"drink": "mead"}},
					{
						Name: "wait_seconds", Help: "How long guests wait.", Type: lifecycle.Distribution,
						Count: 5, Sum: 2.5, Buckets: map[float64]uint64{0.1: 1, 1: 4, math.Inf(1): 5},
					},
				}
			},
		},
	}
}

func TestComponentShowsAllOfItself(t *testing.T) {
	act := running(t, actuator.Config{}, bar("bar:a"))
	body := get(t, act, "/actuator/bars/bar:a", http.StatusOK)
	assert.NotEmpty(t, body["since"])
	assert.Equal(t, "ok", body["hooks"].(object)["start"].(object)["outcome"])
	delete(body, "since")
	delete(body, "hooks")
	assert.Equal(t, object{
		"name": "bar:a", "kind": "bar", "band": "resource", "state": "started", "revision": 1.0,
		"health": object{"status": "UP"},
		"stats":  object{"taken": 3.0, "free": 5.0, "api_key": "******", "wait": 1e9},
		"ledger": object{
			"gate": "bar:a", "state": "open", "balanced": true, "offered": 3.0, "accepted": 3.0, "rejected": 0.0,
			"done": 3.0, "failed": 0.0, "saved": 0.0, "dropped": 0.0, "lost": 0.0, "inside": 0.0,
		},
		"knobs": []any{
			object{"name": "seats", "key": "bars.seats", "type": "int", "value": 8.0, "min": 1.0},
			object{"name": "patience", "type": "duration", "value": "1m30s", "cold": true},
		},
	}, body)

	t.Run("TheRevisionOfItsKnobsIsTheETag", func(t *testing.T) {
		assert.Equal(t, `"1"`, ask(t, act, http.MethodGet, "/actuator/components/bar:a").Header().Get("ETag"))
	})
	t.Run("InspectLooksCloser", func(t *testing.T) {
		for _, query := range []string{"inspect", "inspect=true", "inspect=1"} {
			body := get(t, act, "/actuator/bars/bar:a?"+query, http.StatusOK)
			assert.Equal(t, object{"guests": []any{"ann", "bob"}}, body["inspect"])
		}
		get(t, act, "/actuator/bars/bar:a?inspect=maybe", http.StatusBadRequest)
		get(t, act, "/actuator/bars?inspect=true", http.StatusBadRequest)
	})
}

func TestComponentsAreListedByKind(t *testing.T) {
	act := running(t, actuator.Config{}, bar("bar:a"), lifecycle.Hook{Name: "plain"}, bar("a/b"),
		lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{Kind: "metric"}}, lifecycle.Hook{Name: "mine", Panel: &lifecycle.Panel{}})
	names := func(target string) []any {
		var names []any
		for _, c := range get(t, act, target, http.StatusOK)["components"].([]any) {
			names = append(names, c.(object)["name"])
		}
		return names
	}
	assert.Equal(t, []any{"mine", "odd", "plain", "a/b", "bar:a"}, names("/actuator/components"), "in the order of the stop")
	assert.Equal(t, []any{"a/b", "bar:a"}, names("/actuator/bars"))
	assert.Equal(t, "bar", get(t, act, "/actuator/bars", http.StatusOK)["kind"])
	assert.Equal(t, "a/b", get(t, act, "/actuator/bars/a%2Fb", http.StatusOK)["name"])
	assert.Equal(t, "component", get(t, act, "/actuator/components/plain", http.StatusOK)["kind"])

	links := get(t, act, "/actuator", http.StatusOK)["_links"].(object)
	assert.Contains(t, links, "bars")
	assert.Contains(t, links, "bars-name")
	assert.Equal(t, "http://example.com/actuator/metrics", links["metrics"].(object)["href"])
	assert.Equal(t, object{"href": "http://example.com/actuator/metrics/{requiredMetricName}", "templated": true}, links["metrics-requiredMetricName"])

	t.Run("AKindDoesNotHideAnEndpoint", func(t *testing.T) {
		assert.Contains(t, get(t, act, "/actuator/metrics", http.StatusOK), "names")
		assert.Equal(t, "metric", get(t, act, "/actuator/components/odd", http.StatusOK)["kind"])
	})
	t.Run("WhatIsNotThereIsNotFound", func(t *testing.T) {
		for _, path := range []string{"bars/plain", "bars/nobody", "plains", "plains/plain", "components/nobody"} {
			assert.NotEmpty(t, get(t, act, "/actuator/"+path, http.StatusNotFound)["detail"], path)
		}
	})
	t.Run("KindsCanBeTurnedOff", func(t *testing.T) {
		off := running(t, actuator.Config{Endpoints: map[string]bool{"kinds": false}}, bar("bar:a"))
		get(t, off, "/actuator/bars", http.StatusNotFound)
		assert.NotContains(t, get(t, off, "/actuator", http.StatusOK)["_links"], "bars")
	})
}

func TestPanelThatPanicsGivesItsOwnPartAway(t *testing.T) {
	boom := func(context.Context) any { panic("boom at redis://:s3cret@r") }
	a, conductor := app(t, bar("bar:a"), lifecycle.Hook{
		Name: "bad",
		Gate: intake.New("bad", intake.Counted(func() intake.Ledger { panic("boom") })),
		Panel: &lifecycle.Panel{
			Stats:   func() any { return boom(context.Background()) },
			Health:  func(ctx context.Context) lifecycle.Health { boom(ctx); return lifecycle.Health{} },
			Inspect: boom,
			Knobs:   func() []lifecycle.Knob { panic("boom") },
		},
	}, lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{Stats: func() any { return math.NaN() }}})
	a.RequireStart()
	defer func() { require.ErrorContains(t, a.Stop(t.Context()), "its ledger panicked") }()
	act := over(t, conductor, actuator.Config{})

	assert.Len(t, get(t, act, "/actuator/components", http.StatusOK)["components"], 3)
	body := get(t, act, "/actuator/components/bad?inspect=true", http.StatusOK)
	assert.Equal(t, "UNKNOWN", body["health"].(object)["status"])
	problems := body["problems"].(object)
	assert.Equal(t, "panic: boom at redis://:******@r", problems["stats"])
	assert.Equal(t, "panic: boom at redis://:******@r", problems["inspect"])
	assert.Contains(t, problems["ledger"], "boom")
	assert.Contains(t, problems["knobs"], "boom")
	assert.Contains(t, get(t, act, "/actuator/components/odd", http.StatusOK)["problems"].(object)["stats"], "NaN")
}

func TestPanelsAreNotCalledBeforeTheStartNorAfterTheStop(t *testing.T) {
	calls := 0
	a, conductor := app(t, lifecycle.Hook{Name: "x", Panel: &lifecycle.Panel{Stats: func() any { calls++; return 1 }}})
	act := over(t, conductor, actuator.Config{})
	assert.NotContains(t, get(t, act, "/actuator/components/x", http.StatusOK), "stats")
	a.RequireStart()
	assert.Contains(t, get(t, act, "/actuator/components/x", http.StatusOK), "stats")
	a.RequireStop()
	body := get(t, act, "/actuator/components/x?inspect=true", http.StatusOK)
	assert.NotContains(t, body, "stats")
	assert.Equal(t, "stopped", body["state"])
	assert.Equal(t, 1, calls)
}

func TestInspectionThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "x", Panel: &lifecycle.Panel{Inspect: func(ctx context.Context) any {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return nil
		}}})
		began := time.Now()
		body := get(t, act, "/actuator/components/x?inspect", http.StatusOK)
		assert.Less(t, time.Since(began), 6*time.Second)
		assert.Contains(t, body["problems"].(object)["inspect"], "has not answered")
		require.NoError(t, act.Stop(t.Context()), "it is waited for at the end")
	})
}
