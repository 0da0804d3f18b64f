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
	"time"
)

// SocketName is the file in a journal directory at which its service answers.
const SocketName = "control.sock"

// Listen listens on the control socket of a journal directory. Call it only
// while this process holds the directory: a socket that is there is the one
// of a process that was killed, and is replaced. Only the owner may open it.
// Closing the listener removes it.
func Listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, SocketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("control: %w", err)
	}
	var ln *net.UnixListener
	err := reach(path, func(short string) (err error) {
		ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	ln.SetUnlinkOnClose(false) // by a name that may not be its own
	s := &socket{UnixListener: ln, path: path}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control: %w", err), s.Close())
	}
	return s, nil
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

const serveGrace = 500 * time.Millisecond // for answers that are being written

// Serve answers on ln until ctx ends, which the requests under way are told by
// their own contexts, and returns when they have ended or, half a second
// later, their connections are cut. It closes ln. The error is nil unless ln
// fails before.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 20,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("control: %w", err), srv.Close())
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), serveGrace)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		_ = srv.Close() // the connections of those who do not read; ln is closed
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}
