package actuator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

const v3 = "application/vnd.spring-boot.actuator.v3+json"

// object is any JSON object.
type object = map[string]any

// app is an application of hooks, which is not started yet.
func app(tb testing.TB, hooks ...lifecycle.Hook) (*fxtest.App, *lifecycle.Conductor) {
	tb.Helper()
	var conductor *lifecycle.Conductor
	a := fxtest.New(tb, lifecycle.Module(), fx.NopLogger, fx.Populate(&conductor),
		fx.Invoke(func(lc fx.Lifecycle) {
			for _, h := range hooks {
				lifecycle.Append(lc, h)
			}
		}))
	return a, conductor
}

// running is the actuator of an application that runs until the test ends.
func running(tb testing.TB, cfg actuator.Config, hooks ...lifecycle.Hook) *actuator.Actuator {
	tb.Helper()
	a, conductor := app(tb, hooks...)
	a.RequireStart()
	tb.Cleanup(a.RequireStop)
	return over(tb, conductor, cfg)
}

// over is an actuator over a conductor. It is stopped when the test ends.
func over(tb testing.TB, conductor *lifecycle.Conductor, cfg actuator.Config, opts ...actuator.Option) *actuator.Actuator {
	tb.Helper()
	act, err := actuator.New(conductor, cfg, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, act.Stop(context.Background())) })
	return act
}

// ask sends a request; header lines are "Name: value" pairs in turn.
func ask(tb testing.TB, h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// get asks for JSON and wants this status.
func get(tb testing.TB, h http.Handler, target string, status int) object {
	tb.Helper()
	w := ask(tb, h, http.MethodGet, target)
	require.Equal(tb, status, w.Code, "%s: %s", target, w.Body)
	return decoded(tb, w)
}

func decoded(tb testing.TB, w *httptest.ResponseRecorder) object {
	tb.Helper()
	var body object
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &body), "%s", w.Body)
	return body
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
