package modules_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestServiceIsDrainedAndUndrainedFromOutside goes by real ports: that of the
// service, and that of its management.
func TestServiceIsDrainedAndUndrainedFromOutside(t *testing.T) {
	t.Parallel()
	handled := make(chan string, 10)
	entered, leave := make(chan struct{}), make(chan struct{})
	var srv *server.Server
	var control *management.Server
	a := app.New(modules.Default(), sources("http: {addr: 127.0.0.1:0}", anyPort), silent, fx.Populate(&srv, &control),
		poolmodule.Provide("words", pool.Config{Workers: 1}),
		poolmodule.Lane[string]("words", "words", func(_ context.Context, word string) error {
			handled <- word
			return nil
		}),
		httpmodule.Handle("POST /slow", func(l *pool.Lane[string]) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				<-leave
				if err := l.Submit(r.Context(), "slow"); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
				}
			}
		}),
		httpmodule.Handle("POST /word", func(l *pool.Lane[string]) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if err := l.Submit(r.Context(), "word"); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
				}
			}
		}))
	require.NoError(t, a.Err())
	require.NoError(t, a.Start(t.Context()))

	ask := func(method, addr, path string) (status int, header http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, http.NoBody)
		require.NoError(t, err)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, resp.Header
	}
	service := func(method, path string) int {
		status, _ := ask(method, srv.Addr().String(), path)
		return status
	}
	manage := func(method, path string) int {
		status, _ := ask(method, control.Addr().String(), path)
		return status
	}

	slow := make(chan int, 1)
	go func() {
		r, _ := http.NewRequest(http.MethodPost, "http://"+srv.Addr().String()+"/slow", http.NoBody)
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			slow <- 0
			return
		}
		_ = resp.Body.Close()
		slow <- resp.StatusCode
	}()
	<-entered
	assert.Equal(t, http.StatusOK, manage(http.MethodGet, "/readyz"))
	assert.Equal(t, http.StatusAccepted, manage(http.MethodGet, "/actuator/drain"))

	require.Equal(t, http.StatusAccepted, manage(http.MethodPost, "/actuator/drain"))
	for _, on := range []func(method, path string) int{manage, service} {
		assert.Equal(t, http.StatusServiceUnavailable, on(http.MethodGet, "/readyz"))
		assert.Equal(t, http.StatusOK, on(http.MethodGet, "/livez"))
	}
	assert.Equal(t, http.StatusServiceUnavailable, manage(http.MethodGet, "/actuator/drain"), "a request is inside")
	status, header := ask(http.MethodPost, srv.Addr().String(), "/word")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.NotEmpty(t, header.Get("Retry-After"))
	close(leave)
	assert.Equal(t, http.StatusOK, <-slow, "what was inside hands on, and ends")
	assert.Equal(t, "slow", <-handled)
	require.Eventually(t, func() bool { return manage(http.MethodGet, "/actuator/drain") == http.StatusOK }, time.Minute, time.Millisecond)

	require.Equal(t, http.StatusOK, manage(http.MethodDelete, "/actuator/drain"))
	assert.Equal(t, http.StatusOK, manage(http.MethodGet, "/readyz"))
	assert.Equal(t, http.StatusOK, service(http.MethodPost, "/word"))
	assert.Equal(t, "word", <-handled)
	audit := a.Conductor().Audit()
	require.Len(t, audit, 2)
	assert.Equal(t, "somebody on this machine", audit[0].By)

	require.Equal(t, http.StatusAccepted, manage(http.MethodPost, "/actuator/drain"))
	require.NoError(t, a.Stop(t.Context()))
	assert.True(t, a.Receipt().Clean(), "%s", a.Receipt())
}
