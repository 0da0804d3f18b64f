package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/intake"
)

// direct drives a server as a handler, without a port.
func direct(t *testing.T, cfg server.Config, h http.HandlerFunc, opts ...server.Option) *server.Server {
	t.Helper()
	s, err := server.New(cfg, h, append([]server.Option{quiet}, opts...)...)
	require.NoError(t, err)
	return s
}

func serve(s *server.Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestGate(t *testing.T) {
	t.Parallel()

	t.Run("DrainingRefusesWithRetryAfter", func(t *testing.T) {
		t.Parallel()
		s := direct(t, server.Config{Drain: server.Drain{RetryAfter: 1500 * time.Millisecond}}, hello)
		s.Gate().Drain()
		w := serve(s, httptest.NewRequest(http.MethodPost, "/", nil))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "2", w.Header().Get("Retry-After"))
		assert.Equal(t, "close", w.Header().Get("Connection"))
		assert.Equal(t, intake.Ledger{Offered: 1, Rejected: 1}, s.Gate().Ledger())
	})

	t.Run("DrainingAdmitsLineage", func(t *testing.T) {
		t.Parallel()
		s := direct(t, server.Config{}, hello)
		s.Gate().Drain()
		ctx, mark := intake.Mark(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
		w := serve(s, r)
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "close", w.Header().Get("Connection"))
		mark.End()
		assert.Equal(t, http.StatusServiceUnavailable, serve(s, r).Code, "the right ended with the work")
	})

	t.Run("HandlersContextCarriesLineageUntilItReturns", func(t *testing.T) {
		t.Parallel()
		pool := intake.New("pool")
		pool.Drain()
		var kept context.Context
		s := direct(t, server.Config{}, func(_ http.ResponseWriter, r *http.Request) {
			kept = r.Context()
			assert.NoError(t, pool.Admit(kept))
		})
		serve(s, httptest.NewRequest(http.MethodGet, "/", nil))
		assert.ErrorIs(t, pool.Admit(kept), intake.ErrDraining)
	})

	t.Run("LedgerTellsWhatBecameOfEachRequest", func(t *testing.T) {
		t.Parallel()
		s := direct(t, server.Config{}, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/silent":
			case "/notfound":
				http.NotFound(w, r)
			case "/early":
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusBadGateway)
			case "/panic":
				panic("on purpose")
			case "/abort":
				panic(http.ErrAbortHandler)
			}
		}, server.WithPanicObserver(func(server.Panic) {}))
		for _, path := range []string{"/silent", "/notfound", "/early", "/panic"} {
			serve(s, httptest.NewRequest(http.MethodGet, path, nil))
		}
		assert.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
			serve(s, httptest.NewRequest(http.MethodGet, "/abort", nil))
		})
		assert.Equal(t, intake.Ledger{Offered: 5, Accepted: 5, Done: 2, Failed: 3}, s.Gate().Ledger())
	})

	t.Run("ProbeIsAnsweredBeforeTheGate", func(t *testing.T) {
		t.Parallel()
		s := direct(t, server.Config{}, http.NotFound, server.WithProbe("/livez", http.HandlerFunc(hello)))
		s.Gate().Close()
		w := serve(s, httptest.NewRequest(http.MethodGet, "/livez", nil))
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "close", w.Header().Get("Connection"))
		assert.Zero(t, s.Gate().Ledger())
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()

	t.Run("Is500WhenNothingWasWrittenAndIsObserved", func(t *testing.T) {
		t.Parallel()
		var seen server.Panic
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			panic("on purpose")
		}), server.WithPanicObserver(func(p server.Panic) { seen = p }))
		c := dial(t, s)
		res, body := c.get(t, "/orders")
		assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
		assert.Equal(t, "Internal Server Error\n", body)
		require.NoError(t, stop(t, s))
		assert.Equal(t, "on purpose", seen.Value)
		assert.Contains(t, seen.Stack, "handler_test.go")
		assert.Equal(t, "/orders", seen.Request.Path)
	})

	t.Run("BreaksOffAReplyThatHasBegun", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("on purpose")
		}))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		_, err := io.ReadAll(c.open(t))
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "half a reply must not look whole")
	})

	t.Run("AfterHijackClosesTheConnection", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _, _ = http.NewResponseController(w).Hijack()
			panic("on purpose")
		}))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		c.gone(t)
	})

	t.Run("GoesToTheErrorLogWithoutAnObserver", func(t *testing.T) {
		t.Parallel()
		var out bytes.Buffer
		mux := http.NewServeMux()
		mux.HandleFunc("GET /orders/{id}", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
		s := direct(t, server.Config{}, mux.ServeHTTP,
			server.WithErrorLog(log.New(&out, "", 0)), server.WithRouter(mux), server.WithName("http:public"))
		serve(s, httptest.NewRequest(http.MethodGet, "/orders/17", nil))
		assert.Contains(t, out.String(), "http:public: panic serving GET /orders/{id} (")
		assert.Contains(t, out.String(), "on purpose")
		assert.Contains(t, out.String(), "goroutine")
	})
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	cfg := server.Config{MaxBodyBytes: 10}
	var read error
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, read = io.Copy(io.Discard, r.Body)
		var tooLarge *http.MaxBytesError
		if errors.As(read, &tooLarge) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}
	s := start(t, cfg, http.HandlerFunc(echo))

	t.Run("BodyWithinItIsRead", func(t *testing.T) {
		c := dial(t, s)
		c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n0123456789")
		res, _ := c.receive(t)
		assert.Equal(t, http.StatusOK, res.StatusCode)
		assert.False(t, res.Close)
	})

	t.Run("AnnouncedBodyAboveItIs413WithoutTheHandler", func(t *testing.T) {
		c := dial(t, s)
		c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n0123456789A")
		res, body := c.receive(t)
		assert.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
		assert.Equal(t, "request body too large: the limit is 10 bytes\n", body)
		assert.True(t, res.Close)
		assert.NoError(t, read, "left from the subtest before")
	})

	t.Run("UnannouncedBodyAboveItFailsTheRead", func(t *testing.T) {
		c := dial(t, s)
		c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789A\r\n0\r\n\r\n")
		res, _ := c.receive(t)
		assert.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
		assert.True(t, res.Close)
	})

	t.Run("NegativeIsOff", func(t *testing.T) {
		off := direct(t, server.Config{MaxBodyBytes: -1}, hello)
		w := serve(off, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", server.DefaultMaxBodyBytes+1))))
		assert.Equal(t, http.StatusOK, w.Code)
	})
}

