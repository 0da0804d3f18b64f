package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// SocketName is the file in a journal directory at which its service answers.
const SocketName = "control.sock"

// Listen listens on the control socket of a journal directory. Call it only
// while this process holds the directory: a socket that is there is the one
// of a process that was killed, and is replaced; anything else of that name is an
// error. Only the owner may open it, from its first moment on. Closing the
// listener removes it.
func Listen(dir string) (net.Listener, error) {
	ln, err := listen(dir, filepath.Join(dir, SocketName))
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return ln, nil
}

// listen binds in a directory that nobody else may enter: until its mode is
// set, a socket is open to whoever the mask of the process lets in.
func listen(dir, path string) (net.Listener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is no socket; take it away", path)
	}
	private, err := os.MkdirTemp(dir, ".control-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(private) }() // it is empty, and in nobody's way
	bound := filepath.Join(private, SocketName)
	var ln *net.UnixListener
	err = reach(bound, func(short string) (err error) {
		ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // by a name that is not its own
	if err = os.Chmod(bound, 0o600); err == nil {
		err = os.Rename(bound, path)
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return &socket{UnixListener: ln, path: path}, nil
}

// socket is a listener that removes its file.
type socket struct {
	*net.UnixListener
	path string
}

func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if err == nil {
		err = os.Remove(s.path)
	}
	return err
}

// maxPath is what the address of a unix socket may have on every platform,
// with a little room.
const maxPath = 100

// reach calls use with a path that leads to the same file and is short enough
// for an address. The kernel follows symbolic links: one stands in for a
// directory with a long name while it is used.
func reach(path string, use func(short string) error) (err error) {
	if len(path) <= maxPath {
		return use(path)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "lastcall-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	link := filepath.Join(temp, "d")
	if err := os.Symlink(dir, link); err != nil {
		return err
	}
	return use(filepath.Join(link, filepath.Base(path)))
}

const (
	serveGrace = 500 * time.Millisecond // for answers that are being written
	cutGrace   = 500 * time.Millisecond // for requests whose connection was cut
)

// Serve answers on ln until ctx ends, which the requests under way are told by
// their own contexts, and returns when they have ended. Their connections are
// cut half a second later; a request that has not ended after another half is
// left behind, and is an error. It closes ln.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	var requests sync.WaitGroup // by their connections: each has one goroutine
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 20,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				requests.Add(1)
			case http.StateClosed, http.StateHijacked:
				requests.Done()
			case http.StateActive, http.StateIdle:
			}
		},
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("control: %w", err), srv.Close(), await(&requests))
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveGrace)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		_ = srv.Close() // the connections of those who do not read; ln is closed
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("control: %w", err), await(&requests))
	}
	return await(&requests)
}

func await(requests *sync.WaitGroup) error {
	ended := make(chan struct{})
	go func() {
		requests.Wait()
		close(ended)
	}()
	limit := time.NewTimer(cutGrace)
	defer limit.Stop()
	select {
	case <-ended:
		return nil
	case <-limit.C:
		return errors.New("control: a request does not end though its context has; it is left behind")
	}
}
