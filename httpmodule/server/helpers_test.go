package server_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// budget is what a stop may take in tests on real sockets. Tests compare with
// parts of it and never with times of their own.
const budget = 2 * time.Minute

var quiet = server.WithErrorLog(log.New(io.Discard, "", 0))

// start runs a server on a free loopback port, or on the listener among opts,
// and stops it with the test.
func start(t *testing.T, cfg server.Config, h http.Handler, opts ...server.Option) *server.Server {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	s, err := server.New(cfg, h, append([]server.Option{quiet}, opts...)...)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() { _ = stop(t, s) })
	return s
}

// stop gives the whole budget; a server that has stopped returns at once.
func stop(t *testing.T, s *server.Server) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), budget)
	defer cancel()
	return s.Stop(ctx)
}

// client is a raw HTTP/1.1 client on one connection, which retries nothing.
type client struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, s *server.Server) *client {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	return newClient(t, c)
}

func newClient(t *testing.T, c net.Conn) *client {
	t.Cleanup(func() { _ = c.Close() })
	return &client{Conn: c, r: bufio.NewReader(c)}
}

func (c *client) send(t *testing.T, request string) {
	t.Helper()
	_, err := io.WriteString(c, request)
	require.NoError(t, err)
}

// reply is what tests ask of a response.
type reply struct {
	StatusCode int
	Close      bool
}

func (c *client) receive(t *testing.T) (reply, string) {
	t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return reply{StatusCode: res.StatusCode, Close: res.Close}, string(body)
}

// open reads the header of a reply alone; the body is still to come.
func (c *client) open(t *testing.T) io.Reader {
	t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.Body
}

func (c *client) get(t *testing.T, path string) (reply, string) {
	t.Helper()
	c.send(t, "GET "+path+" HTTP/1.1\r\nHost: test\r\n\r\n")
	return c.receive(t)
}

// gone waits until the server has closed the connection.
func (c *client) gone(t *testing.T) {
	t.Helper()
	_, err := io.Copy(io.Discard, c.r)
	if err != nil {
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	}
}

// pipes is a listener without a network, for tests in a synctest bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (p *pipes) dial(t *testing.T) *client {
	t.Helper()
	here, there := net.Pipe()
	p.conns <- there
	return newClient(t, here)
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "pipe"} }

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, "hello")
}
