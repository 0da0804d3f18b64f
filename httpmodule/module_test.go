package httpmodule_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// free is a port of the kernel's choice.
var free = server.Config{Addr: "127.0.0.1:0"}

type greeter struct{ word string }

func (g *greeter) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, g.word) }

func newGreeter(word string) *greeter { return &greeter{word: word} }

func say(word string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, word) }
}

// run starts an app with the module and returns its server.
func run(t *testing.T, opts ...fx.Option) (*fxtest.App, *server.Server) {
	t.Helper()
	var srv *server.Server
	app := fxtest.New(t, fx.NopLogger, httpmodule.Module(), fx.Supply(free), fx.Options(opts...), fx.Populate(&srv))
	app.RequireStart()
	t.Cleanup(func() { app.RequireStop() })
	return app, srv
}

func get(t *testing.T, srv *server.Server, path string) (status int, body string) {
	t.Helper()
	tr := &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+srv.Addr().String()+path, http.NoBody)
	require.NoError(t, err)
	res, err := tr.RoundTrip(req)
	require.NoError(t, err)
	all, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(all)
}

func TestHandle(t *testing.T) {
	t.Parallel()

	t.Run("TakesWhateverMakesAHandler", func(t *testing.T) {
		t.Parallel()
		_, srv := run(t,
			fx.Supply("a word", fx.Annotate("a name", fx.ResultTags(`name:"n"`))),
			httpmodule.Handle("GET /type", newGreeter),
			httpmodule.Handle("GET /type/again", newGreeter),
			httpmodule.Handle("GET /interface", func(word string) http.Handler { return newGreeter(word) }),
			httpmodule.Handle("GET /handlerfunc", say),
			httpmodule.Handle("GET /func", func(word string) func(http.ResponseWriter, *http.Request) { return say(word) }),
			httpmodule.Handle("GET /error", func(word string) (http.Handler, error) { return newGreeter(word), nil }),
			httpmodule.Handle("GET /tagged", newGreeter, fx.ParamTags(`name:"n"`)),
			httpmodule.Handle("GET /itself", newGreeter("itself")),
			httpmodule.Handle("GET /itself/func", func(w http.ResponseWriter, r *http.Request) { say("itself")(w, r) }),
		)
		for path, want := range map[string]string{
			"/type": "a word", "/type/again": "a word", "/interface": "a word", "/handlerfunc": "a word",
			"/func": "a word", "/error": "a word", "/tagged": "a name", "/itself": "itself", "/itself/func": "itself",
		} {
			_, body := get(t, srv, path)
			assert.Equal(t, want, body, path)
		}
	})

	t.Run("SaysWhatIsWrongWithAConstructor", func(t *testing.T) {
		t.Parallel()
		for want, constructor := range map[string]any{
			"the constructor is nil":               nil,
			"is not a constructor":                 42,
			"returns nothing":                      func() {},
			"which is neither an http.Handler nor": func() string { return "" },
			"give the constructor itself":          fx.Annotate(newGreeter, fx.ParamTags(`name:"n"`)),
			`Handle("GET /x") at module_test.go:`:  42,
		} {
			app := fx.New(fx.NopLogger, httpmodule.Module(), httpmodule.Handle("GET /x", constructor))
			assert.ErrorContains(t, app.Err(), want)
		}
	})

	t.Run("ConflictNamesBothPatternsAndWhereTheyComeFrom", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, httpmodule.Module(),
			httpmodule.Handle("GET /{a}/x", say("1")),
			httpmodule.Handle("GET /x/{b}", say("2")),
		)
		assert.ErrorContains(t, app.Err(), `route "GET /{a}/x" (module_test.go:`)
		assert.ErrorContains(t, app.Err(), `conflicts with "GET /x/{b}" (module_test.go:`)
		assert.ErrorContains(t, app.Err(), `both match some paths, like "/x/x"`)
	})

	t.Run("BadPatternIsAnError", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, httpmodule.Module(), httpmodule.Handle("GET  orders", say("1")))
		assert.ErrorContains(t, app.Err(), `route "GET  orders" (module_test.go:`)
	})
}

func TestHandlerOfTheGraph(t *testing.T) {
	t.Parallel()
	_, srv := run(t,
		fx.Provide(func() http.Handler {
			r := chi.NewRouter()
			r.Get("/chi/{id}", func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "chi "+chi.URLParam(r, "id"))
			})
			return r
		}),
		httpmodule.Handle("GET /route", say("route")),
	)
	_, body := get(t, srv, "/chi/17")
	assert.Equal(t, "chi 17", body)
	_, body = get(t, srv, "/route")
	assert.Equal(t, "route", body)
}

