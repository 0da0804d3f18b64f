package server_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

// TestWriteTimeoutOverRequests is about the deadline that a connection keeps
// from one request to the next. It runs on pipes in a bubble.
func TestWriteTimeoutOverRequests(t *testing.T) {
	t.Parallel()

	with := func(t *testing.T, h http.HandlerFunc, f func(*testing.T, *client)) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			cfg := server.Config{WriteTimeout: time.Second, IdleTimeout: -1}
			s, err := server.New(cfg, h, quiet, server.WithListener(p))
			require.NoError(t, err)
			require.NoError(t, s.Start(t.Context()))
			f(t, p.dial(t))
			require.NoError(t, s.Stop(t.Context()))
		})
	}

	t.Run("SilenceBetweenRequestsDoesNotCount", func(t *testing.T) {
		with(t, hello, func(t *testing.T, c *client) {
			for range 10 {
				c.get(t, "/")
				time.Sleep(time.Hour)
			}
			// net/http itself writes first here.
			c.send(t, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
			res, err := http.ReadResponse(c.r, nil)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			assert.Equal(t, http.StatusContinue, res.StatusCode)
			c.send(t, "ok")
			last, _ := c.receive(t)
			assert.Equal(t, http.StatusOK, last.StatusCode)
			time.Sleep(time.Hour)
			c.send(t, "nonsense\r\n\r\n")
			bad, _ := c.receive(t)
			assert.Equal(t, http.StatusBadRequest, bad.StatusCode)
		})
	})

	t.Run("SlowHandlerHasItsTimeWhenItWrites", func(t *testing.T) {
		with(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "late") // sent when the handler has returned
		}, func(t *testing.T, c *client) {
			for range 3 {
				_, body := c.get(t, "/")
				assert.Equal(t, "late", body)
			}
		})
	})

	t.Run("HandlersOwnDeadlineEndsWithItsRequest", func(t *testing.T) {
		var took time.Duration
		with(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/own" {
				assert.NoError(t, http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)))
			}
			if r.URL.Path != "/large" {
				return
			}
			began := time.Now()
			_, err := w.Write(make([]byte, 1<<20))
			assert.Error(t, err)
			took = time.Since(began)
		}, func(t *testing.T, c *client) {
			c.get(t, "/")
			c.get(t, "/own")
			c.send(t, "GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
			time.Sleep(time.Minute)
			synctest.Wait()
			assert.InDelta(t, 1.25, took.Seconds(), 0.01)
		})
	})

	t.Run("HijackedConnectionIsItsOwners", func(t *testing.T) {
		with(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/hijack" {
				return
			}
			nc, _, err := http.NewResponseController(w).Hijack()
			if !assert.NoError(t, err) {
				return
			}
			_, err = io.WriteString(nc, "taken after an hour")
			assert.NoError(t, err)
			assert.NoError(t, nc.SetWriteDeadline(time.Now().Add(time.Minute)))
			assert.NoError(t, nc.SetWriteDeadline(time.Time{}), "and this one counts")
			_, err = io.WriteString(nc, "taken after another")
			assert.NoError(t, err)
			assert.NoError(t, nc.Close())
		}, func(t *testing.T, c *client) {
			c.get(t, "/")
			c.send(t, "GET /hijack HTTP/1.1\r\nHost: test\r\n\r\n")
			for _, want := range []string{"taken after an hour", "taken after another"} {
				time.Sleep(time.Hour)
				got := make([]byte, len(want))
				_, err := io.ReadFull(c, got)
				require.NoError(t, err)
				assert.Equal(t, want, string(got))
			}
		})
	})
}

// TestHandlersContext holds what package context promises of a context that
// ends with its request, whenever somebody first asks for the end.
func TestHandlersContext(t *testing.T) {
	t.Parallel()

	type key struct{}
	// run gives the context of a request to during, and returns it afterwards.
	run := func(parent context.Context, t *testing.T, during func(context.Context)) context.Context {
		t.Helper()
		var kept context.Context
		s := direct(t, server.Config{}, func(_ http.ResponseWriter, r *http.Request) {
			kept = r.Context()
			during(kept)
		})
		r, err := http.NewRequestWithContext(parent, http.MethodGet, "/", http.NoBody)
		require.NoError(t, err)
		serve(s, r)
		return kept
	}

	t.Run("ItHasTheValuesAndTheDeadlineOfItsParent", func(t *testing.T) {
		t.Parallel()
		parent, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "v"), time.Hour)
		defer cancel()
		for _, during := range []func(context.Context){
			func(context.Context) {},
			func(ctx context.Context) { ctx.Done() },
		} {
			run(parent, t, func(ctx context.Context) {
				during(ctx)
				assert.Equal(t, "v", ctx.Value(key{}))
				assert.NoError(t, ctx.Err())
				have, ok := ctx.Deadline()
				want, _ := parent.Deadline()
				assert.True(t, ok)
				assert.Equal(t, want, have)
			})
		}
	})

	t.Run("ItHasEndedAfterTheRequestWhetherOrNotSomebodyAsked", func(t *testing.T) {
		t.Parallel()
		for _, during := range []func(context.Context){
			func(context.Context) {},
			func(ctx context.Context) { ctx.Done() },
		} {
			kept := run(t.Context(), t, during)
			require.ErrorIs(t, kept.Err(), context.Canceled)
			<-kept.Done()
			require.ErrorIs(t, kept.Err(), context.Canceled)
			require.ErrorIs(t, context.Cause(kept), context.Canceled)
		}
	})

	t.Run("WhatWasMadeFromItEndsWithIt", func(t *testing.T) {
		t.Parallel()
		var child context.Context
		var cancel context.CancelFunc
		run(t.Context(), t, func(ctx context.Context) {
			child, cancel = context.WithTimeout(context.WithValue(ctx, key{}, "v"), time.Hour)
			assert.NoError(t, child.Err())
		})
		defer cancel()
		require.ErrorIs(t, child.Err(), context.Canceled, "at once, and not when some goroutine gets to it")
	})

	t.Run("TheEndOfItsParentIsItsOwn", func(t *testing.T) {
		t.Parallel()
		for _, ask := range []bool{false, true} {
			parent, cancel := context.WithCancelCause(t.Context())
			run(parent, t, func(ctx context.Context) {
				if ask {
					ctx.Done()
				}
				cancel(io.ErrClosedPipe)
				assert.ErrorIs(t, ctx.Err(), context.Canceled)
				<-ctx.Done()
				assert.ErrorIs(t, context.Cause(ctx), io.ErrClosedPipe)
			})
		}
	})

	t.Run("ToAskWhileItEndsIsNotToWaitForEver", func(t *testing.T) {
		t.Parallel()
		for range 500 {
			asked := make(chan struct{})
			run(t.Context(), t, func(ctx context.Context) {
				go func() {
					defer close(asked)
					<-ctx.Done()
				}()
			})
			<-asked
		}
	})
}
