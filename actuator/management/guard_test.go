package management_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/management"
)

// choice is one value of one dimension of the matrix.
type choice struct {
	name  string
	value string
	good  bool // as far as this dimension goes
}

var (
	hosts = []choice{
		{"localhost", "localhost:9988", true},
		{"loopback address", "[::1]:9988", true},
		{"name with a dot behind", "LOCALHOST.", true},
		{"name of the configuration", "ops.internal", true},
		{"rebound name", "evil.example:9988", false},
		{"name that begins like ours", "localhost.evil.example", false},
		{"every address", "0.0.0.0:9988", false},
		{"other address", "203.0.113.7:9988", false},
		{"none", "", false},
	}
	origins = []choice{
		{"none", "", true},
		{"same", "same", true},
		{"null", "null", false},
		{"other site", "https://evil.example", false},
		{"other port", "http://localhost:3000", false},
		{"no URL", "://", false},
		{"part of a name", "http://ocalhost:9988", false},
	}
	fetches = []choice{
		{"no word of the browser", "", true},
		{"same origin", "same-origin", true},
		{"same site", "same-site", false},
		{"cross site", "cross-site", false},
	}
	tokens = []choice{
		{"no token", "", false},
		{"the token", "Bearer " + token, true},
		{"wrong token", "Bearer Tee-4711", false},
		{"beginning of the token", "Bearer Kaffee", false},
		{"other scheme", "Basic " + token, false},
		{"small letters", "bearer " + token, true},
		{"twice", "Bearer " + token + "\n" + "Bearer " + token, false},
		{"wrong one behind it", "Bearer " + token + "\n" + "Bearer Tee-4711", false},
	}
	requests = []struct {
		method, path string
		open         bool
	}{
		{http.MethodGet, "/health", true},
		{http.MethodHead, "/health", true},
		{http.MethodPost, "/health", false},
		{http.MethodGet, "/env", false},
		{http.MethodOptions, "/health", false},
		{http.MethodPatch, "/pools/sms", false},
		{http.MethodDelete, "/drain", false},
	}
	peers = []string{"loopback", "socket", "remote", "loopback behind a proxy"}
)

// combination is one request of the matrix.
type combination struct {
	peer                       string
	host, origin, fetch, token choice
	method, path               string
	open                       bool
}

// combinations are all there are.
func combinations(yield func(combination) bool) {
	for i := range len(peers) * len(hosts) * len(origins) * len(fetches) * len(tokens) * len(requests) {
		pick := func(n int) int {
			k := i % n
			i /= n
			return k
		}
		c := combination{
			peer: peers[pick(len(peers))], host: hosts[pick(len(hosts))], origin: origins[pick(len(origins))],
			fetch: fetches[pick(len(fetches))], token: tokens[pick(len(tokens))],
		}
		rq := requests[pick(len(requests))]
		c.method, c.path, c.open = rq.method, rq.path, rq.open
		if !yield(c) {
			return
		}
	}
}

func (c combination) request(t *testing.T) *http.Request {
	t.Helper()
	req := request(t, c.method, c.path)
	req.Host = c.host.value
	set := func(name, values string) {
		req.Header.Del(name)
		for value := range strings.SplitSeq(values, "\n") {
			if value != "" {
				req.Header.Add(name, value)
			}
		}
	}
	set("Origin", c.origin.value)
	if c.origin.value == "same" {
		set("Origin", "http://"+c.host.value)
	}
	set("Sec-Fetch-Site", c.fetch.value)
	set("Authorization", c.token.value)
	if c.peer == "loopback behind a proxy" {
		set("X-Forwarded-For", "127.0.0.1")
	}
	return req
}

// want is the answer, said in another way than the guard does.
func (c combination) want() int {
	local := c.peer == "loopback" || c.peer == "socket"
	switch {
	case c.peer != "socket" && !c.host.good, !c.origin.good, !c.fetch.good:
		return http.StatusForbidden
	case c.origin.value == "same" && c.host.value == "":
		return http.StatusForbidden // the same as nothing
	case c.open, c.token.good, local && c.token.value == "":
		return http.StatusNoContent
	default:
		return http.StatusUnauthorized
	}
}

// TestMatrix asks in all ways there are, over a real port and a real socket;
// who comes from elsewhere is made up.
func TestMatrix(t *testing.T) {
	t.Parallel()
	reached := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	cfg := management.Config{Hosts: []string{"ops.internal"}, Token: func() string { return token }}
	srv, socket := start(t, reached, cfg)
	guard := management.Guard(cfg, health, reached)
	lines := map[string]line{"loopback": dial(t, "tcp", srv.Addr().String()), "socket": dial(t, "unix", socket)}

	asked := map[int]int{}
	for c := range combinations {
		var got answer
		// A client does not send an empty Host; HTTP/1.0 has none.
		if l, ok := lines[c.peer]; ok && c.host.value != "" {
			got = l.ask(t, c.request(t))
		} else {
			got = recorded(t, guard, c.peer, c.request(t))
		}
		require.Equal(t, c.want(), got.status, "%+v", c)
		requireProtected(t, got)
		asked[got.status]++
	}
	t.Logf("requests by status: %v", asked)
}

