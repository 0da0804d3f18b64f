package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/intake"
)

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("TakenPortFailsAndSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		first := start(t, server.Config{}, http.HandlerFunc(hello))
		second, err := server.New(server.Config{Addr: first.Addr().String()}, nil)
		require.NoError(t, err)
		err = second.Start(t.Context())
		require.ErrorContains(t, err, "listen on "+first.Addr().String())
		require.ErrorContains(t, err, "set http.addr")
		require.NoError(t, stop(t, second))
	})

	t.Run("Twice", func(t *testing.T) {
		t.Parallel()
		s := start(t, server.Config{}, http.HandlerFunc(hello))
		require.ErrorIs(t, s.Start(t.Context()), server.ErrStarted)
		require.NoError(t, stop(t, s))
		require.ErrorIs(t, s.Start(t.Context()), server.ErrStopped)
	})

	t.Run("MissingCertificateFailsAndClosesTheListener", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s, err := server.New(server.Config{TLS: server.TLS{CertFile: "no.pem", KeyFile: "no.key"}}, nil, server.WithListener(ln))
		require.NoError(t, err)
		require.ErrorContains(t, s.Start(t.Context()), "load no.pem and no.key")
		_, err = ln.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	})

	t.Run("UnixSocket", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "s")
		s := start(t, server.Config{Network: "unix", Addr: path}, http.HandlerFunc(hello))
		nc, err := net.Dial("unix", path)
		require.NoError(t, err)
		_, body := newClient(t, nc).get(t, "/")
		assert.Equal(t, "hello", body)
		require.NoError(t, stop(t, s))
		_, err = os.Stat(path)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})

	t.Run("BaseContextReachesRequests", func(t *testing.T) {
		t.Parallel()
		type key struct{}
		s := start(t, server.Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Context().Value(key{}).(string))
		}), server.WithBaseContext(context.WithValue(context.Background(), key{}, "from base")))
		_, body := dial(t, s).get(t, "/")
		assert.Equal(t, "from base", body)
	})
}

func TestStop(t *testing.T) {
	t.Parallel()

	t.Run("NeverStartedClosesTheGivenListener", func(t *testing.T) {
		t.Parallel()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s, err := server.New(server.Config{}, nil, server.WithListener(ln))
		require.NoError(t, err)
		require.NoError(t, stop(t, s))
		require.NoError(t, stop(t, s))
		_, err = ln.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
		assert.Equal(t, intake.Closed, s.Gate().State())
		require.ErrorIs(t, s.Start(t.Context()), server.ErrStopped)
	})

	t.Run("SecondCallWaitsForTheFirstAndReturnsItsResult", func(t *testing.T) {
		t.Parallel()
		entered := make(chan struct{})
		s := start(t, server.Config{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		}))
		dial(t, s).send(t, "GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
		<-entered
		results := make(chan error, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		for range 2 {
			go func() { results <- s.Stop(ctx) }()
		}
		impatient, give := context.WithCancel(t.Context())
		give()
		require.Eventually(t, func() bool {
			return errors.Is(s.Start(t.Context()), server.ErrStopped)
		}, budget, time.Millisecond)
		require.ErrorIs(t, s.Stop(impatient), context.Canceled, "a third does not wait longer than it may")
		cancel(errors.New("second signal"))
		var cut *server.StopError
		first := <-results
		second := <-results
		// Either may see the end of ctx instead of the result: both waited on it.
		for _, err := range []error{first, second} {
			require.ErrorContains(t, err, "second signal")
		}
		require.ErrorAs(t, stop(t, s), &cut)
		assert.Equal(t, "/slow", cut.Cut[0].Path)
	})

	t.Run("StressOfStartStopAndRequests", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			s, err := server.New(server.Config{Addr: "127.0.0.1:0", Drain: server.Drain{IdleGrace: time.Millisecond}},
				http.HandlerFunc(hello), quiet)
			require.NoError(t, err)
			var wg sync.WaitGroup
			for i := range 10 {
				wg.Go(func() {
					if i%2 == 0 {
						if err := s.Start(t.Context()); err != nil {
							assert.True(t, errors.Is(err, server.ErrStarted) || errors.Is(err, server.ErrStopped), "%v", err)
						}
					}
					if addr := s.Addr(); addr != nil && i%3 == 0 {
						if nc, err := net.Dial("tcp", addr.String()); err == nil {
							_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
							_ = nc.Close()
						}
					}
					assert.NoError(t, stop(t, s))
				})
			}
			wg.Wait()
			l := s.Gate().Ledger()
			require.True(t, l.Balanced() && l.Inside == 0, "%s", l)
			require.Zero(t, s.Stats().Connections)
		}
	})
}

func TestServeErrorIsReported(t *testing.T) {
	t.Parallel()
	p := newPipes()
	reported := make(chan error, 1)
	s := start(t, server.Config{}, http.HandlerFunc(hello), server.WithListener(p),
		server.WithServeError(func(err error) { reported <- err }))
	c := p.dial(t)
	c.get(t, "/")
	require.NoError(t, p.Close()) // the socket breaks
	err := <-reported
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorContains(t, err, "http: serve pipes")
	require.Equal(t, err, s.Err())
	res, _ := c.get(t, "/")
	assert.Equal(t, http.StatusOK, res.StatusCode, "connections it has are still served")
	require.NoError(t, stop(t, s))
}

func TestConfigReportsEveryWrongField(t *testing.T) {
	t.Parallel()
	_, err := server.New(server.Config{
		Addr: "8080", MaxHeaderBytes: -1, H2C: true, StopBudget: -1,
		TLS: server.TLS{CertFile: "cert.pem"}, Drain: server.Drain{Delay: -1},
	}, nil)
	for _, field := range []string{"addr: ", "max_header_bytes: ", "tls: ", "h2c: ", "drain.delay: ", "stop_budget: "} {
		assert.ErrorContains(t, err, field)
	}
	assert.ErrorContains(t, server.Config{Network: "udp"}.Validate(), "network: ")
	assert.ErrorContains(t, server.Config{Network: "unix"}.Validate(), "addr: ")
	assert.NoError(t, server.Config{}.Validate())
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := certificate(t)
	s := start(t, server.Config{TLS: server.TLS{CertFile: cert, KeyFile: key}}, http.HandlerFunc(hello))
	for proto, want := range map[string]int{"http/1.1": 1, "h2": 2} {
		tr := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool},
			Protocols:       new(http.Protocols),
		}
		tr.Protocols.SetHTTP1(want == 1)
		tr.Protocols.SetHTTP2(want == 2)
		t.Cleanup(tr.CloseIdleConnections)
		req, err := http.NewRequest(http.MethodGet, "https://"+s.Addr().String(), nil)
		require.NoError(t, err)
		res, err := tr.RoundTrip(req)
		require.NoError(t, err, proto)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, res.ProtoMajor)
		assert.Equal(t, "hello", string(body))
	}
	preconnect := dial(t, s) // no handshake
	require.Eventually(t, func() bool { c := s.Stats().Connections; return c.New == 1 && c.HTTP2 == 1 }, budget, time.Millisecond)
	began := time.Now()
	require.NoError(t, stop(t, s))
	assert.Less(t, time.Since(began), budget/8)
	preconnect.gone(t)
	assert.EqualValues(t, 2, s.Gate().Ledger().Done)
}

// certificate writes a self-signed one for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	writeFile(t, certFile, certPEM)
	writeFile(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	pool = x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certPEM))
	return certFile, keyFile, pool
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, content, 0o600))
}
