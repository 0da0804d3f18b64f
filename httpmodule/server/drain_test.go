package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/intake"
)

// TestDrainInTime runs on pipes in a bubble, where times are exact.
func TestDrainInTime(t *testing.T) {
	t.Parallel()

	// bubble starts a server on pipes; f may stop it.
	bubble := func(t *testing.T, cfg server.Config, h http.Handler, f func(*testing.T, *server.Server, *pipes), opts ...server.Option) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			s, err := server.New(cfg, h, append([]server.Option{quiet, server.WithListener(p)}, opts...)...)
			require.NoError(t, err)
			require.NoError(t, s.Start(t.Context()))
			f(t, s, p)
			require.NoError(t, context.Cause(t.Context()))
			_ = s.Stop(t.Context())
		})
	}
	idle := server.Config{Drain: server.Drain{IdleGrace: 3 * time.Second}}

	t.Run("SilentKeepAliveConnectionIsClosedAfterItsGrace", func(t *testing.T) {
		t.Parallel()
		bubble(t, idle, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			c.get(t, "/")
			synctest.Wait()
			began := time.Now()
			require.NoError(t, s.Stop(t.Context()))
			assert.InDelta(t, 3, time.Since(began).Seconds(), 0.1)
			assert.Equal(t, 1, s.Stats().Drained.Silent)
			c.gone(t)
		})
	})

	t.Run("StopBudgetBoundsItWithinItsContext", func(t *testing.T) {
		t.Parallel()
		hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		cfg := server.Config{StopBudget: 2 * time.Second}
		bubble(t, cfg, hangs, func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			c.send(t, "GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
			synctest.Wait()
			began := time.Now()
			err := s.Stop(context.Background())
			var cut *server.StopError
			require.ErrorAs(t, err, &cut)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Len(t, cut.Cut, 1)
			assert.InDelta(t, 2, time.Since(began).Seconds(), 0.1)
		})
	})

	t.Run("RequestWithinTheGraceIsServedAndSentAway", func(t *testing.T) {
		t.Parallel()
		bubble(t, idle, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			res, _ := c.get(t, "/")
			require.False(t, res.Close)
			began := time.Now()
			stopped := make(chan error, 1)
			go func() { stopped <- s.Stop(t.Context()) }()
			time.Sleep(2 * time.Second)
			res, body := c.get(t, "/")
			assert.Equal(t, http.StatusOK, res.StatusCode)
			assert.Equal(t, "hello", body)
			assert.True(t, res.Close, "the reply says Connection: close")
			require.NoError(t, <-stopped)
			assert.InDelta(t, 2, time.Since(began).Seconds(), 0.1, "and the stop has nothing more to wait for")
		})
	})

	t.Run("RequestThatArrivesInPiecesIsNotSilent", func(t *testing.T) {
		t.Parallel()
		bubble(t, idle, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			c.get(t, "/")
			stopped := make(chan error, 1)
			go func() { stopped <- s.Stop(t.Context()) }()
			time.Sleep(2 * time.Second)
			c.send(t, "GET / HTTP/1.1\r\n")
			time.Sleep(2 * time.Second)
			c.send(t, "Host: test\r\n\r\n")
			res, _ := c.receive(t)
			assert.Equal(t, http.StatusOK, res.StatusCode)
			require.NoError(t, <-stopped)
		})
	})

	t.Run("ConnectionThatNeverSentAByteIsClosedSoon", func(t *testing.T) {
		t.Parallel()
		cfg := server.Config{Drain: server.Drain{IdleGrace: time.Minute}}
		bubble(t, cfg, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			synctest.Wait()
			began := time.Now()
			require.NoError(t, s.Stop(t.Context()))
			assert.Less(t, time.Since(began), time.Second)
			c.gone(t)
		})
	})

	t.Run("ServesAsBeforeDuringTheDelayAndIsNotReady", func(t *testing.T) {
		t.Parallel()
		var ready []bool
		cfg := server.Config{Drain: server.Drain{Delay: 10 * time.Second}}
		bubble(t, cfg, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			assert.Equal(t, []bool{true}, ready)
			began := time.Now()
			stopped := make(chan error, 1)
			go func() { stopped <- s.Stop(t.Context()) }()
			time.Sleep(9 * time.Second)
			synctest.Wait()
			assert.Equal(t, []bool{true, false}, ready)
			res, _ := p.dial(t).get(t, "/")
			assert.False(t, res.Close, "new connections are accepted and kept")
			require.NoError(t, <-stopped)
			assert.Greater(t, time.Since(began), 10*time.Second)
		}, server.WithReadiness(func(now bool) { ready = append(ready, now) }))
	})

	t.Run("GracesTakeNoMoreThanHalfOfWhatIsLeft", func(t *testing.T) {
		t.Parallel()
		cfg := server.Config{Drain: server.Drain{Delay: time.Hour, IdleGrace: time.Hour}}
		bubble(t, cfg, http.HandlerFunc(hello), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			c.get(t, "/")
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			began := time.Now()
			require.NoError(t, s.Stop(ctx))
			assert.InDelta(t, 6, time.Since(began).Seconds(), 0.1, "4 s of delay, then 2 s of silence")
		})
	})

	t.Run("RequestAtTheDeadlineIsCancelledAndNamed", func(t *testing.T) {
		t.Parallel()
		var cause error
		mux := http.NewServeMux()
		mux.HandleFunc("POST /orders/{id}", func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			cause = context.Cause(r.Context())
		})
		bubble(t, server.Config{}, mux, func(t *testing.T, s *server.Server, p *pipes) {
			p.dial(t).send(t, "POST /orders/17 HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n")
			time.Sleep(2 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			err := s.Stop(ctx)
			assert.InDelta(t, 10, time.Since(began).Seconds(), 0.1)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.EqualError(t, err, "http: stop: context deadline exceeded: 1 request was cut: POST /orders/{id} (running for 12s)")
			var cut *server.StopError
			require.ErrorAs(t, err, &cut)
			assert.Equal(t, "/orders/17", cut.Cut[0].Path)
			assert.ErrorIs(t, cause, server.ErrCut)
		})
	})

	t.Run("HandlerThatIgnoresItsContextIsCutOffAndFailed", func(t *testing.T) {
		t.Parallel()
		end := make(chan struct{})
		deaf := func(http.ResponseWriter, *http.Request) { <-end }
		synctest.Test(t, func(t *testing.T) {
			end = make(chan struct{})
			p := newPipes()
			s, err := server.New(server.Config{}, http.HandlerFunc(deaf), quiet, server.WithListener(p))
			require.NoError(t, err)
			require.NoError(t, s.Start(t.Context()))
			c := p.dial(t)
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			require.Error(t, s.Stop(ctx))
			assert.Less(t, time.Since(began), time.Second+100*time.Millisecond)
			c.gone(t)
			assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Failed: 1}, s.Gate().Ledger())
			close(end)
			synctest.Wait()
			assert.Equal(t, intake.Ledger{Offered: 1, Accepted: 1, Failed: 1}, s.Gate().Ledger(), "its return changes nothing")
		})
	})

	t.Run("SlowHandlerIsWaitedForHoweverLong", func(t *testing.T) {
		t.Parallel()
		slow := func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			_, _ = io.WriteString(w, "at last")
		}
		bubble(t, server.Config{}, http.HandlerFunc(slow), func(t *testing.T, s *server.Server, p *pipes) {
			c := p.dial(t)
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			synctest.Wait()
			go func() { _ = s.Stop(t.Context()) }()
			res, body := c.receive(t)
			assert.Equal(t, "at last", body)
			assert.True(t, res.Close, "the reply begun before the drain sends the client away too")
		})
	})
}

