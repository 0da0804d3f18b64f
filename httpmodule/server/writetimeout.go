package server

import (
	"io"
	"time"
)

// piece is how much one write deadline covers.
const piece = 1 << 20

// On HTTP/1 the write timeout is kept by the connection, where every byte goes
// by: what net/http holds back until a handler has returned, and what it
// writes itself, are covered too. The deadline is moved at most four times
// within the timeout, over all requests of the connection, so that a short
// request does not touch it.
//
// Whoever sets another deadline (a handler for its reply, the owner of a
// hijacked connection) ends that until the next request.

// slide begins the sliding of the deadline, with every request.
func (c *conn) slide() {
	if c.writeTimeout > 0 && !c.sliding.Load() {
		c.moved = time.Time{}
		c.sliding.Store(true)
	}
}

// extend moves the write deadline.
func (c *conn) extend() {
	if !c.sliding.Load() {
		return
	}
	if now, d := time.Now(), c.writeTimeout; now.Sub(c.moved) >= d/4 {
		c.moved = now
		_ = c.Conn.SetWriteDeadline(now.Add(d + d/4))
	}
}

// SetWriteDeadline leaves our deadline where it is when net/http wants none,
// which it does after every reply: to take it away and set it anew would be
// two calls into the poller for each request.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() && c.sliding.Load() {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// Write gives each piece the whole timeout.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		c.extend()
		m, err := c.Conn.Write(p[:min(len(p), piece)])
		n += m
		if p = p[m:]; err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// ReadFrom keeps sendfile for replies from files. net looks through one
// LimitedReader only, so one that is there already is taken apart.
func (c *conn) ReadFrom(src io.Reader) (n int64, err error) {
	limit, limited := src.(*io.LimitedReader)
	for {
		part := &io.LimitedReader{R: src, N: piece}
		if limited {
			part.R, part.N = limit.R, min(piece, limit.N)
		}
		want := part.N
		c.extend()
		m, err := io.Copy(c.Conn, part)
		n += m
		if limited {
			limit.N -= want - part.N
		}
		if err != nil || part.N > 0 || want == 0 {
			return n, err
		}
	}
}
