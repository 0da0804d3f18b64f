package management_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/management"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	some := func() string { return token }
	for _, tt := range []struct {
		name string
		give management.Config
		want string // empty: it is accepted
	}{
		{"Nothing", management.Config{}, ""},
		{"Loopback", management.Config{Address: "localhost:0"}, ""},
		{"LoopbackOfIPv6", management.Config{Address: "[::1]:9988"}, ""},
		{"EveryAddressWithAToken", management.Config{Address: "0.0.0.0:0", Token: some}, ""},
		{"EveryAddress", management.Config{Address: "0.0.0.0:9988"},
			"address: 0.0.0.0:9988 can be reached from other machines, and there is no token; set management.token, or listen on 127.0.0.1:9988"},
		{"EveryAddressWithoutSayingSo", management.Config{Address: ":9988"}, "there is no token"},
		{"EveryAddressOfIPv6", management.Config{Address: "[::]:9988", Token: func() string { return "" }}, "there is no token"},
		{"NameThatMightLeadAnywhere", management.Config{Address: "manage.internal:9988"}, "there is no token"},
		{"NoPort", management.Config{Address: "127.0.0.1"}, "is not host:port"},
		{"SocketWithoutAFile", management.Config{Socket: "@m"}, "give a path"},
		{"SocketWithALongName", management.Config{Socket: strings.Repeat("x", 100)}, "choose a shorter one"},
		{"HostWithAPort", management.Config{Hosts: []string{"ops:9988"}}, "hosts:"},
		{"AnyHost", management.Config{Hosts: []string{"*"}}, "hosts:"},
		{"HostWithAScheme", management.Config{Hosts: []string{"https://ops"}}, "hosts:"},
		{"TokenWithALineEnd", management.Config{Token: func() string { return token + "\n" }}, "token: it has a space, a line end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := management.New(tt.give, http.NotFoundHandler())
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), token)
		})
	}

	t.Run("EverythingAtOnce", func(t *testing.T) {
		t.Parallel()
		_, err := management.New(management.Config{Address: ":1", Socket: "@m", Hosts: []string{""}}, http.NotFoundHandler())
		for _, field := range []string{"address:", "socket:", "hosts:"} {
			assert.ErrorContains(t, err, field)
		}
	})
}

func TestStart(t *testing.T) {
	t.Parallel()

	t.Run("TakenAddressFails", func(t *testing.T) {
		t.Parallel()
		first, _ := start(t, http.NotFoundHandler(), management.Config{})
		second, err := management.New(management.Config{Address: first.Addr().String()}, http.NotFoundHandler())
		require.NoError(t, err)
		require.ErrorContains(t, second.Start(t.Context()), "another process holds it")
		require.NoError(t, second.Stop(t.Context()))
	})

	t.Run("TakenAddressThatNobodyAskedForIsGoneWithout", func(t *testing.T) {
		t.Parallel()
		first, _ := start(t, http.NotFoundHandler(), management.Config{})
		var told error
		second, socket := start(t, http.NotFoundHandler(), management.Config{Address: first.Addr().String()},
			management.WithTaken(func(err error) { told = err }))
		require.ErrorContains(t, told, "another process holds it")
		assert.Nil(t, second.Addr())
		assert.Equal(t, http.StatusNotFound, dial(t, "unix", socket).ask(t, request(t, http.MethodGet, "/")).status)
	})

	t.Run("SocketIsItsOwnersAlone", func(t *testing.T) {
		t.Parallel()
		_, socket := start(t, http.NotFoundHandler(), management.Config{})
		info, err := os.Lstat(socket)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		left, err := os.ReadDir(filepath.Dir(socket))
		require.NoError(t, err)
		assert.Len(t, left, 1, "where it was bound is gone")
	})

	t.Run("SocketOfADeadProcessIsReplaced", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(shortDir(t), "m.sock")
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		require.NoError(t, err)
		dead.SetUnlinkOnClose(false)
		require.NoError(t, dead.Close())
		srv, err := management.New(management.Config{Socket: path}, http.NotFoundHandler())
		require.NoError(t, err)
		require.NoError(t, srv.Start(t.Context()))
		assert.Equal(t, http.StatusNotFound, dial(t, "unix", path).ask(t, request(t, http.MethodGet, "/")).status)
		require.NoError(t, srv.Stop(t.Context()))
		assert.NoFileExists(t, path)
	})

	t.Run("SocketOfALivingProcessIsNot", func(t *testing.T) {
		t.Parallel()
		_, socket := start(t, http.NotFoundHandler(), management.Config{})
		second, err := management.New(management.Config{Address: "127.0.0.1:0", Socket: socket}, http.NotFoundHandler())
		require.NoError(t, err)
		require.ErrorContains(t, second.Start(t.Context()), "another process answers at")
		assert.Nil(t, second.Addr())
		require.NoError(t, second.Stop(t.Context()))
		assert.FileExists(t, socket)
	})

	t.Run("FileThatIsNoSocketIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(shortDir(t), "notes")
		require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
		srv, err := management.New(management.Config{Socket: path}, http.NotFoundHandler())
		require.NoError(t, err)
		require.ErrorContains(t, srv.Start(t.Context()), "is no socket")
		assert.FileExists(t, path)
		require.NoError(t, srv.Stop(t.Context()))
	})

	t.Run("OnlyOnceAndNotAfterStop", func(t *testing.T) {
		t.Parallel()
		srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, http.NotFoundHandler())
		require.NoError(t, err)
		require.NoError(t, srv.Start(t.Context()))
		require.ErrorIs(t, srv.Start(t.Context()), management.ErrStarted)
		require.NoError(t, srv.Stop(t.Context()))
		require.NoError(t, srv.Stop(t.Context()))
		require.ErrorIs(t, srv.Start(t.Context()), management.ErrStopped)
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()

	t.Run("LargeBodyIsRefused", func(t *testing.T) {
		t.Parallel()
		guard := management.Guard(management.Config{}, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			assert.Equal(t, int64(1<<20), n)
			var tooLarge *http.MaxBytesError
			assert.ErrorAs(t, err, &tooLarge)
			w.WriteHeader(http.StatusTeapot)
		}))
		req := request(t, http.MethodPost, "/")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 2<<20))), 2<<20
		assert.Equal(t, http.StatusRequestEntityTooLarge, recorded(t, guard, "loopback", req).status)
		req.ContentLength = -1 // it does not say
		assert.Equal(t, http.StatusTeapot, recorded(t, guard, "loopback", req).status)
	})

	t.Run("LargeHeaderIsRefused", func(t *testing.T) {
		t.Parallel()
		srv, _ := start(t, http.NotFoundHandler(), management.Config{})
		conn := dial(t, "tcp", srv.Addr().String())
		// As much as is read, so that nothing is left over, which would
		// reset the connection.
		const limit = 64<<10 + 4<<10
		head := "GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: "
		_, err := io.WriteString(conn, head+strings.Repeat("x", limit-len(head)))
		require.NoError(t, err)
		status, err := conn.reader.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 431 Request Header Fields Too Large\r\n", status)
	})

	t.Run("ConnectionTooManyIsClosed", func(t *testing.T) {
		t.Parallel()
		srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, http.NotFoundHandler())
		require.NoError(t, err)
		management.SetMaxConns(srv, 2)
		require.NoError(t, srv.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, srv.Stop(context.Background())) })
		kept := dial(t, "tcp", srv.Addr().String())
		assert.Equal(t, http.StatusNotFound, kept.ask(t, request(t, http.MethodGet, "/")).status)
		silent := dial(t, "tcp", srv.Addr().String())
		_, err = dial(t, "tcp", srv.Addr().String()).reader.ReadByte()
		require.Error(t, err, "it is closed unasked")
		assert.Equal(t, http.StatusNotFound, kept.ask(t, request(t, http.MethodGet, "/")).status)
		require.NoError(t, silent.Close())
	})

	t.Run("StreamOutlastsEveryTimeout", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, nil)
			require.NoError(t, err)
			management.SetHandler(srv, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for range 10 {
					time.Sleep(time.Minute)
					_, _ = w.Write([]byte("tick\n"))
					_ = http.NewResponseController(w).Flush()
				}
			}))
			management.ServeOne(srv, server)
			got := line{client, bufio.NewReader(client)}.ask(t, request(t, http.MethodGet, "/"))
			assert.Equal(t, strings.Repeat("tick\n", 10), got.body)
			require.NoError(t, client.Close())
			require.NoError(t, srv.Stop(t.Context()))
		})
	})
}

