package management_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/actuator/management"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "Kaffee-4711"

// health is what anybody may read.
func health(r *http.Request) bool { return r.URL.Path == "/health" }

// start serves h on a free loopback port and at a socket until the test ends.
func start(t *testing.T, h http.Handler, cfg management.Config, opts ...management.Option) (srv *management.Server, socket string) {
	t.Helper()
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	cfg.Socket = filepath.Join(shortDir(t), "m.sock")
	srv, err := management.New(cfg, h, append(opts, management.WithOpen(health))...)
	require.NoError(t, err)
	require.NoError(t, srv.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, srv.Stop(context.Background())) })
	return srv, cfg.Socket
}

// shortDir is a directory whose name fits into the address of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "m") //nolint:usetesting // that of the test is too long
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// answer is a response whose body has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

func read(t *testing.T, resp *http.Response) answer {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// line is a connection on which one asks as it is written.
type line struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, network, addr string) line {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), network, addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return line{conn, bufio.NewReader(conn)}
}

func (l line) ask(t *testing.T, req *http.Request) answer {
	t.Helper()
	return read(t, l.begin(t, req)) //nolint:bodyclose // read does
}

// begin returns when the head of the answer is there.
func (l line) begin(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	require.NoError(t, req.Write(l))
	resp, err := http.ReadResponse(l.reader, req)
	require.NoError(t, err)
	return resp
}

func request(t *testing.T, method, path string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, http.NoBody)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}
