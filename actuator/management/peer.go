package management

import (
	"net"
	"net/http"
	"net/netip"
)

// forwarding are the headers by which a proxy says that it asks for another.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// isLocal: the request began on this machine, as far as one can know: behind a
// proxy on the same machine every peer is local.
func isLocal(r *http.Request) bool {
	for _, name := range forwarding {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	if atSocket(r) {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

// atSocket: the connection came to a unix socket.
func atSocket(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && addr.Network() == "unix"
}

// cameTo is the address of this machine that the connection came to; not
// valid: it is not known. A page can only have it as its Host if it is ours:
// rebinding needs a name.
func cameTo(r *http.Request) netip.Addr {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return addr.AddrPort().Addr().Unmap().WithZone("")
}

func isAddress(name string, addr netip.Addr) bool {
	ip, err := netip.ParseAddr(name)
	return err == nil && addr.IsValid() && ip.Unmap().WithZone("") == addr
}

// isUnspecified: no name at all, or that of every address.
func isUnspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}
