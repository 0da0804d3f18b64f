package modules_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// sample is a service with one of everything that we have.
type sample struct {
	app       *app.App
	conductor *lifecycle.Conductor
	act       *actuator.Actuator
	srv       *management.Server
	texts     *pool.Lane[string]
	notes     *batch.Batcher[string]
	log       *observer.ObservedLogs
	held      chan struct{} // closed: what is held goes on
}

var errUndeliverable = errors.New("undeliverable")

// newSample is a service that is not started. Its lane "texts" fails at items
// that begin with "fail", and keeps those that begin with "hold" until held is
// closed.
func newSample(t *testing.T, dir, file string, environ, args []string, opts ...fx.Option) *sample {
	t.Helper()
	s := &sample{held: make(chan struct{})}
	core, seen := observer.New(zapcore.DebugLevel)
	s.log = seen
	file += fmt.Sprintf("\njournal: {dir: %s}\nhttp: {addr: '127.0.0.1:0'}\nlifecycle: {receipt_file: %s}\n",
		filepath.Join(dir, "journal"), filepath.Join(dir, "receipt.json"))
	s.app = app.New(append(opts, s.service(), sources(file, append([]string{"LASTCALL_MANAGEMENT_ADDRESS=127.0.0.1:0"}, environ...), args...),
		fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }))...)
	require.NoError(t, s.app.Err())
	return s
}

// service is the sample without its sources.
func (s *sample) service() fx.Option {
	return fx.Options(
		modules.Default(),
		poolmodule.Provide("sms", pool.Config{Workers: 4, Queue: 4096}),
		poolmodule.Lane[string]("texts", "sms", s.deliver),
		batchmodule.Provide[string]("notes", func(context.Context, []string) error { return nil }, batch.Config{MaxItems: 10, Linger: time.Millisecond}),
		httpmodule.Handle("POST /notify/{text}", newFront),
		fx.Populate(&s.conductor, &s.act, &s.srv, &s.texts, &s.notes),
	)
}

func (s *sample) deliver(ctx context.Context, text string) error {
	switch {
	case strings.HasPrefix(text, "hold"):
		select {
		case <-s.held:
		case <-ctx.Done():
			return ctx.Err()
		}
	case strings.HasPrefix(text, "fail"):
		return fmt.Errorf("%w: %s", errUndeliverable, text)
	}
	return nil
}

// start starts it until the test ends.
func (s *sample) start(t *testing.T) *sample {
	t.Helper()
	require.NoError(t, s.app.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { s.stop(t) })
	return s
}

func (s *sample) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.app.StopTimeout())
	defer cancel()
	select {
	case <-s.held:
	default:
		close(s.held)
	}
	require.NoError(t, s.app.Stop(ctx))
}

// exchanged is an answer of the management server.
type exchanged struct {
	status int
	header http.Header
	body   []byte
}

// exchange asks the management server; header lines are names and values in
// turn. Of what is endless it reads what comes first.
func (s *sample) exchange(t *testing.T, method, target string, header ...string) exchanged {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.srv.Addr().String()+target, http.NoBody)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }() // it may have been cut
	answer := exchanged{status: resp.StatusCode, header: resp.Header}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		first := make([]byte, 64<<10)
		n, err := io.ReadAtLeast(resp.Body, first, 1)
		require.NoError(t, err)
		answer.body = first[:n]
		return answer
	}
	answer.body, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer
}