func TestHeaderLimit(t *testing.T) {
	t.Parallel()
	s := start(t, server.Config{MaxHeaderBytes: 1000}, http.HandlerFunc(hello))
	c := dial(t, s)
	c.send(t, "GET / HTTP/1.1\r\nHost: test\r\nX-Large: "+strings.Repeat("x", 1000+4<<10)+"\r\n\r\n")
	res, _ := c.receive(t)
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, res.StatusCode)
}

// TestTimeouts runs on pipes in a bubble.
func TestTimeouts(t *testing.T) {
	t.Parallel()

	with := func(t *testing.T, cfg server.Config, h http.HandlerFunc, f func(*testing.T, *client)) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			s, err := server.New(cfg, h, quiet, server.WithListener(p))
			require.NoError(t, err)
			require.NoError(t, s.Start(t.Context()))
			f(t, p.dial(t))
			require.NoError(t, s.Stop(t.Context()))
		})
	}

	t.Run("ReadTimeoutDoesNotCancelAHandlerThatWorksLonger", func(t *testing.T) {
		slow := func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
			}
			assert.NoError(t, context.Cause(r.Context()))
		}
		with(t, server.Config{ReadTimeout: time.Second}, slow, func(t *testing.T, c *client) {
			c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nok")
			res, _ := c.receive(t)
			assert.Equal(t, http.StatusOK, res.StatusCode)
			res, _ = c.get(t, "/")
			assert.Equal(t, http.StatusOK, res.StatusCode)
		})
	})

	t.Run("ReadTimeoutEndsABodyThatDoesNotCome", func(t *testing.T) {
		var read error
		with(t, server.Config{ReadTimeout: time.Second}, func(_ http.ResponseWriter, r *http.Request) {
			_, read = io.Copy(io.Discard, r.Body)
		}, func(t *testing.T, c *client) {
			c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n")
			c.receive(t)
			assert.ErrorContains(t, read, "timeout")
		})
	})

	t.Run("WriteTimeoutSparesAStreamThatMoves", func(t *testing.T) {
		with(t, server.Config{WriteTimeout: time.Second}, func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				time.Sleep(900 * time.Millisecond)
				_, err := io.WriteString(w, "x")
				assert.NoError(t, err)
				assert.NoError(t, http.NewResponseController(w).Flush())
			}
		}, func(t *testing.T, c *client) {
			_, body := c.get(t, "/")
			assert.Len(t, body, 100)
		})
	})

	t.Run("WriteTimeoutCutsAClientThatTakesNothing", func(t *testing.T) {
		var took time.Duration
		with(t, server.Config{WriteTimeout: time.Second}, func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			_, err := w.Write(make([]byte, 1<<20))
			assert.Error(t, err)
			took = time.Since(start)
		}, func(t *testing.T, c *client) {
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			time.Sleep(time.Minute)
			synctest.Wait()
			assert.InDelta(t, 1.25, took.Seconds(), 0.1)
		})
	})

	t.Run("HandlersOwnWriteDeadlineIsKept", func(t *testing.T) {
		with(t, server.Config{WriteTimeout: time.Second}, func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(start.Add(time.Hour)))
			_, err := w.Write(make([]byte, 1<<20))
			assert.Error(t, err)
			assert.InDelta(t, 3600, time.Since(start).Seconds(), 0.1)
		}, func(t *testing.T, c *client) {
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			time.Sleep(2 * time.Hour)
		})
	})
}

