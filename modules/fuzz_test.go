package modules_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// FuzzEndpoints asks the endpoints that are made here, and those of our
// components: whatever is asked, nothing is our fault, and no secret is told.
func FuzzEndpoints(f *testing.F) {
	for _, seed := range []struct{ method, path, query, body string }{
		{"GET", "env", "pattern=^http", ""},
		{"GET", "env", "pattern=(((((.*)*)*)*)*)$&pattern=[", ""},
		{"GET", "env/http.addr", "", ""},
		{"GET", "env/management.token", "x=%zz", ""},
		{"GET", "configprops/pools", "", ""},
		{"GET", "journal", "limit=-1", ""},
		{"GET", "deadletters/lane:texts/letters", "limit=1e9&after=x", ""},
		{"GET", "alarms", "", ""},
		{"GET", "conditions", "since=1", ""},
		{"POST", "alarms/nobody/test", "", "{}"},
		{"POST", "components/deadletters/actions/redrive", "", `{"lane":"texts"}`},
		{"POST", "batchers/batch:notes/actions/flush", "", `{"wait":true}`},
		{"PATCH", "pools/pool:sms/knobs", "persist=true", `{"workers":3,"queue":"many"}`},
		{"PATCH", "batchers/batch:notes/knobs", "ttl=1s", `{"linger":"1ns"}`},
		{"PATCH", "components/http/knobs", "", `{"max_body_bytes":0}`},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body)
	}
	s := &sample{held: make(chan struct{})}
	dir := f.TempDir()
	s.app = app.New(s.service(), fx.Replace(zap.NewNop()),
		sources("management: {token: canary-token}\nhttp: {addr: '127.0.0.1:0'}\njournal: {dir: "+dir+"}", anyPort))
	require.NoError(f, s.app.Err())
	require.NoError(f, s.app.Start(f.Context()))
	f.Cleanup(func() {
		close(s.held)
		_ = s.app.Stop(f.Context()) // the fuzzer may have made it hard
	})
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		values, err := url.ParseQuery(query)
		if !slices.Contains([]string{"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"}, method) || err == nil && values.Has("dryRun") || strings.HasPrefix(path, "drain") {
			t.Skip("it takes its time, or stops what is looked at")
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: actuator.DefaultBasePath + "/" + path, RawQuery: query}
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.act.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s?%s %s: status %d: %s", method, path, query, body, w.Code, w.Body)
		}
		if strings.HasSuffix(w.Header().Get("Content-Type"), "json") && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("no JSON: %s", w.Body)
		}
		if strings.Contains(w.Body.String(), "canary-token") && !strings.Contains(path+query+body, "canary") {
			t.Errorf("a secret: %s", w.Body)
		}
		if state := s.conductor.State(); state != lifecycle.Running {
			t.Errorf("it is %v", state)
		}
	})
}
