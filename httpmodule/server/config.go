package server

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Defaults of [Config].
const (
	DefaultAddr              = ":8080"
	DefaultReadHeaderTimeout = 5 * time.Second
	DefaultReadTimeout       = time.Minute
	DefaultWriteTimeout      = 30 * time.Second
	DefaultIdleTimeout       = 2 * time.Minute
	DefaultMaxHeaderBytes    = 64 << 10
	DefaultMaxBodyBytes      = 10 << 20
	DefaultIdleGrace         = time.Second
	DefaultStreamGrace       = time.Second
	DefaultRetryAfter        = time.Second
)

// Config is the section "http". The zero value is a plain-text server on
// [DefaultAddr] with every limit at its default. In a timeout or a limit,
// zero means the default and a negative value means off, unless said
// otherwise.
type Config struct {
	// Addr is where to listen: "host:port", or a path where Network is
	// "unix". Port 0 picks a free port. Not looked at with [WithListener].
	Addr string `yaml:"addr"`
	// Network is "tcp" (default), "tcp4", "tcp6" or "unix".
	Network string `yaml:"network"`

	// ReadHeaderTimeout bounds the reading of a request's header, and of the
	// first one from the moment of the connect. Default 5s.
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout"`
	// ReadTimeout bounds the reading of a whole request, body included.
	// It ends when the body has been read: a handler that works longer is not
	// disturbed. Default 1m.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// WriteTimeout bounds one write: a client that takes nothing for that
	// long is cut off. Unlike that of [http.Server] each write (in pieces of
	// 1 MiB) starts it anew, so that neither slow handlers nor long streams
	// are cut. A handler that sets its own deadline with
	// [http.ResponseController.SetWriteDeadline] keeps that. Default 30s.
	WriteTimeout time.Duration `yaml:"write_timeout"`
	// IdleTimeout bounds the silence between two requests of a connection.
	// Keep it above that of the load balancer in front. Default 2m.
	IdleTimeout time.Duration `yaml:"idle_timeout"`

	// MaxHeaderBytes bounds a request's header; what is larger (with a slack
	// of 4 KiB) gets 431. It cannot be off. Default 64 KiB.
	MaxHeaderBytes int64 `yaml:"max_header_bytes"`
	// MaxBodyBytes bounds a request's body. One that announces more gets 413
	// and is not given to the handler; of one that does not announce its
	// length, the handler reads so much and then an [*http.MaxBytesError].
	// Default 10 MiB.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`

	// TLS is off while both its files are empty.
	TLS TLS `yaml:"tls"`
	// H2C lets HTTP/2 in on plain text, for clients that know they may
	// (gRPC, proxies). With TLS, HTTP/2 is always on.
	H2C bool `yaml:"h2c"`

	// Drain is how the server stops.
	Drain Drain `yaml:"drain"`
	// StopBudget bounds the time Stop gives to what is open, drain.delay
	// included, within the context given to Stop. Zero: that context alone. Negative
	// is an error.
	StopBudget time.Duration `yaml:"stop_budget"`
}

// TLS names the PEM files of the certificate (with its chain) and its key.
// They are read at start. For anything else, see [WithTLSConfig].
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Drain is how the server stops. None of its times takes more than half of
// what is left when it begins.
type Drain struct {
	// Delay is how long everything is served as before after readiness went
	// false, so that load balancers notice. Default 0, which is off: whoever
	// conducts the stop has a delay of its own. Negative is an error.
	Delay time.Duration `yaml:"delay"`
	// IdleGrace is how long a keep-alive connection must be silent before it
	// is closed. A request that comes meanwhile is served, and its reply
	// sends the client away. Negative: closed at once. Default 1s.
	IdleGrace time.Duration `yaml:"idle_grace"`
	// StreamGrace is how long streams (see [Endless]) and hijacked
	// connections have, after they were told, to end by themselves.
	// Negative: closed at once. Default 1s.
	StreamGrace time.Duration `yaml:"stream_grace"`
	// RetryAfter is what a refused client is told, rounded up to seconds.
	// Negative: it is told nothing. Default 1s.
	RetryAfter time.Duration `yaml:"retry_after"`
}

// Validate reports everything that is wrong, one line for each field.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	switch c.Network {
	case "", "tcp", "tcp4", "tcp6":
		if _, _, err := net.SplitHostPort(c.Addr); c.Addr != "" && err != nil {
			bad("addr", "%q is not host:port (%v), write it like \":8080\" or \"127.0.0.1:8080\"", c.Addr, err)
		}
	case "unix":
		if c.Addr == "" {
			bad("addr", "is empty, with network \"unix\" it must be the path of the socket")
		}
	default:
		bad("network", "%q is unknown, use tcp, tcp4, tcp6 or unix", c.Network)
	}
	if c.MaxHeaderBytes < 0 {
		bad("max_header_bytes", "%d is negative, and this limit cannot be off; leave it out for %d", c.MaxHeaderBytes, DefaultMaxHeaderBytes)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		bad("tls", "needs both cert_file and key_file, or neither")
	}
	if c.H2C && c.TLS.CertFile != "" {
		bad("h2c", "is HTTP/2 without TLS, but tls is configured, where HTTP/2 is always on; remove h2c")
	}
	if c.Drain.Delay < 0 {
		bad("drain.delay", "%s is negative, leave it out for no delay", c.Drain.Delay)
	}
	if c.StopBudget < 0 {
		bad("stop_budget", "%s is negative, leave it out for no budget", c.StopBudget)
	}
	return errors.Join(errs...)
}

// WithDefaults is c with what is zero filled in, as [New] uses it and
// --print-config shows it.
func (c Config) WithDefaults() Config {
	orDefault(&c.Addr, DefaultAddr)
	orDefault(&c.Network, "tcp")
	orDefault(&c.ReadHeaderTimeout, DefaultReadHeaderTimeout)
	orDefault(&c.ReadTimeout, DefaultReadTimeout)
	orDefault(&c.WriteTimeout, DefaultWriteTimeout)
	orDefault(&c.IdleTimeout, DefaultIdleTimeout)
	orDefault(&c.MaxHeaderBytes, DefaultMaxHeaderBytes)
	orDefault(&c.MaxBodyBytes, DefaultMaxBodyBytes)
	orDefault(&c.Drain.IdleGrace, DefaultIdleGrace)
	orDefault(&c.Drain.StreamGrace, DefaultStreamGrace)
	orDefault(&c.Drain.RetryAfter, DefaultRetryAfter)
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
