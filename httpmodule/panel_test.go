package httpmodule_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

func panelOf(t *testing.T, c *lifecycle.Conductor) *lifecycle.Panel {
	t.Helper()
	comp, ok := c.Component("http")
	require.True(t, ok)
	require.True(t, lifecycletest.AssertPanel(t, comp))
	return comp.Panel
}

func inJSON(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	return got
}

func TestPanel(t *testing.T) {
	t.Parallel()

	t.Run("ShowsRequestsAndConnections", func(t *testing.T) {
		t.Parallel()
		var conductor *lifecycle.Conductor
		began, release := make(chan struct{}, 2), make(chan struct{})
		slow := func(_ http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") == "stream" {
				server.Endless(r.Context())
			}
			began <- struct{}{}
			<-release
		}
		_, srv := run(t, lifecycle.Module(), httpmodule.Handle("GET /orders/{id}", slow), fx.Populate(&conductor))
		var clients sync.WaitGroup
		for _, path := range []string{"/orders/4711-secret?token=secret", "/orders/stream"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+srv.Addr().String()+path, http.NoBody)
			require.NoError(t, err)
			clients.Go(func() {
				res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
				if assert.NoError(t, err) {
					assert.NoError(t, res.Body.Close())
				}
			})
			<-began
		}
		shown := panelOf(t, conductor)
		assert.Equal(t, "server", shown.Kind)

		stats := inJSON(t, shown.Stats())
		assert.Equal(t, srv.Addr().String(), stats["addr"])
		assert.InDelta(t, 2, stats["in_flight"], 0)
		assert.InDelta(t, 1, stats["streams"], 0)
		assert.Equal(t, map[string]any{"new": 0.0, "active": 2.0, "idle": 0.0, "hijacked": 0.0, "http2": 0.0}, stats["connections"])
		assert.Contains(t, stats, "closed")
		age, err := time.ParseDuration(stats["oldest_request"].(string))
		require.NoError(t, err)
		assert.Positive(t, age)
		text, err := json.Marshal(stats)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "secret")

		closer := inJSON(t, shown.Inspect(t.Context()))["requests"].([]any)
		require.Len(t, closer, 2)
		first := closer[0].(map[string]any)
		assert.Equal(t, "GET /orders/{id}", first["route"])
		_, err = time.ParseDuration(first["age"].(string))
		require.NoError(t, err)
		text, err = json.Marshal(closer)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "secret", "the route says what is asked for, and nobody's name")

		active := 0.0
		for _, m := range shown.Metrics() {
			if m.Name == "connections" && m.Labels["state"] == "active" {
				active = m.Value
			}
		}
		assert.InDelta(t, 2, active, 0)
		close(release)
		clients.Wait()
	})

	t.Run("LimitsNeedARestart", func(t *testing.T) {
		t.Parallel()
		var conductor *lifecycle.Conductor
		run(t, lifecycle.Module(), httpmodule.Handle("GET /", say("hello")), fx.Populate(&conductor))
		for _, k := range panelOf(t, conductor).Knobs() {
			assert.True(t, k.Cold, k.Name)
			assert.Equal(t, "http."+k.Name, k.Key)
			if k.Name == "max_body_bytes" {
				assert.EqualValues(t, server.DefaultMaxBodyBytes, k.Value)
			}
		}
		_, err := conductor.Turn(t.Context(), "http", lifecycle.Change{Values: map[string]any{"max_body_bytes": 1}})
		require.ErrorIs(t, err, lifecycle.ErrCold)
	})

	t.Run("HealthIsDownWhenItAcceptsNoMore", func(t *testing.T) {
		t.Parallel()
		var conductor *lifecycle.Conductor
		app, srv := run(t, lifecycle.Module(), httpmodule.Handle("GET /", say("hello")), fx.Populate(&conductor))
		h := panelOf(t, conductor).Health(t.Context())
		assert.Equal(t, lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{"addr": srv.Addr().String()}}, h)
		resume := srv.Gate().Pause()
		h = panelOf(t, conductor).Health(t.Context())
		assert.Equal(t, lifecycle.OutOfService, h.Status)
		assert.Contains(t, h.Reason, "paused")
		resume()
		assert.Equal(t, lifecycle.Up, panelOf(t, conductor).Health(t.Context()).Status)
		app.RequireStop()
		assert.Equal(t, lifecycle.OutOfService, panelOf(t, conductor).Health(t.Context()).Status)
	})

	t.Run("HealthIsDownWhenTheListenerBreaks", func(t *testing.T) {
		t.Parallel()
		var conductor *lifecycle.Conductor
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		broke := make(chan struct{})
		tell := httpmodule.Server(server.WithServeError(func(error) { close(broke) }))
		app := fxtest.New(t, fx.NopLogger, httpmodule.Module(httpmodule.Listener(ln), tell), lifecycle.Module(), httpmodule.Handle("GET /", say("hello")), fx.Populate(&conductor))
		app.RequireStart()
		require.NoError(t, ln.Close())
		<-broke
		h := panelOf(t, conductor).Health(t.Context())
		assert.Equal(t, lifecycle.Down, h.Status)
		assert.True(t, strings.HasPrefix(h.Reason, "it accepts no connection any more: "), h.Reason)
		app.RequireStop()
	})
}
