package management_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/management"
)

// TestAsItIsWritten: requests that no client of Go would send.
func TestAsItIsWritten(t *testing.T) {
	t.Parallel()
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	srv, _ := start(t, reached, management.Config{Token: func() string { return token }})
	const local = "localhost:9988"
	for _, tt := range []struct {
		name string
		give string // lines; the last is followed by an empty one
		want int    // 0: the connection is closed without an answer
	}{
		{"Plain", "GET /health HTTP/1.1\nHost: " + local, 204},
		{"OldWithoutAHost", "GET /health HTTP/1.0", 403},
		{"OldWithAHost", "GET /env HTTP/1.0\nHost: " + local, 204},
		{"OldWithAnotherHost", "GET /health HTTP/1.0\nHost: evil.example", 403},
		{"NoHost", "GET /health HTTP/1.1", 400},
		{"TwoHosts", "GET /health HTTP/1.1\nHost: " + local + "\nHost: evil.example", 400},
		{"HostAfterASpace", "GET /health HTTP/1.1\nHost : evil.example\nHost: " + local, 400},
		{"HostWithALineEnd", "GET /health HTTP/1.1\nHost: evil.example\rlocalhost", 400},
		{"TargetWithAnotherHost", "GET http://evil.example/health HTTP/1.1\nHost: " + local, 403},
		{"TargetWithOurHost", "GET http://" + local + "/health HTTP/1.1\nHost: evil.example", 204}, // the target counts, and no page can write one
		{"TargetWithAUser", "GET http://" + local + "@evil.example/health HTTP/1.1\nHost: " + local, 403},
		{"EverythingThereIs", "OPTIONS * HTTP/1.1\nHost: evil.example", 403},
		{"Tunnel", "CONNECT evil.example:443 HTTP/1.1\nHost: evil.example:443", 403},
		{"TunnelToUs", "CONNECT " + local + " HTTP/1.1\nHost: " + local + "\nX-Forwarded-For: 192.0.2.1", 401},
		{"ForwardedHost", "GET /health HTTP/1.1\nHost: evil.example\nX-Forwarded-Host: " + local, 403},
		{"ForwardedByOurselves", "GET /env HTTP/1.1\nHost: " + local + "\nX-Forwarded-For: 127.0.0.1", 401},
		{"ForwardedAsTheStandardSays", "GET /env HTTP/1.1\nHost: " + local + "\nForwarded: for=127.0.0.1;host=localhost", 401},
		{"ForwardedEmpty", "GET /env HTTP/1.1\nHost: " + local + "\nX-Forwarded-For:", 401},
		{"ForwardedForHealth", "GET /health HTTP/1.1\nHost: " + local + "\nX-Forwarded-For: 192.0.2.1", 204},
		{"RealIP", "GET /env HTTP/1.1\nHost: " + local + "\nX-Real-IP: ::1", 401},
		{"MethodOverridden", "GET /health HTTP/1.1\nHost: " + local + "\nX-HTTP-Method-Override: DELETE\nX-Forwarded-For: 192.0.2.1", 204},
		{"HTTP2WithoutTLS", "PRI * HTTP/2.0\n\nSM", 403}, // taken for a request without a host
		{"UpgradeToHTTP2", "GET /health HTTP/1.1\nHost: " + local + "\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__", 204},
		{"LengthsThatDisagree", "POST /x HTTP/1.1\nHost: " + local + "\nContent-Length: 1\nContent-Length: 2", 400},
		{"LengthAndChunks", "POST /x HTTP/1.1\nHost: " + local + "\nContent-Length: 1\nTransfer-Encoding: chunked, identity", 501},
		{"UnknownMethod", "BREW /env HTTP/1.1\nHost: " + local, 204}, // it is the handler's to refuse
		{"UnknownMethodFromElsewhere", "BREW /health HTTP/1.1\nHost: " + local + "\nX-Forwarded-For: 192.0.2.1", 401},
		{"NoHTTP", "hello", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, "tcp", srv.Addr().String())
			require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			_, err := io.WriteString(conn, strings.ReplaceAll(tt.give, "\n", "\r\n")+"\r\n\r\n")
			require.NoError(t, err)
			line, err := conn.reader.ReadString('\n')
			require.NoError(t, err)
			var major, minor, status int
			_, err = fmt.Sscanf(line, "HTTP/%d.%d %d", &major, &minor, &status)
			require.NoError(t, err, line)
			assert.Equal(t, tt.want, status)
			assert.Equal(t, 1, major)
		})
	}
}

// TestSlowRequestsAreCut: who says a letter now and then is not waited for.
func TestSlowRequestsAreCut(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		head, slow string
		after      time.Duration
	}{
		"Header": {"GET / HTTP/1.1\r\nHost: localhost\r\n", "X-Slow: " + strings.Repeat("x", 1000), 5 * time.Second},
		"Body":   {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", strings.Repeat("x", 1000), 30 * time.Second},
		"Silent": {"", "", 5 * time.Second},
		"Idle":   {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, nil)
				require.NoError(t, err)
				management.SetHandler(srv, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						w.WriteHeader(http.StatusRequestTimeout)
					}
				}))
				management.ServeOne(srv, server)
				began := time.Now()
				var writing sync.WaitGroup
				writing.Go(func() {
					if _, err := io.WriteString(client, tt.head); err != nil {
						return
					}
					for _, letter := range []byte(tt.slow) {
						if _, err := client.Write([]byte{letter}); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				_, _ = io.Copy(io.Discard, bufio.NewReader(client)) // until it is cut
				assert.LessOrEqual(t, time.Since(began), tt.after+time.Second)
				require.NoError(t, client.Close())
				writing.Wait()
				require.NoError(t, srv.Stop(t.Context()))
			})
		})
	}
}