// TestSlowHeaders holds 1,000 connections that send a header byte by byte, and
// good traffic beside them.
func TestSlowHeaders(t *testing.T) {
	t.Parallel()
	slow := 1000
	if testing.Short() {
		slow = 100
	}
	s := start(t, server.Config{ReadHeaderTimeout: 4 * time.Second}, http.HandlerFunc(hello))
	attackers := make([]*client, slow)
	for i := range attackers {
		attackers[i] = dial(t, s)
		attackers[i].send(t, "GET / HTTP/1.1\r\nX-")
	}
	good := dial(t, s)
	for range 50 {
		res, _ := good.get(t, "/")
		require.Equal(t, http.StatusOK, res.StatusCode)
	}
	for _, c := range attackers {
		c.gone(t)
	}
	require.Eventually(t, func() bool { c := s.Stats().Connections; return c.New+c.Active == 0 }, budget, time.Millisecond)
	res, _ := good.get(t, "/")
	assert.Equal(t, http.StatusOK, res.StatusCode)
	require.NoError(t, stop(t, s))
	assert.Equal(t, intake.Ledger{Offered: 51, Accepted: 51, Done: 51}, s.Gate().Ledger())
}

// TestReplyFromFile keeps the fast way for files, and its limits.
func TestReplyFromFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := bytes.Repeat([]byte("0123456789abcdef"), 3<<20/16+100) // above two pieces
	writeFile(t, dir+"/large", content)
	s := start(t, server.Config{}, http.FileServer(http.Dir(dir)))
	res, body := dial(t, s).get(t, "/large")
	assert.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, sha256.Sum256(content), sha256.Sum256([]byte(body)), "the file arrived whole")
}

func TestRequestInJSONIsReadable(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(server.Request{Method: "GET", Path: "/", Age: 1500 * time.Millisecond})
	require.NoError(t, err)
	require.JSONEq(t, `{"method": "GET", "path": "/", "age": "1.5s"}`, string(text))
}