func TestUse(t *testing.T) {
	t.Parallel()
	mark := func(name string) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, name+" ")
				next.ServeHTTP(w, r)
			})
		}
	}
	_, srv := run(t,
		fx.Supply("from the graph"),
		httpmodule.Use(30, mark("inner")),
		httpmodule.Use(10, mark("outer")),
		httpmodule.Use(20, mark), // a constructor
		httpmodule.Handle("GET /", say("handler")),
	)
	_, body := get(t, srv, "/")
	assert.Equal(t, "outer from the graph inner handler", body)

	app := fx.New(fx.NopLogger, httpmodule.Module(), httpmodule.Use(1, newGreeter))
	assert.ErrorContains(t, app.Err(), "not func(http.Handler) http.Handler")
}

func TestModule(t *testing.T) {
	t.Parallel()

	t.Run("OpensNoPortWhereThereIsNothingToServe", func(t *testing.T) {
		t.Parallel()
		_, srv := run(t)
		assert.Nil(t, srv)
	})

	t.Run("ConfigIsOverriddenAsAnyValueOfFx", func(t *testing.T) {
		t.Parallel()
		unreachable := fx.Supply(server.Config{Addr: "192.0.2.1:1"})
		for _, config := range []fx.Option{
			fx.Options(unreachable, fx.Replace(server.Config{Addr: "127.0.0.1:0"})),
			fx.Options(unreachable, fx.Decorate(func(c server.Config) server.Config { c.Addr = "127.0.0.1:0"; return c })),
			fx.Replace(server.Config{Addr: "127.0.0.1:0"}), // nothing to replace
		} {
			var srv *server.Server
			app := fxtest.New(t, fx.NopLogger, httpmodule.Module(), httpmodule.Handle("/", say("hello")),
				config, fx.Populate(&srv))
			app.RequireStart().RequireStop()
			assert.Contains(t, srv.Addr().String(), "127.0.0.1")
		}
	})

	t.Run("WrongConfigFailsTheBuild", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, httpmodule.Module(), httpmodule.Handle("/", say("hello")), fx.Supply(server.Config{Network: "udp"}))
		assert.ErrorContains(t, app.Err(), "network: ")
	})

	t.Run("TakenPortFailsTheStart", func(t *testing.T) {
		t.Parallel()
		_, first := run(t, httpmodule.Handle("/", say("hello")))
		second := fx.New(fx.NopLogger, httpmodule.Module(), httpmodule.Handle("/", say("hello")),
			fx.Supply(server.Config{Addr: first.Addr().String()}))
		assert.ErrorContains(t, second.Start(t.Context()), "set http.addr")
	})

	t.Run("GivenListenerIsUsedAndClosed", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		var srv *server.Server
		app := fxtest.New(t, fx.NopLogger, httpmodule.Module(), httpmodule.Handle("/", say("hello")), fx.Populate(&srv),
			fx.Supply(fx.Annotate(ln, fx.As(new(net.Listener)), fx.ResultTags(`name:"http"`))))
		app.RequireStart()
		assert.Equal(t, ln.Addr(), srv.Addr())
		_, body := get(t, srv, "/")
		assert.Equal(t, "hello", body)
		app.RequireStop()
		_, err = ln.Accept()
		assert.ErrorIs(t, err, net.ErrClosed)
	})

	t.Run("PanicIsLoggedAndTheServerLives", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zap.WarnLevel)
		_, srv := run(t, fx.Supply(zap.New(core)),
			httpmodule.Handle("GET /broken/{id}", func(http.ResponseWriter, *http.Request) { panic("on purpose") }),
			httpmodule.Handle("GET /fine", say("fine")))
		status, _ := get(t, srv, "/broken/17")
		assert.Equal(t, http.StatusInternalServerError, status)
		status, _ = get(t, srv, "/fine")
		assert.Equal(t, http.StatusOK, status)
		entries := logs.FilterMessage("panic in a handler").All()
		require.Len(t, entries, 1)
		assert.Contains(t, entries[0].ContextMap()["request"], "GET /broken/{id} (")
	})

	t.Run("ProbesTellReadyFromAlive", func(t *testing.T) {
		t.Parallel()
		var ready atomic.Bool
		ready.Store(true)
		var told []bool // to an observer of our own beside the probe
		var srv *server.Server
		app := fxtest.New(t, fx.NopLogger, httpmodule.Module(httpmodule.Probes("/readyz", "/livez"),
			httpmodule.Server(server.WithReadiness(func(now bool) { told = append(told, now) }))), fx.Supply(free),
			httpmodule.Handle("/", say("hello")), fx.Populate(&srv),
			fx.Supply(httpmodule.Readiness(ready.Load)))
		app.RequireStart()
		status, _ := get(t, srv, "/readyz")
		assert.Equal(t, http.StatusOK, status)
		ready.Store(false)
		status, _ = get(t, srv, "/readyz")
		assert.Equal(t, http.StatusServiceUnavailable, status)
		status, _ = get(t, srv, "/livez")
		assert.Equal(t, http.StatusOK, status)
		ready.Store(true)
		resume := srv.Gate().Pause()
		status, _ = get(t, srv, "/readyz")
		assert.Equal(t, http.StatusServiceUnavailable, status)
		status, _ = get(t, srv, "/livez")
		assert.Equal(t, http.StatusOK, status)
		resume()
		status, _ = get(t, srv, "/readyz")
		assert.Equal(t, http.StatusOK, status)
		app.RequireStop()
		assert.Zero(t, srv.Gate().Ledger(), "probes are not counted")
		assert.Equal(t, []bool{true, false}, told)
	})

	t.Run("ServeErrorEndsTheApp", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		app := fxtest.New(t, fx.NopLogger, httpmodule.Module(httpmodule.Listener(ln)), httpmodule.Handle("/", say("hello")))
		app.RequireStart()
		require.NoError(t, ln.Close()) // the socket breaks
		<-app.Wait()
		app.RequireStop()
	})
}

