package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// secure says whether the server speaks TLS.
func (s *Server) secure() bool {
	return s.tlsConfig != nil || s.cfg.TLS.CertFile != ""
}

// listen opens the listener or takes the given one, and reads the
// certificate. After an error nothing is open.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	if err := s.loadTLS(); err != nil {
		return nil, errors.Join(err, s.closeGiven())
	}
	ln := s.given
	if ln == nil {
		var err error
		var lc net.ListenConfig
		if ln, err = lc.Listen(ctx, s.cfg.Network, s.cfg.Addr); err != nil {
			return nil, fmt.Errorf("%s: listen on %s: %w%s", s.name, s.cfg.Addr, err, advice(err))
		}
	}
	return listener{Listener: ln, conns: &s.conns}, nil
}

// advice says what to do about a listen that failed.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another process, perhaps an older one that has not stopped yet, holds it; stop it or set http.addr (port 0 picks a free one)"
	case errors.Is(err, syscall.EACCES):
		return ": this user may not; ports below 1024 need a privilege, set http.addr"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": this machine has no such address; set http.addr"
	default:
		return ""
	}
}

// loadTLS gives net/http a TLS configuration of its own.
func (s *Server) loadTLS() error {
	if !s.secure() {
		return nil
	}
	cfg := s.tlsConfig.Clone() // nil stays nil
	if cfg == nil {
		cfg = new(tls.Config)
	}
	if s.cfg.TLS.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(s.cfg.TLS.CertFile, s.cfg.TLS.KeyFile)
		if err != nil {
			return fmt.Errorf("%s: tls: load %s and %s: %w", s.name, s.cfg.TLS.CertFile, s.cfg.TLS.KeyFile, err)
		}
		cfg.Certificates = append(cfg.Certificates, cert)
	}
	s.http.TLSConfig = cfg
	return nil
}

func (s *Server) closeGiven() error {
	if s.given == nil {
		return nil
	}
	return s.given.Close()
}
