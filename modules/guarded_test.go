package modules_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// asker is somebody who asks, and what comes of it: by what is asked for.
type asker struct {
	name              string
	host              string // empty: the right one
	header            []string
	open, read, write bool // is let in
	want              int  // else
}

var askers = []asker{
	{name: "this machine", open: true, read: true, write: true},
	{name: "this machine, by name", host: "localhost:1", open: true, read: true, write: true},
	{name: "a page of ours", header: []string{"Origin", "same", "Sec-Fetch-Site", "same-origin"}, open: true, read: true, write: true},
	{name: "the token from elsewhere", header: []string{"X-Forwarded-For", "192.0.2.7", "Authorization", "Bearer T0ken"}, open: true, read: true, write: true},
	{name: "somebody elsewhere", header: []string{"X-Forwarded-For", "192.0.2.7"}, open: true, want: http.StatusUnauthorized},
	{name: "somebody elsewhere who says otherwise", header: []string{"X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "::1"}, open: true, want: http.StatusUnauthorized},
	{name: "a wrong token", header: []string{"Authorization", "Bearer T0kem"}, open: true, want: http.StatusUnauthorized},
	{name: "another scheme", header: []string{"Authorization", "Basic T0ken"}, open: true, want: http.StatusUnauthorized},
	{name: "two tokens", header: []string{"Authorization", "Bearer T0ken", "Authorization", "Bearer T0ken"}, open: true, want: http.StatusUnauthorized},
	{name: "a rebound name", host: "evil.example", want: http.StatusForbidden},
	{name: "a rebound name with the token", host: "evil.example", header: []string{"Authorization", "Bearer T0ken"}, want: http.StatusForbidden},
	{name: "a rebound name that is forwarded", host: "evil.example", header: []string{"X-Forwarded-Host", "localhost"}, want: http.StatusForbidden},
	{name: "a page of another site", header: []string{"Origin", "https://evil.example"}, want: http.StatusForbidden},
	{name: "a page of another port", header: []string{"Origin", "http://localhost:3000"}, want: http.StatusForbidden},
	{name: "a page without an origin", header: []string{"Origin", "null"}, want: http.StatusForbidden},
	{name: "an image on another site", header: []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, want: http.StatusForbidden},
	{name: "a page of another site with the token", header: []string{"Origin", "https://evil.example", "Authorization", "Bearer T0ken"}, want: http.StatusForbidden},
}

// TestEveryEndpointIsGuarded has everybody ask for everything that there is.
func TestEveryEndpointIsGuarded(t *testing.T) {
	t.Parallel()
	s := newSample(t, t.TempDir(), "management: {token: T0ken, pprof: true, endpoints: {shutdown: true}}", nil, nil).start(t)
	names := strings.NewReplacer("{kind}", "pools", "{name}", "pool:sms", "{action}", "nothing", "{property}", "http.addr", "{prefix}", "http",
		"{seq}", "1000000", "{receiver}", "nobody", "{requiredMetricName}", "lastcall_ready")
	type request struct {
		method, path string
		open         bool
	}
	requests := []request{{http.MethodGet, "/debug/pprof/cmdline", false}, {http.MethodGet, "/no/such/thing", false}, {http.MethodGet, "/", true}}
	for _, e := range s.act.Endpoints() {
		path := names.Replace(e.Path)
		if !e.Root {
			path = "/actuator" + path
		}
		require.NotContains(t, path, "{", "say a name for the variable")
		requests = append(requests, request{e.Method, path, e.Open})
		if e.Method == http.MethodGet {
			requests = append(requests, request{http.MethodDelete, path, false}, request{http.MethodHead, path, e.Open})
		}
	}
	asked, refused := 0, 0
	for _, rq := range requests {
		for _, who := range askers {
			reads := rq.method == http.MethodGet || rq.method == http.MethodHead
			in := who.write
			if reads {
				in = who.read || who.open && rq.open
			}
			if in && !reads {
				continue // it would be done
			}
			status := s.statusOf(t, rq.method, rq.path, who)
			if in {
				assert.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s: %s %s", who.name, rq.method, rq.path)
			} else {
				assert.Equal(t, who.want, status, "%s: %s %s", who.name, rq.method, rq.path)
				refused++
			}
			asked++
		}
	}
	assert.Empty(t, s.conductor.Audit(), "nothing was changed")
	assert.Equal(t, lifecycle.Running, s.conductor.State())
	select {
	case <-s.conductor.Asked():
		assert.Fail(t, "somebody has stopped it")
	default:
	}
	t.Logf("%d endpoints and pages, %d askers: %d requests, %d refused", len(requests), len(askers), asked, refused)
}

func (s *sample) statusOf(t *testing.T, method, path string, who asker) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.srv.Addr().String()+path, http.NoBody)
	require.NoError(t, err)
	if who.host != "" {
		req.Host = who.host
	}
	for i := 0; i < len(who.header); i += 2 {
		value := who.header[i+1]
		if value == "same" {
			value = "http://" + s.srv.Addr().String()
		}
		req.Header.Add(who.header[i], value)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode
}
