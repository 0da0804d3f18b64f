package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

// storm restarts a server under keep-alive connections that POST all the time.
type storm struct {
	clients, restarts int
	h2c               bool
	// generation serves on ln and returns how to stop.
	generation func(t *testing.T, ln net.Listener) (stop func(context.Context) error)
}

type damage struct {
	requests, failed int64
	example          error
	took             time.Duration
}

// TestRestartStorm is the promise of the package: 64 connections, each POSTing
// every 20 ms with a client that never retries, 50 restarts on one shared
// socket, and no request fails. Plain Shutdown is measured beside it.
func TestRestartStorm(t *testing.T) {
	s := storm{clients: 64, restarts: 50}
	if testing.Short() {
		s.restarts = 10
	}

	s.generation = plain
	was := s.run(t)
	t.Logf("plain Shutdown: %6d requests, %d restarts, %3d failed (%.2f per restart), %s, for example: %v",
		was.requests, s.restarts, was.failed, float64(was.failed)/float64(s.restarts), was.took.Round(time.Millisecond), was.example)

	s.generation = ours
	is := s.run(t)
	t.Logf("lastcall:       %6d requests, %d restarts, %3d failed, %s", is.requests, s.restarts, is.failed, is.took.Round(time.Millisecond))
	assert.Zero(t, is.failed, "for example: %v", is.example)
}

// TestRestartStormHTTP2 does the same on HTTP/2, where the GOAWAY tells the
// client what to send again. These clients can rewind their bodies, because a
// request that crosses a GOAWAY must be sent again by whoever sent it.
func TestRestartStormHTTP2(t *testing.T) {
	s := storm{clients: 16, restarts: 5, h2c: true, generation: ours}
	is := s.run(t)
	t.Logf("lastcall, h2c: %d requests, %d restarts, %d failed", is.requests, s.restarts, is.failed)
	assert.Zero(t, is.failed, "for example: %v", is.example)
}

func (s storm) run(t *testing.T) damage {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = socket.Close() }()

	began := time.Now()
	stop := s.generation(t, share(t, socket))
	var requests, failed atomic.Int64
	var example atomic.Pointer[error]
	ended := make(chan struct{})

	transport := &http.Transport{MaxIdleConnsPerHost: s.clients, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!s.h2c)
	transport.Protocols.SetUnencryptedHTTP2(s.h2c)
	var clients sync.WaitGroup
	for range s.clients {
		clients.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for {
				select {
				case <-ended:
					return
				case <-pace.C:
				}
				if err := s.post(transport, "http://"+socket.Addr().String()); err != nil {
					failed.Add(1)
					example.Store(&err)
				}
				requests.Add(1)
			}
		})
	}

	for range s.restarts {
		// Each connection is in use before the next restart.
		target := requests.Load() + int64(2*s.clients)
		require.Eventually(t, func() bool { return requests.Load() >= target }, budget, time.Millisecond)
		successor := s.generation(t, share(t, socket))
		ctx, cancel := context.WithTimeout(t.Context(), budget)
		require.NoError(t, stop(ctx))
		cancel()
		stop = successor
	}
	close(ended)
	clients.Wait()
	transport.CloseIdleConnections()
	require.NoError(t, stop(t.Context()))

	d := damage{requests: requests.Load(), failed: failed.Load(), took: time.Since(began)}
	if err := example.Load(); err != nil {
		d.example = *err
	}
	return d
}

// post never retries on HTTP/1: net/http does so only with a body that it can
// rewind.
func (s storm) post(transport http.RoundTripper, url string) error {
	const text = "to be accepted once"
	body := io.Reader(strings.NewReader(text))
	if !s.h2c {
		body = struct{ io.Reader }{body}
	}
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(text))
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// share is a copy of the socket, as the next process would inherit it.
func share(t *testing.T, socket net.Listener) net.Listener {
	t.Helper()
	f, err := socket.(*net.TCPListener).File()
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	ln, err := net.FileListener(f)
	require.NoError(t, err)
	return ln
}

func ours(t *testing.T, ln net.Listener) func(context.Context) error {
	s, err := server.New(server.Config{H2C: true}, http.HandlerFunc(hello), server.WithListener(ln))
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	return func(ctx context.Context) error {
		err := s.Stop(ctx)
		l := s.Gate().Ledger()
		assert.True(t, l.Balanced() && l.Inside == 0 && l.Rejected == 0 && l.Failed == 0, "%s", l)
		return err
	}
}

func plain(_ *testing.T, ln net.Listener) func(context.Context) error {
	s := &http.Server{Handler: http.HandlerFunc(hello)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(ln)
	}()
	return func(ctx context.Context) error {
		defer func() { <-served }()
		return s.Shutdown(ctx)
	}
}
