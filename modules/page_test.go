package modules_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/modules"
)

func TestDashboard(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, file string, env ...string) (*management.Server, *observer.ObservedLogs) {
		t.Helper()
		var srv *management.Server
		log, seen := observer.New(zapcore.InfoLevel)
		a := app.New(modules.Default(), sources(file, append(slices.Clone(anyPort), env...)), fx.Populate(&srv),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(log) }))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, a.Stop(context.Background())) })
		return srv, seen
	}
	answer := func(t *testing.T, srv *management.Server, path string, header ...string) (int, string) {
		t.Helper()
		status, body, err := get(t.Context(), srv, path, header...)
		require.NoError(t, err)
		return status, body
	}

	t.Run("IsAtTheRootAndItsAddressIsLogged", func(t *testing.T) {
		t.Parallel()
		srv, seen := start(t, "management: {base_path: /manage}")
		assert.Equal(t, 1, seen.FilterMessage("dashboard: http://"+srv.Addr().String()+"/").Len())
		status, body := answer(t, srv, "/")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, `data-base="/manage"`)
		status, _ = answer(t, srv, "/assets/app.js")
		assert.Equal(t, http.StatusOK, status)
		status, body = answer(t, srv, "/manage")
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, "_links")
		status, body = answer(t, srv, "/assets/nothing.js")
		assert.Equal(t, http.StatusNotFound, status)
		assert.Contains(t, body, "/manage lists what there is")
	})

	t.Run("WhoOpensItLateSeesWhatWasBefore", func(t *testing.T) {
		t.Parallel()
		srv, _ := start(t, "")
		require.Eventually(t, func() bool {
			_, body := answer(t, srv, "/actuator/history")
			return !strings.Contains(body, `"from":0,`) && strings.Contains(body, `"inside":[`)
		}, time.Minute, 10*time.Millisecond)
		off, _ := start(t, "management: {endpoints: {history: false}}")
		status, _ := answer(t, off, "/actuator/history")
		assert.Equal(t, http.StatusNotFound, status)
	})

	t.Run("CanBeLeftOut", func(t *testing.T) {
		t.Parallel()
		srv, seen := start(t, "", "LASTCALL_MANAGEMENT_DASHBOARD=false")
		assert.Zero(t, seen.FilterMessageSnippet("dashboard").Len())
		for _, path := range []string{"/", "/assets/app.js"} {
			status, _ := answer(t, srv, path)
			assert.Equal(t, http.StatusNotFound, status, path)
		}
	})

	t.Run("OpensToStrangersAndShowsThemNothing", func(t *testing.T) {
		t.Parallel()
		srv, _ := start(t, "management: {token: Kaffee-4711}")
		elsewhere := []string{"X-Forwarded-For", "203.0.113.7"}
		for _, path := range []string{"/", "/assets/app.js", "/assets/style.css"} {
			status, _ := answer(t, srv, path, elsewhere...)
			assert.Equal(t, http.StatusOK, status, path)
		}
		for _, path := range []string{"/assets/", "/assets/nothing.js", "/actuator/components"} {
			status, _ := answer(t, srv, path, elsewhere...)
			assert.Equal(t, http.StatusUnauthorized, status, path)
		}
		for name, header := range map[string][]string{
			"another site": {"Origin", "http://evil.example"},
			"its frame":    {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Mode", "navigate"},
		} {
			status, _ := answer(t, srv, "/", header...)
			assert.Equal(t, http.StatusForbidden, status, name)
		}
	})

	t.Run("ItsFeedShowsTheStopToTheReceipt", func(t *testing.T) {
		t.Parallel()
		// What is left to say has 50 ms, which nobody has for sure on a busy
		// machine: it may be cut, but not each time.
		var body string
		for range 10 {
			var srv *management.Server
			a := app.New(modules.Default(), silent, sources("", anyPort), fx.Populate(&srv))
			require.NoError(t, a.Err())
			require.NoError(t, a.Start(t.Context()))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+srv.Addr().String()+"/actuator/feed", http.NoBody)
			require.NoError(t, err)
			req.Header.Set("Accept", "text/event-stream")
			resp, err := http.DefaultTransport.RoundTrip(req)
			require.NoError(t, err)
			feed := bufio.NewReader(resp.Body)
			first, err := feed.ReadString('\n')
			require.NoError(t, err)
			require.NoError(t, a.Stop(context.Background()))
			rest, _ := io.ReadAll(feed) // that it is cut is its end, too
			require.NoError(t, resp.Body.Close())
			body = first + string(rest)
			if strings.Contains(body, "event: bye") {
				break
			}
		}
		assert.Regexp(t, `(?s)event: hello\n.*event: picture\n.*event: receipt\n.*"clean":true.*event: bye\n`, body)
		assert.Equal(t, "stopped", body[strings.LastIndex(body, `"state":"`)+9:][:7])
	})
}
