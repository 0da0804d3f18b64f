package management

import (
	"errors"
	"net"
	"net/http"
	"sync"
)

// SetHandler takes the guard away: a pipe has no address.
func SetHandler(s *Server, h http.Handler) { s.http.Handler = h }

// SetMaxConns bounds the connections before Start.
func SetMaxConns(s *Server, n int) { s.maxConns = n }

// ServeOne serves one connection, as one that was accepted.
func ServeOne(s *Server, c net.Conn) {
	ln := &one{accept: make(chan net.Conn, 1), closed: make(chan struct{})}
	ln.accept <- c
	s.serving.Go(func() { s.accept(listener{ln}) })
}

type one struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (o *one) Accept() (net.Conn, error) {
	select {
	case c := <-o.accept:
		return c, nil
	case <-o.closed:
		return nil, errors.New("closed")
	}
}

func (o *one) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *one) Addr() net.Addr { return &net.TCPAddr{} }
