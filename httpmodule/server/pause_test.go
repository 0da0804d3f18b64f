package server_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/intake"
)

// TestPause runs on real sockets.
func TestPause(t *testing.T) {
	t.Parallel()

	t.Run("SendsRequestsAwayAndServesThemAgainAfterwards", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(hello))
		silent := dial(t, s)
		_, body := silent.get(t, "/")
		assert.Equal(t, "hello", body)
		for range 3 {
			resume := s.Gate().Pause()
			c := dial(t, s)
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			res, err := http.ReadResponse(c.r, nil)
			require.NoError(t, err, "the listener is open")
			assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
			assert.Equal(t, "1", res.Header.Get("Retry-After"))
			assert.True(t, res.Close)
			require.NoError(t, res.Body.Close())
			c.gone(t)

			resume()
			for _, again := range []*client{silent, dial(t, s)} {
				res, body := again.get(t, "/")
				assert.Equal(t, http.StatusOK, res.StatusCode)
				assert.Equal(t, "hello", body)
				assert.False(t, res.Close, "it may stay")
			}
		}
		require.NoError(t, stop(t, s))
		assert.Equal(t, intake.Ledger{Offered: 10, Accepted: 7, Rejected: 3, Done: 7}, s.Gate().Ledger())
	})

	t.Run("RequestInFlightEndsAndItsClientGoes", func(t *testing.T) {
		t.Parallel()
		entered, leave := make(chan struct{}), make(chan struct{})
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-leave
			_, _ = io.WriteString(w, "at last")
		}))
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		<-entered
		defer s.Gate().Pause()()
		close(leave)
		res, body := c.receive(t)
		assert.Equal(t, "at last", body)
		assert.True(t, res.Close)
		require.NoError(t, stop(t, s))
		assert.EqualValues(t, 1, s.Gate().Ledger().Done)
	})

	t.Run("EachPauseTellsTheStreamsThatItFinds", func(t *testing.T) {
		t.Parallel()
		var told atomic.Int64
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			draining := server.Endless(r.Context())
			_ = http.NewResponseController(w).Flush()
			select {
			case <-draining:
				told.Add(1)
			case <-r.Context().Done():
			}
			_, _ = io.WriteString(w, "goodbye")
		}))
		for n := range 3 {
			c := dial(t, s)
			c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
			stream := c.open(t)
			assert.EqualValues(t, n, told.Load(), "it goes on")
			resume := s.Gate().Pause()
			end, err := io.ReadAll(stream)
			require.NoError(t, err)
			assert.Equal(t, "goodbye", string(end))
			resume()
		}
		assert.EqualValues(t, 3, told.Load())
	})

	t.Run("ServerThatIsPausedStopsAndIsNotOpenedAgain", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(hello))
		resume := s.Gate().Pause()
		require.NoError(t, stop(t, s))
		resume()
		assert.Equal(t, intake.Closed, s.Gate().State())
	})

	t.Run("StopTellsStreamsThatCameAfterAPause", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			draining := server.Endless(r.Context())
			_ = http.NewResponseController(w).Flush()
			<-draining
		}))
		s.Gate().Pause()()
		c := dial(t, s)
		c.send(t, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		c.open(t)
		require.NoError(t, stop(t, s))
		assert.Zero(t, s.Stats().Drained.Streams, "none had to be cancelled")
	})
}