// recorded is the answer to a request whose connection is made up.
func recorded(t *testing.T, h http.Handler, peer string, req *http.Request) answer {
	t.Helper()
	var local net.Addr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9988}
	req.RemoteAddr = "192.0.2.7:1234"
	switch peer {
	case "socket":
		local, req.RemoteAddr = &net.UnixAddr{Name: "m.sock", Net: "unix"}, "@"
	case "loopback", "loopback behind a proxy":
		req.RemoteAddr = "127.0.0.1:1234"
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, local)))
	return answer{w.Code, w.Header(), w.Body.String()}
}

func requireProtected(t *testing.T, got answer) {
	t.Helper()
	require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'self'")
	require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	for name := range got.header {
		require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	withToken := management.Config{Token: func() string { return token }}

	t.Run("AddressOfTheConnectionIsAHost", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		req := request(t, http.MethodGet, "/health")
		req.Host = "192.0.2.1:9988" // a pod is probed by its address
		assert.Equal(t, http.StatusOK, recorded(t, g, "remote", req).status)
	})

	t.Run("ConfiguredAddressIsAHost", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(management.Config{Address: "Manage.Internal:9988"}, health, ok)
		req := request(t, http.MethodGet, "/health")
		req.Host = "manage.internal"
		assert.Equal(t, http.StatusOK, recorded(t, g, "remote", req).status)
	})

	t.Run("LinkThatIsFollowedIsLetIn", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		click := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest"}
		assert.Equal(t, http.StatusOK, recorded(t, g, "loopback", request(t, http.MethodGet, "/", append(click, "document")...)).status)
		assert.Equal(t, http.StatusForbidden, recorded(t, g, "loopback", request(t, http.MethodGet, "/", append(click, "iframe")...)).status)
		assert.Equal(t, http.StatusForbidden, recorded(t, g, "loopback", request(t, http.MethodPost, "/", append(click, "document")...)).status)
	})

	t.Run("AddressThatIsTypedInIsLetIn", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		assert.Equal(t, http.StatusOK, recorded(t, g, "loopback", request(t, http.MethodGet, "/", "Sec-Fetch-Site", "none")).status)
	})

	t.Run("TwoOriginsAreNone", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		req := request(t, http.MethodGet, "/health", "Origin", "http://127.0.0.1", "Origin", "https://evil.example")
		assert.Equal(t, http.StatusForbidden, recorded(t, g, "loopback", req).status)
	})

	t.Run("WithoutATokenOnlyThisMachineMayAsk", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(management.Config{}, health, ok)
		assert.Equal(t, http.StatusOK, recorded(t, g, "loopback", request(t, http.MethodPost, "/", "Authorization", "Bearer any")).status)
		resp := recorded(t, g, "remote", request(t, http.MethodGet, "/", "Authorization", "Bearer "))
		assert.Equal(t, http.StatusForbidden, resp.status, "an empty token is none")
		assert.Contains(t, resp.body, "management.token")
	})

	t.Run("NothingIsOpenUnlessSaid", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, nil, ok)
		assert.Equal(t, http.StatusUnauthorized, recorded(t, g, "remote", request(t, http.MethodGet, "/health")).status)
	})

	t.Run("HandlerKnowsWhomToTrust", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, management.Trusted(r.Context()))
		}))
		assert.Equal(t, "true", recorded(t, g, "loopback", request(t, http.MethodGet, "/health")).body)
		assert.Equal(t, "false", recorded(t, g, "remote", request(t, http.MethodGet, "/health")).body)
		assert.Equal(t, "true", recorded(t, g, "remote", request(t, http.MethodGet, "/health", "Authorization", "Bearer "+token)).body)
		assert.False(t, management.Trusted(t.Context()))
	})

	t.Run("RefusalSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		req := request(t, http.MethodGet, "/health")
		req.Host = "ops.example"
		resp := recorded(t, g, "remote", req)
		assert.Equal(t, "application/problem+json", resp.header.Get("Content-Type"))
		var problem struct {
			Status int
			Detail string
		}
		require.NoError(t, json.Unmarshal([]byte(resp.body), &problem))
		assert.Equal(t, http.StatusForbidden, problem.Status)
		assert.Equal(t, `host "ops.example" is not known here; if it is one of this service, add it to management.hosts`, problem.Detail)
	})

	t.Run("SecretsOfARequestAreInNoRefusal", func(t *testing.T) {
		t.Parallel()
		g := management.Guard(withToken, health, ok)
		for _, peer := range peers {
			resp := recorded(t, g, peer, request(t, http.MethodPost, "/x?key=canary-1", "Authorization", "Bearer canary-2", "Cookie", "s=canary-3", "X-Api-Key", "canary-4"))
			assert.NotEqual(t, http.StatusOK, resp.status)
			said := resp.body + fmt.Sprint(resp.header)
			assert.NotContains(t, said, "canary")
			assert.NotContains(t, said, token)
		}
	})
}
