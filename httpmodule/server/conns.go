package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lastLook is how long a dismissed connection looks at its socket before it
// closes: time enough to take what is there, none to wait for more.
const lastLook = time.Millisecond

// conns are the open connections of a server.
type conns struct {
	writeTimeout time.Duration // of each; 0 or less: none
	wake         chan struct{} // a connection has gone; capacity 1, never closed

	mu  sync.Mutex
	all map[*conn]struct{}
}

// listener hands out connections that are tracked from the moment they exist.
type listener struct {
	net.Listener
	conns *conns
}

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := nc.(*tls.Conn); ok {
		// net/http must see that type to speak TLS: see WithListener.
		return nc, nil
	}
	return l.conns.add(nc), nil
}

func (cs *conns) add(nc net.Conn) *conn {
	c := &conn{Conn: nc, conns: cs, writeTimeout: cs.writeTimeout}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.all[c] = struct{}{}
	return c
}

func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	delete(cs.all, c)
	cs.mu.Unlock()
	select {
	case cs.wake <- struct{}{}:
	default:
	}
}

func (cs *conns) list() []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	list := make([]*conn, 0, len(cs.all))
	for c := range cs.all {
		list = append(list, c)
	}
	return list
}

// conn is a connection that knows whether its client has said anything. The
// state of net/http does not tell: it stays "idle" until the header of the
// next request has been read to its end.
type conn struct {
	net.Conn
	conns        *conns
	writeTimeout time.Duration

	state     atomic.Int32 // an http.ConnState
	h2        atomic.Bool
	reads     atomic.Uint64 // reads that brought something
	dismissed atomic.Bool   // asked to look a last time and go
	sliding   atomic.Bool   // the write deadline in force is ours, see slide

	moved time.Time // when the write deadline was, by who serves or writes

	// Of the drain alone.
	seenState http.ConnState
	seenReads uint64
	silent    time.Time // since when nothing has changed
}

// Read notes that something came. A dismissed connection that was woken by
// its deadline looks at the socket a last time.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n == 0 && c.dismissed.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		// An expired deadline makes Read fail without looking. What arrived
		// between the drain's decision and this line would be lost.
		_ = c.SetReadDeadline(time.Now().Add(lastLook))
		n, err = c.Conn.Read(p)
	}
	if n > 0 && c.reads.Add(1) == 1 && n >= 3 && string(p[:3]) == "PRI" {
		c.h2.Store(true) // the preface of HTTP/2 on plain text
	}
	return n, err
}

// CloseWrite lets net/http end a reply without a reset where the client is
// still sending.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn is for hijackers that set socket options.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// NetConn is the connection as the listener gave it, as in [tls.Conn.NetConn].
func (c *conn) NetConn() net.Conn { return c.Conn }

// Close also ends the tracking, of hijacked connections too.
func (c *conn) Close() error {
	defer c.conns.remove(c)
	return c.Conn.Close()
}

// dismiss wakes the reader of a silent connection, so that it closes it.
func (c *conn) dismiss() {
	c.dismissed.Store(true)
	_ = c.SetReadDeadline(time.Unix(1, 0))
}

// silence is for how long nothing has come and nothing has changed. Only the
// drain calls it: one look costs the clock nothing on the way of a request.
func (c *conn) silence(now time.Time) time.Duration {
	state, reads := http.ConnState(c.state.Load()), c.reads.Load()
	if c.silent.IsZero() || state != c.seenState || reads != c.seenReads {
		c.seenState, c.seenReads, c.silent = state, reads, now
		c.dismissed.Store(false)
	}
	return now.Sub(c.silent)
}

// connOf finds our connection below what net/http works with.
func connOf(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// connState is the hook of http.Server.
func connState(nc net.Conn, state http.ConnState) {
	c := connOf(nc)
	if c == nil {
		return
	}
	if t, ok := nc.(*tls.Conn); ok && state == http.StateActive && !c.h2.Load() {
		c.h2.Store(t.ConnectionState().NegotiatedProtocol == "h2")
	}
	c.state.Store(int32(state))
}

type connKey struct{}

// connContext is the hook of http.Server that leads from a request to its
// connection.
func connContext(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, connOf(nc))
}
