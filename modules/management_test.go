package modules_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// anyPort has a management server of its own.
var anyPort = []string{"LASTCALL_MANAGEMENT_ADDRESS=127.0.0.1:0"}

// get asks a management server; the body is that of the answer.
func get(ctx context.Context, srv *management.Server, path string, header ...string) (status int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+srv.Addr().String()+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // all was read
	return resp.StatusCode, string(text), err
}

func TestManagement(t *testing.T) {
	t.Parallel()

	t.Run("TestsHaveNoneUnlessTheySaySo", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		run(t, modules.Default(), sources("", nil), fx.Populate(&srv))
		assert.Nil(t, srv)
	})

	t.Run("IsSwitchedOff", func(t *testing.T) {
		t.Parallel()
		for _, file := range []string{
			"management: {address: '127.0.0.1:0', enabled: false}",
			"management: {address: ''}",
		} {
			var srv *management.Server
			run(t, modules.Default(), sources(file, nil), fx.Populate(&srv))
			assert.Nil(t, srv, file)
		}
		var srv *management.Server
		run(t, modules.Default(), sources("management: {address: '127.0.0.1:0'}", []string{"LASTCALL_MANAGEMENT_ENABLED=false"}), fx.Populate(&srv))
		assert.Nil(t, srv)
		run(t, modules.Default(modules.Without(modules.Management)), sources("", nil))
	})

	t.Run("AnswersInEveryHookOfTheApplication", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		var mu sync.Mutex
		asked := map[string]int{} // by hook
		around := func(component string, phase lifecycle.Phase, hook func(context.Context) error) func(context.Context) error {
			return func(ctx context.Context) error {
				for _, when := range []string{"before ", "after "} {
					status, _, err := get(context.Background(), srv, "/livez")
					mu.Lock()
					asked[when+component+" "+phase.String()] = status
					mu.Unlock()
					if err != nil {
						return err
					}
					if when == "before " {
						if err := hook(ctx); err != nil {
							return err
						}
					}
				}
				return nil
			}
		}
		log, seen := observer.New(zapcore.InfoLevel)
		a := app.New(modules.Default(), sources("", anyPort), fx.Populate(&srv),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(log) }),
			fx.Supply(fx.Annotate(lifecycle.Interceptor(around), fx.ResultTags(`group:"`+lifecycle.InterceptorGroup+`"`))),
			fx.Invoke(func(lc fx.Lifecycle) {
				nothing := func(context.Context) error { return nil }
				for _, band := range []lifecycle.Band{lifecycle.Ingress, lifecycle.Middle, lifecycle.Sink} {
					lifecycle.Append(lc, lifecycle.Hook{Name: band.String(), Band: band, OnStart: nothing, OnStop: nothing, PreDestroy: nothing})
				}
			}))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		assert.Equal(t, 1, seen.FilterMessage("management server: http://"+srv.Addr().String()+"/actuator").Len())
		require.NoError(t, a.Stop(t.Context()))

		for hook, status := range asked {
			assert.Equal(t, http.StatusOK, status, hook)
		}
		for _, hook := range []string{"before ingress start", "after sink stop", "after log pre-destroy"} {
			assert.Contains(t, asked, hook)
		}
		_, _, err := get(t.Context(), srv, "/livez")
		require.Error(t, err, "it is closed when the stop is over")
		assert.Empty(t, a.Receipt().Leaks)
		for _, c := range a.Receipt().Components {
			assert.NotEqual(t, "management", c.Name, "it is no component")
		}
	})

	t.Run("AnswersDuringTheDrain", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		var lane *pool.Lane[string]
		working, done := make(chan struct{}), make(chan struct{})
		a := app.New(modules.Default(), sources("", anyPort), silent, fx.Populate(&srv, &lane),
			poolmodule.Provide("slow", pool.Config{}),
			poolmodule.Lane[string]("slow", "slow", func(context.Context, string) error {
				close(working)
				<-done
				return nil
			}))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, lane.Submit(t.Context(), "tea"))
		<-working
		stream := open(t, srv) // also while somebody looks on
		stopped := make(chan error, 1)
		go func() { stopped <- a.Stop(context.Background()) }()
		<-a.Conductor().When(lifecycle.NotReady)
		for range 10 {
			status, _, err := get(t.Context(), srv, "/readyz")
			require.NoError(t, err)
			assert.Equal(t, http.StatusServiceUnavailable, status)
			status, _, err = get(t.Context(), srv, "/livez")
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
		}
		close(done)
		require.NoError(t, <-stopped)
		_, err := io.Copy(io.Discard, stream)
		assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is cut")
	})

	t.Run("ReachableByOthersWithoutATokenIsRefused", func(t *testing.T) {
		t.Parallel()
		a := app.New(modules.Default(), silent, sources("management:\n  address: 0.0.0.0:0\n", nil))
		var wrong *config.Error
		require.ErrorAs(t, a.Err(), &wrong)
		for _, part := range []string{"config.yaml:2", "management.address", "there is no token", "set management.token, or listen on 127.0.0.1:9988"} {
			require.ErrorContains(t, a.Err(), part)
		}
		off := app.New(modules.Default(), silent, sources("management: {address: '0.0.0.0:0', enabled: false}", nil))
		require.NoError(t, off.Err())
		require.NoError(t, off.Stop(t.Context()))
		// In code, too, where no source is validated.
		a = app.New(modules.Default(modules.Without(modules.Config)), silent, fx.Supply(modules.ManagementConfig{Address: ":0"}))
		require.ErrorContains(t, a.Err(), "there is no token")
	})

	t.Run("TakenAddressThatWasAskedForRefusesTheStart", func(t *testing.T) {
		t.Parallel()
		taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close()
		a := app.New(modules.Default(), silent, sources("management: {address: '"+taken.Addr().String()+"'}", nil))
		require.NoError(t, a.Err())
		require.ErrorContains(t, a.Start(t.Context()), "management.address")
		require.NoError(t, a.Stop(t.Context()))
	})

	t.Run("TwoServicesBesideEachOther", func(t *testing.T) {
		t.Parallel()
		var first, second *management.Server
		for _, srv := range []**management.Server{&first, &second} {
			a := app.New(modules.Default(), silent, sources("", anyPort), fx.Populate(srv))
			require.NoError(t, a.Err())
			require.NoError(t, a.Start(t.Context()))
			t.Cleanup(func() { require.NoError(t, a.Stop(context.Background())) })
		}
		for _, srv := range []*management.Server{first, second} {
			status, _, err := get(t.Context(), srv, "/livez")
			require.NoError(t, err)
			assert.Equal(t, http.StatusOK, status)
		}
	})

	t.Run("AnswersAtASocketAlone", func(t *testing.T) {
		t.Parallel()
		dir, err := os.MkdirTemp("", "m") //nolint:usetesting // that of the test is too long
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		path := filepath.Join(dir, "m.sock")
		var srv *management.Server
		a := app.New(modules.Default(), silent, sources("management: {address: '', socket: "+path+"}", nil), fx.Populate(&srv))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		assert.Nil(t, srv.Addr())
		conn, err := new(net.Dialer).DialContext(t.Context(), "unix", path)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /actuator HTTP/1.1\r\nHost: anything\r\n\r\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 200 OK\r\n", line)
		require.NoError(t, a.Stop(t.Context()))
		assert.NoFileExists(t, path)
	})

	t.Run("ProfilesAreThereWhenAskedFor", func(t *testing.T) {
		t.Parallel()
		for on, want := range map[string]int{"false": http.StatusNotFound, "true": http.StatusOK} {
			var srv *management.Server
			a := app.New(modules.Default(), silent, sources("", append(slices.Clone(anyPort), "LASTCALL_MANAGEMENT_PPROF="+on)), fx.Populate(&srv))
			require.NoError(t, a.Err())
			require.NoError(t, a.Start(t.Context()))
			status, _, err := get(t.Context(), srv, "/debug/pprof/")
			require.NoError(t, err)
			assert.Equal(t, want, status)
			require.NoError(t, a.Stop(t.Context()))
		}
	})

	t.Run("OnlyHealthIsOpen", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		var act *actuator.Actuator
		a := app.New(modules.Default(), silent, sources("management: {token: Kaffee-4711, pprof: true}", anyPort), fx.Populate(&srv, &act))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		paths := map[string]bool{"/debug/pprof/heap": false, "/nowhere": false}
		for _, e := range act.Endpoints() {
			if e.Method == http.MethodGet && !strings.Contains(e.Path, "{") {
				path := e.Path
				if !e.Root {
					path = actuator.DefaultBasePath + path
				}
				paths[path] = e.Open
			}
		}
		assert.Contains(t, paths, "/livez")
		for path, open := range paths {
			// As one that comes from elsewhere: a proxy has forwarded it.
			status, _, err := get(t.Context(), srv, path, "X-Forwarded-For", "203.0.113.7")
			require.NoError(t, err)
			assert.Equal(t, !open, status == http.StatusUnauthorized, "%s: %d", path, status)
			status, _, err = get(t.Context(), srv, path, "X-Forwarded-For", "203.0.113.7", "Authorization", "Bearer Kaffee-4711")
			require.NoError(t, err)
			assert.NotEqual(t, http.StatusUnauthorized, status, path)
		}
		require.NoError(t, a.Stop(t.Context()))
	})

	t.Run("SecretsAreInNoAnswer", func(t *testing.T) {
		t.Parallel()
		type settings struct {
			Key   config.Secret `yaml:"key"`
			Store string        `yaml:"store"`
		}
		file := "management: {token: canary-token}\nmine: {key: canary-key, store: 'postgres://ada:canary-password@db/x'}\n"
		var srv *management.Server
		var act *actuator.Actuator
		var values *config.Values
		log, seen := observer.New(zapcore.DebugLevel)
		a := app.New(modules.Default(), sources(file, append(slices.Clone(anyPort), "LASTCALL_MINE_KEY=canary-env", "API_TOKEN=canary-process")),
			modules.Section("mine", settings{}), fx.Populate(&srv, &act, &values),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(log) }))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(t.Context()))
		for _, e := range act.Endpoints() {
			if e.Method != http.MethodGet || strings.Contains(e.ID, "event") {
				continue // a stream has no end
			}
			path := strings.NewReplacer("{", "", "}", "", "...", "").Replace(e.Path)
			if !e.Root {
				path = actuator.DefaultBasePath + path
			}
			for _, auth := range []string{"", "Bearer canary-token", "Bearer canary-wrong"} {
				header := []string{"Cookie", "s=canary-cookie", "X-Api-Key", "canary-header"}
				if auth != "" {
					header = append(header, "Authorization", auth)
				}
				_, body, err := get(t.Context(), srv, path, header...)
				require.NoError(t, err)
				assert.NotContains(t, body, "canary", "%s with %q", path, auth)
			}
		}
		assert.NotContains(t, values.String(), "canary-token")
		require.NoError(t, a.Stop(t.Context()))
		for _, entry := range seen.All() {
			assert.NotContains(t, entry.Message+fmt.Sprint(entry.ContextMap()), "canary")
		}
	})

	t.Run("BareFxHasNothingToShow", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		fxtest.New(t, modules.Default(), sources("", anyPort), silent, fx.Populate(&srv)).RequireStart().RequireStop()
		assert.Nil(t, srv)
	})

	t.Run("WorksUnderFxtest", func(t *testing.T) {
		t.Parallel()
		var srv *management.Server
		a := fxtest.New(t, lifecycle.Module(), modules.Default(), sources("", anyPort), silent, fx.Populate(&srv)).RequireStart()
		status, _, err := get(t.Context(), srv, "/readyz")
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
		a.RequireStop()
	})
}

// open is a connection on which half a request has been said.
func open(t *testing.T, srv *management.Server) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHo")
	require.NoError(t, err)
	return conn
}
