package control_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal/control"
)

// pipe is a listener with one connection, which needs no network.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipe() (ln *pipe, client net.Conn) {
	client, server := net.Pipe()
	ln = &pipe{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	ln.conns <- server
	return ln, client
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error { close(p.closed); return nil }

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// TestServeWaits runs in bubbles, where the half seconds are exact.
func TestServeWaits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after time.Duration // the handler ends, counted from the end of its context
		want  time.Duration // so much later Serve returns
		err   string
	}{
		{"ForAnAnswerThatIsBeingWritten", 400 * time.Millisecond, 400 * time.Millisecond, ""},
		{"ForARequestThatEndsLateThoughItsConnectionWasCut", 900 * time.Millisecond, 900 * time.Millisecond, ""},
		{"ButNotForOneThatDoesNotEnd", time.Hour, time.Second, "a request does not end though its context has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ln, client := newPipe()
				ctx, stop := context.WithCancel(t.Context())
				var stopped time.Time
				ended := make(chan struct{})
				serving := make(chan error, 1)
				go func() {
					serving <- control.Serve(ctx, ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						defer close(ended)
						stopped = time.Now()
						stop()
						<-r.Context().Done()
						time.Sleep(tt.after)
					}))
				}()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: lastcall\r\n\r\n")
				require.NoError(t, err)
				err = <-serving
				if tt.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, tt.err)
				}
				took := time.Since(stopped)
				assert.GreaterOrEqual(t, took, tt.want)
				assert.Less(t, took, tt.want+500*time.Millisecond, "net/http looks now and then whether all are idle")
				<-ended
			})
		})
	}
}