func TestStop(t *testing.T) {
	t.Parallel()

	t.Run("NothingHoldsIt", func(t *testing.T) {
		t.Parallel()
		began := make(chan struct{}, 100)
		srv, socket := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			began <- struct{}{}
			<-r.Context().Done()
			if errors.Is(context.Cause(r.Context()), management.ErrStopped) {
				_, _ = io.WriteString(w, "bye")
			}
		}), management.Config{})
		var streams []*http.Response
		for i := range 100 {
			conn := dial(t, "tcp", srv.Addr().String())
			switch i % 4 {
			case 0: // never says a word
			case 1: // says it slowly
				_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: local")
				require.NoError(t, err)
			case 2: // does not read
				require.NoError(t, request(t, http.MethodGet, "/").Write(conn))
				<-began
			case 3:
				streams = append(streams, conn.begin(t, request(t, http.MethodGet, "/"))) //nolint:bodyclose // read below
				<-began
			}
		}
		require.NoError(t, srv.Stop(t.Context()))
		for _, s := range streams {
			assert.Equal(t, "bye", read(t, s).body, "streams are told")
		}
		assert.NoFileExists(t, socket)
		_, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Addr().String())
		require.Error(t, err)
	})

	t.Run("HandlerThatDoesNotEndIsLeftBehind", func(t *testing.T) {
		t.Parallel()
		release, ended := make(chan struct{}), make(chan struct{})
		srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer close(ended)
			_ = http.NewResponseController(w).Flush()
			<-release
		}))
		require.NoError(t, err)
		require.NoError(t, srv.Start(t.Context()))
		resp := dial(t, "tcp", srv.Addr().String()).begin(t, request(t, http.MethodGet, "/"))
		require.ErrorContains(t, srv.Stop(t.Context()), "left behind")
		_ = resp.Body.Close() // it has no end
		close(release)
		<-ended
	})

	t.Run("BesideStart", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			srv, err := management.New(management.Config{Address: "127.0.0.1:0", Socket: filepath.Join(shortDir(t), "m.sock")}, http.NotFoundHandler())
			require.NoError(t, err)
			started := make(chan error, 1)
			go func() { started <- srv.Start(context.Background()) }()
			require.NoError(t, srv.Stop(t.Context()))
			if err := <-started; err != nil {
				require.ErrorIs(t, err, management.ErrStopped)
			}
			if addr := srv.Addr(); addr != nil {
				_, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr.String())
				require.Error(t, err)
			}
		}
	})
}
