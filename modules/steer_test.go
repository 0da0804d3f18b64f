package modules_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/modules"
)

// post changes something at a management server.
func post(t *testing.T, srv *management.Server, path, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+srv.Addr().String()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestLogLevelIsTurned(t *testing.T) {
	t.Parallel()
	var srv *management.Server
	var level zap.AtomicLevel
	var conductor *lifecycle.Conductor
	a := app.New(modules.Default(), sources("log: {level: warn}", anyPort), fx.Populate(&srv, &level, &conductor), silent)
	require.NoError(t, a.Err())
	require.NoError(t, a.Start(t.Context()))

	component, ok := conductor.Component("log")
	require.True(t, ok)
	assert.True(t, lifecycletest.AssertPanel(t, component))
	status, body := post(t, srv, "/actuator/loggers/ROOT", `{"configuredLevel":"DEBUG"}`)
	require.Equal(t, http.StatusNoContent, status, body)
	assert.Equal(t, zapcore.DebugLevel, level.Level())
	entries := conductor.Audit()
	require.Len(t, entries, 1)
	assert.Equal(t, "somebody on this machine", entries[0].By)
	assert.True(t, strings.HasPrefix(entries[0].From, "127.0.0.1:"), entries[0].From)
	status, body = post(t, srv, "/actuator/loggers/ROOT", `{}`)
	require.Equal(t, http.StatusNoContent, status, body)
	assert.Equal(t, zapcore.WarnLevel, level.Level(), "what is configured")
	require.NoError(t, a.Stop(t.Context()))
}

func TestStopIsBegunAndWatchedFromOutside(t *testing.T) {
	t.Parallel()
	var srv *management.Server
	a := app.New(modules.Default(), sources("management: {endpoints: {shutdown: true}}", anyPort), fx.Populate(&srv), silent)
	require.NoError(t, a.Err())
	require.NoError(t, a.Start(t.Context()))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+srv.Addr().String()+"/actuator/events", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/event-stream")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	stream, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, stream.Body.Close()) }()

	status, body := post(t, srv, "/actuator/shutdown", "")
	require.Equal(t, http.StatusOK, status, body)
	var bye struct{ Message string }
	require.NoError(t, json.Unmarshal([]byte(body), &bye))
	assert.Equal(t, "Shutting down, bye...", bye.Message)
	<-a.Conductor().Asked() // app.Run stops now

	stop, cancelStop := context.WithTimeout(context.Background(), a.StopTimeout())
	defer cancelStop()
	require.NoError(t, a.Stop(stop))
	assert.True(t, a.Receipt().Clean(), "%s", a.Receipt())
	assert.Contains(t, a.Receipt().Cause.By, "somebody on this machine (127.0.0.1:")
	assert.Less(t, a.Receipt().Took, a.Receipt().Timeout/2, "an open stream holds nothing")
	assert.Empty(t, a.Receipt().Leaks)
	told, err := io.ReadAll(stream.Body)
	require.NoError(t, err)
	assert.Contains(t, string(told), `"state":"stopped"`, "the stream has shown the stop to its end")
	assert.Contains(t, string(told), "event: end\n")
}
