package management

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds the body of a request.
const maxBody = 1 << 20

// Guard lets those through to next who may ask; see the package documentation.
// What open says yes to, anybody may read; nil: nothing. Guard goes by the
// connection that net/http has noted in the request, so it works in any
// [http.Server]. cfg is not validated.
func Guard(cfg Config, open func(*http.Request) bool, next http.Handler) http.Handler {
	if open == nil {
		open = func(*http.Request) bool { return false }
	}
	g := &guard{hosts: map[string]bool{}, open: open, next: next}
	for _, name := range append([]string{cfg.Address}, cfg.Hosts...) {
		if name = hostname(name); !isUnspecified(name) {
			g.hosts[name] = true
		}
	}
	if token := cfg.token(); token != "" {
		sum := sha256.Sum256([]byte(token))
		g.token = &sum
	}
	return g
}

type guard struct {
	hosts map[string]bool    // besides loopback names
	token *[sha256.Size]byte // its sum, so that all comparisons take the same time; nil: there is none
	cross http.CrossOriginProtection
	open  func(*http.Request) bool
	next  http.Handler
}

// ServeHTTP is [http.Handler].
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if err := g.site(r); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	trusted := g.trusts(r)
	switch {
	case trusted, reads(r) && g.open(r):
	case g.token == nil:
		refuse(w, http.StatusForbidden, "only this machine may ask for this: there is no token; set management.token")
		return
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="management"`)
		refuse(w, http.StatusUnauthorized, "show the token of the service: Authorization: Bearer TOKEN")
		return
	}
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // the body is not worth reading
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxBody))
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	}
	g.next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), trustedKey{}, trusted)))
}

// protect tells a browser to do nothing with an answer but show it.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// site refuses what a page of another site has sent, or could have.
func (g *guard) site(r *http.Request) error {
	if !g.knows(r) {
		return fmt.Errorf("host %q is not known here; if it is one of this service, add it to management.hosts", r.Host)
	}
	if origin := r.Header.Values("Origin"); len(origin) > 0 {
		o, err := url.Parse(origin[0])
		if err != nil || len(origin) > 1 || o.Host == "" || !strings.EqualFold(o.Host, r.Host) {
			return fmt.Errorf("origin %q is another site", strings.Join(origin, ", "))
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		if !followed(r) {
			return errors.New("a page of another site asks")
		}
	}
	return g.cross.Check(r)
}

// knows: the Host is a name of ours.
func (g *guard) knows(r *http.Request) bool {
	if atSocket(r) {
		return true // no browser gets there, by whatever name
	}
	name := hostname(r.Host)
	return isLoopback(name) || g.hosts[name] || isAddress(name, cameTo(r))
}

// followed: a person has clicked on a link, and sees what comes of it.
func followed(r *http.Request) bool {
	return reads(r) && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// trusts: who asks has shown the token, or none, and is on this machine.
func (g *guard) trusts(r *http.Request) bool {
	if shown := strings.Join(r.Header.Values("Authorization"), "\n"); shown != "" && g.token != nil { // of several none counts
		scheme, token, _ := strings.Cut(shown, " ")
		sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
		return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
	}
	return isLocal(r)
}

type trustedKey struct{}

// Trusted reports whether the request of this context may see and do
// everything, and not only what is open. Without a [Guard] before it: no.
func Trusted(ctx context.Context) bool {
	trusted, _ := ctx.Value(trustedKey{}).(bool)
	return trusted
}

// refuse answers with a problem of RFC 9457, as the endpoints do.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// Nobody is there to be told of an error.
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}
