package actuator_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestShutdown(t *testing.T) {
	t.Run("IsOffUntilItIsTurnedOn", func(t *testing.T) {
		act := running(t, actuator.Config{})
		assert.Equal(t, http.StatusMethodNotAllowed, send(t, act, http.MethodPost, "/actuator/shutdown", "").Code)
	})

	t.Run("StopsAndTheReceiptSaysWhoAsked", func(t *testing.T) {
		s := canStop(t)
		assert.Equal(t, http.StatusMethodNotAllowed, ask(t, s.act, http.MethodGet, "/actuator/shutdown").Code)
		w := send(t, s.act, http.MethodPost, "/actuator/shutdown", "")
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		assert.Equal(t, object{"message": "Shutting down, bye..."}, decoded(t, w))
		<-s.conductor.Asked()
		require.NoError(t, s.stopIn(time.Second))
		receipt := s.conductor.Receipt()
		assert.Equal(t, lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "alice (10.0.0.7:1)"}, receipt.Cause)
		assert.True(t, receipt.Clean(), "a wish is no failure")
	})

	t.Run("SecondAskerIsRecordedToo", func(t *testing.T) {
		s := canStop(t)
		for range 2 {
			assert.Equal(t, http.StatusOK, send(t, s.act, http.MethodPost, "/actuator/shutdown", "").Code)
		}
		require.NoError(t, s.stopIn(time.Second))
		assert.Len(t, s.conductor.Receipt().AlsoAsked, 1)
	})

	t.Run("WithoutAWayToDoItSaysSo", func(t *testing.T) {
		act := running(t, actuator.Config{Endpoints: map[string]bool{"shutdown": true}})
		w := send(t, act, http.MethodPost, "/actuator/shutdown", "")
		assert.Equal(t, http.StatusNotImplemented, w.Code)
		assert.Contains(t, w.Body.String(), "SIGTERM")
	})

	t.Run("AskerIsTheAddressWhereNobodyKnowsMore", func(t *testing.T) {
		_, conductor := app(t)
		var asked string
		act := over(t, conductor, actuator.Config{Endpoints: map[string]bool{"shutdown": true}},
			actuator.WithShutdown(func(by string) error { asked = by; return nil }))
		r := httptest.NewRequest(http.MethodPost, "/actuator/shutdown", http.NoBody)
		r.RemoteAddr = "10.0.0.7:51234"
		assert.Equal(t, http.StatusOK, serve(act, r).Code)
		assert.Equal(t, "10.0.0.7:51234", asked)
	})
}

func TestStartup(t *testing.T) {
	t.Run("IsTheTimelineOfEveryOnStart", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sleep := func(d time.Duration) func(context.Context) error {
				return func(context.Context) error { time.Sleep(d); return nil }
			}
			a, conductor := app(t, lifecycle.Hook{Name: "db", OnStart: sleep(250 * time.Millisecond)}, lifecycle.Hook{Name: "http", OnStart: sleep(2 * time.Second)})
			act := over(t, conductor, actuator.Config{})
			get(t, act, "/actuator/startup", http.StatusServiceUnavailable)
			a.RequireStart()
			line := get(t, act, "/actuator/startup", http.StatusOK)["timeline"].(object)
			events := line["events"].([]any)
			require.Len(t, events, 3)
			root, db, web := events[0].(object), events[1].(object), events[2].(object)
			assert.Equal(t, "PT2.25S", root["duration"])
			assert.Equal(t, line["startTime"], root["startTime"])
			assert.Equal(t, object{"name": "lastcall.application.start", "id": 0.0, "tags": []any{}}, root["startupStep"])
			assert.Equal(t, "PT0.25S", db["duration"])
			assert.Equal(t, db["endTime"], web["startTime"])
			step := web["startupStep"].(object)
			assert.EqualValues(t, 0, step["parentId"])
			assert.Contains(t, step["tags"], object{"key": "component", "value": "http"})
			assert.Contains(t, step["tags"], object{"key": "outcome", "value": "ok"})
			a.RequireStop()
		})
	})

	t.Run("OfAFailedStartSaysWhoFailed", func(t *testing.T) {
		a, conductor := app(t, lifecycle.Hook{Name: "db", OnStart: func(context.Context) error { return errRefused }})
		act := over(t, conductor, actuator.Config{})
		require.Error(t, a.Start(t.Context()))
		events := get(t, act, "/actuator/startup", http.StatusOK)["timeline"].(object)["events"].([]any)
		require.Len(t, events, 1, "the application itself was never up")
		assert.Contains(t, events[0].(object)["startupStep"].(object)["tags"], object{"key": "outcome", "value": "failed"})
	})
}

func TestShutdownReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "receipt.json")
	start := func(t *testing.T) (*fxtest.App, *actuator.Actuator) {
		t.Helper()
		var conductor *lifecycle.Conductor
		a := fxtest.New(t, lifecycle.Module(lifecycle.WithConfig(lifecycle.Config{ReceiptFile: file})), fx.NopLogger, fx.Populate(&conductor))
		return a.RequireStart(), over(t, conductor, actuator.Config{})
	}

	a, act := start(t)
	first := get(t, act, "/actuator/shutdown-report", http.StatusOK)
	assert.Equal(t, "the run before", first["of"])
	assert.Equal(t, object{"state": "none"}, first["run"])
	assert.Equal(t, object{"runs": []any{}}, get(t, act, "/actuator/runs", http.StatusOK))
	a.RequireStop()
	own := get(t, act, "/actuator/shutdown-report", http.StatusOK)
	assert.Equal(t, "this run", own["of"])
	assert.Equal(t, true, own["run"].(object)["receipt"].(object)["clean"])

	want := object{"runs": []any{own["run"]}}
	assert.Equal(t, want, get(t, act, "/actuator/runs", http.StatusOK), "this run has ended")

	a, act = start(t)
	assert.Equal(t, want, get(t, act, "/actuator/runs", http.StatusOK), "and is still in the list")
	before := get(t, act, "/actuator/shutdown-report", http.StatusOK)
	assert.Equal(t, "the run before", before["of"])
	assert.Equal(t, own["run"], before["run"])
	w := ask(t, act, http.MethodGet, "/actuator/shutdown-report", "Accept", "text/plain")
	assert.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Contains(t, w.Body.String(), "last stop: ")
	a.RequireStop()

	require.NoError(t, os.WriteFile(file, []byte("torn"), 0o600))
	a, act = start(t)
	assert.Equal(t, "unknown", get(t, act, "/actuator/shutdown-report", http.StatusOK)["run"].(object)["state"])
	a.RequireStop()
}
