package management

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxSocketPath is what the address of a unix socket may have on every
// platform, with room for the directory in which it is bound.
const maxSocketPath = 80

// listenTCP opens the port.
func listenTCP(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("management: %w: another process holds it; stop that one or set management.address (port 0 picks a free one)", err)
	case err != nil:
		return nil, fmt.Errorf("management: %w; set management.address", err)
	}
	return listener{ln}, nil
}

// listenUnix binds in a directory that nobody else may enter: until its mode is
// set, a socket is open to whoever the mask of the process lets in.
func listenUnix(ctx context.Context, path string) (_ net.Listener, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("management: socket: %w; set management.socket", err)
		}
	}()
	if err := isFree(ctx, path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".m-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(private) }() // it is empty, and in nobody's way
	bound := filepath.Join(private, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: bound, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false) // by a name that is not its own
	s := &socket{UnixListener: ln, path: path}
	if err = os.Chmod(bound, 0o600); err == nil {
		if s.file, err = os.Lstat(bound); err == nil {
			err = os.Rename(bound, path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return listener{s}, nil
}

// isFree: there is nothing at path, or a socket at which nobody answers.
func isFree(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket", path)
	}
	if conn, err := new(net.Dialer).DialContext(ctx, "unix", path); err == nil {
		return errors.Join(fmt.Errorf("another process answers at %s", path), conn.Close())
	}
	return nil
}

// socket is a listener that removes its file, unless it is another's by now.
type socket struct {
	*net.UnixListener
	path string
	file os.FileInfo
}

func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if info, statErr := os.Lstat(s.path); err == nil && statErr == nil && os.SameFile(info, s.file) {
		err = os.Remove(s.path)
	}
	return err
}

// listener gives out connections with a limit for each write.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}

const (
	writeTimeout = 10 * time.Second
	piece        = 1 << 20 // how much one timeout covers
)

// conn is a connection whose peer must take what it has asked for. A limit for
// the whole answer, as [http.Server] has it, would end streams.
type conn struct{ net.Conn }

func (c conn) Write(p []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(p[:min(len(p), piece)])
		n += m
		if p = p[m:]; err != nil || len(p) == 0 {
			return n, err
		}
	}
}