// TestDrain runs on real sockets.
func TestDrain(t *testing.T) {
	t.Parallel()

	// swift asserts that a stop was not held: an eighth of its budget is more
	// than all graces together and far less than the wait for a deadline.
	swift := func(t *testing.T, s *server.Server) {
		t.Helper()
		began := time.Now()
		require.NoError(t, stop(t, s))
		assert.Less(t, time.Since(began), budget/8)
	}

	t.Run("OpenStreamDoesNotHoldTheStop", func(t *testing.T) {
		t.Parallel()
		var cause error
		events := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // a handler that knows nothing of us
			cause = context.Cause(r.Context())
		}
		s := start(t, server.Config{}, http.HandlerFunc(events))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		c.open(t)
		swift(t, s)
		require.ErrorIs(t, cause, server.ErrDraining)
		assert.Equal(t, 1, s.Stats().Drained.Streams)
		assert.EqualValues(t, 1, s.Gate().Ledger().Done, "a stream that was told to end is done")
	})

	t.Run("StreamThatWatchesIsToldAndEndsByItself", func(t *testing.T) {
		t.Parallel()
		watch := func(w http.ResponseWriter, r *http.Request) {
			draining := server.Endless(r.Context())
			_ = http.NewResponseController(w).Flush()
			<-draining
			_, _ = io.WriteString(w, "goodbye")
		}
		s := start(t, server.Config{Drain: server.Drain{StreamGrace: budget}}, http.HandlerFunc(watch))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		reply := c.open(t)
		require.True(t, s.Stats().Requests[0].Endless)
		swift(t, s)
		body, err := io.ReadAll(reply)
		require.NoError(t, err, "the reply is whole")
		assert.Equal(t, "goodbye", string(body))
		assert.Zero(t, s.Stats().Drained.Streams)
	})

	t.Run("StreamThatOnlyWritesIsDisconnected", func(t *testing.T) {
		t.Parallel()
		for _, h2c := range []bool{false, true} {
			t.Run(fmt.Sprintf("h2c=%v", h2c), func(t *testing.T) {
				t.Parallel()
				tick := make(chan time.Time)
				chatter := func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/event-stream")
					for range tick {
						if _, err := io.WriteString(w, "data: tick\n\n"); err != nil {
							return
						}
						if err := http.NewResponseController(w).Flush(); err != nil {
							return
						}
					}
				}
				s := start(t, server.Config{H2C: true}, http.HandlerFunc(chatter))
				transport := transport(t, h2c)
				req, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String(), nil)
				require.NoError(t, err)
				ended := make(chan struct{})
				defer close(ended)
				go func() {
					beat := time.NewTicker(5 * time.Millisecond)
					defer beat.Stop()
					defer close(tick)
					for {
						select {
						case tick <- <-beat.C:
						case <-ended:
							return
						}
					}
				}()
				res, err := transport.RoundTrip(req)
				require.NoError(t, err)
				defer func() { _ = res.Body.Close() }()
				go func() { _, _ = io.Copy(io.Discard, res.Body) }()
				swift(t, s)
				assert.Equal(t, 1, s.Stats().Drained.Streams)
			})
		}
	})

	t.Run("PreconnectDoesNotHoldTheStop", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(hello))
		c := dial(t, s)
		require.Eventually(t, func() bool { return s.Stats().Connections.New == 1 }, budget, time.Millisecond)
		swift(t, s)
		c.gone(t)
	})

	t.Run("HijackedConnectionIsToldThenClosed", func(t *testing.T) {
		t.Parallel()
		told := make(chan struct{})
		take := func(w http.ResponseWriter, r *http.Request) {
			nc, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			draining := server.Draining(r.Context())
			go func() { // as a websocket library does
				defer close(told)
				<-draining
				_, _ = io.Copy(io.Discard, nc) // and does not go
			}()
		}
		s := start(t, server.Config{}, http.HandlerFunc(take))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		require.Eventually(t, func() bool { return s.Stats().Connections.Hijacked == 1 }, budget, time.Millisecond)
		swift(t, s)
		<-told
		c.gone(t)
		assert.Equal(t, 1, s.Stats().Drained.Hijacked)
	})

	t.Run("HijackedConnectionThatItsOwnerClosesIsForgotten", func(t *testing.T) {
		t.Parallel()
		closed := make(chan struct{})
		take := func(w http.ResponseWriter, _ *http.Request) {
			defer close(closed)
			if nc, _, err := w.(http.Hijacker).Hijack(); err == nil {
				_ = nc.Close()
			}
		}
		s := start(t, server.Config{}, http.HandlerFunc(take))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		c.gone(t)
		<-closed // the client hears of it before Close has returned
		assert.Zero(t, s.Stats().Connections)
	})

	t.Run("HTTP2ConnectionGetsAGoAway", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{H2C: true}, http.HandlerFunc(hello))
		transport := transport(t, true)
		get := func() (proto int, err error) {
			req, err := http.NewRequest(http.MethodGet, "http://"+s.Addr().String(), nil)
			require.NoError(t, err)
			res, err := transport.RoundTrip(req)
			if err != nil {
				return 0, err
			}
			return res.ProtoMajor, res.Body.Close()
		}
		proto, err := get()
		require.NoError(t, err)
		require.Equal(t, 2, proto)
		require.Equal(t, 1, s.Stats().Connections.HTTP2)
		swift(t, s)
		_, err = get()
		require.Error(t, err, "the client was sent away and found nobody at the door")
		assert.EqualValues(t, 1, s.Gate().Ledger().Done)
	})
}

func transport(t *testing.T, h2c bool) *http.Transport {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetHTTP1(!h2c)
	tr.Protocols.SetUnencryptedHTTP2(h2c)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}