// TestStopIsConducted puts the server beside what its handlers work with: with
// lifecycle.Module the stop waits for the request, then stops the rest.
func TestStopIsConducted(t *testing.T) {
	t.Parallel()
	for _, conducted := range []bool{false, true} {
		t.Run(fmt.Sprintf("conducted=%v", conducted), func(t *testing.T) {
			t.Parallel()
			entered, leave := make(chan struct{}), make(chan struct{})
			var closed atomic.Bool
			opts := []fx.Option{fx.NopLogger, httpmodule.Module(), fx.Supply(free),
				fx.Provide(func(lc fx.Lifecycle) *atomic.Bool { // the database
					lc.Append(fx.StopHook(func() { closed.Store(true) }))
					return &closed
				}),
				httpmodule.Handle("POST /slow", func(closed *atomic.Bool) http.HandlerFunc {
					return func(w http.ResponseWriter, _ *http.Request) {
						close(entered)
						<-leave
						if closed.Load() {
							w.WriteHeader(http.StatusInternalServerError)
						}
					}
				})}
			if conducted {
				opts = append(opts, lifecycle.Module())
			}
			var srv *server.Server
			app := fxtest.New(t, append(opts, fx.Populate(&srv))...)
			app.RequireStart()

			answered := make(chan int, 1)
			go func() {
				tr := &http.Transport{DisableKeepAlives: true}
				req, err := http.NewRequest(http.MethodPost, "http://"+srv.Addr().String()+"/slow", http.NoBody)
				if err != nil {
					answered <- 0
					return
				}
				res, err := tr.RoundTrip(req)
				if err != nil {
					answered <- 0
					return
				}
				_ = res.Body.Close()
				answered <- res.StatusCode
			}()
			<-entered
			stopped := make(chan error, 1)
			go func() { stopped <- app.Stop(context.WithoutCancel(t.Context())) }()
			require.Eventually(t, func() bool {
				nc, err := net.Dial("tcp", srv.Addr().String())
				if err == nil {
					_ = nc.Close()
				}
				return err != nil
			}, time.Minute, time.Millisecond, "the listener is released")
			close(leave)
			require.NoError(t, <-stopped)
			assert.Equal(t, http.StatusOK, <-answered, "the database was open until the request had ended")
			assert.True(t, closed.Load())
		})
	}
}

func TestCutRequestIsTheErrorOfTheStop(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	var srv *server.Server
	app := fxtest.New(t, fx.NopLogger, httpmodule.Module(), fx.Populate(&srv),
		fx.Supply(server.Config{Addr: "127.0.0.1:0", StopBudget: 50 * time.Millisecond}),
		httpmodule.Handle("GET /slow/{id}", func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		}))
	app.RequireStart()
	nc, err := net.Dial("tcp", srv.Addr().String())
	require.NoError(t, err)
	defer func() { _ = nc.Close() }()
	_, err = io.WriteString(nc, "GET /slow/17 HTTP/1.1\r\nHost: test\r\n\r\n")
	require.NoError(t, err)
	<-entered
	err = app.Stop(t.Context())
	var cut *server.StopError
	require.ErrorAs(t, err, &cut)
	assert.ErrorContains(t, err, "1 request was cut: GET /slow/{id} (running for ")
}
