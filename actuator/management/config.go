package management

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// DefaultAddress is where the management of a service is looked for.
const DefaultAddress = "127.0.0.1:9988"

// Config says where to listen and who may ask. The zero value listens nowhere.
type Config struct {
	// Address is the "host:port" to listen on. Port 0 picks a free one. Zero: no
	// port.
	Address string `yaml:"address"`
	// Socket is the path of a unix socket, which its owner alone may open. A
	// socket that a killed process has left is replaced. Zero: none.
	Socket string `yaml:"socket"`
	// Token gives the token. It is a function so that nothing prints it; it is
	// called once, by [New] or [Guard]. Zero, or an empty token: there is none.
	Token func() string `yaml:"-"`
	// Hosts are further names, without a port, by which the service is asked: that of a
	// proxy, or of a Kubernetes service. Zero: none.
	Hosts []string `yaml:"hosts"`
}

// Validate reports everything that is wrong, one line for each field.
func (c Config) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf(field+": "+format, args...))
	}
	token := c.token()
	if c.Address != "" {
		host, _, err := net.SplitHostPort(c.Address)
		switch {
		case err != nil:
			bad("address", "%q is not host:port (%v), write it like %q", c.Address, err, DefaultAddress)
		case !isLoopback(host) && token == "":
			bad("address", "%s can be reached from other machines, and there is no token; set management.token, or listen on %s", c.Address, DefaultAddress)
		}
	}
	if strings.HasPrefix(c.Socket, "@") {
		bad("socket", "%q has no file, so anybody on this machine may open it; give a path", c.Socket)
	}
	if len(c.Socket) > maxSocketPath {
		bad("socket", "its path has %d bytes, a unix socket may have %d; choose a shorter one", len(c.Socket), maxSocketPath)
	}
	for _, name := range c.Hosts {
		if name == "" || strings.ContainsAny(name, "*/") || hostname(name) != strings.ToLower(name) {
			bad("hosts", "%q is no name of a host; write it without scheme, port and wildcards", name)
		}
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		bad("token", "it has a space, a line end or a letter that no header can carry; take those away")
	}
	return errors.Join(errs...)
}

func (c Config) token() string {
	if c.Token == nil {
		return ""
	}
	return c.Token()
}

// isLoopback says that a host is this machine for sure: a name that is to be
// looked up is not.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// hostname is the name in a Host header, or in "host:port", in small letters.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimPrefix(strings.TrimSuffix(host, "]"), "[")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
