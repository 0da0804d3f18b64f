package actuator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/actuator"
)

// FuzzRequest: whatever is asked, the answer is one of ours, is what its type
// says, and has no secret.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{
		"actuator", "actuator/health", "actuator/health/db", "actuator/components/bar:a", "actuator/bars",
		"actuator/metrics/lastcall_bar_seats", "actuator/prometheus", "actuator/%2e%2e/x", "//", "livez",
	} {
		f.Add("GET", path, "inspect=true&tag=component:bar:a&name[]=x", "application/json;q=0.5,*/*")
	}
	f.Add("PATCH", "actuator/bars/bar:a", "tag=%zz&inspect=no", "text/html")
	act := running(f, actuator.Config{}, bar("bar:a"))
	f.Fuzz(func(t *testing.T, method, path, query, accept string) {
		if strings.Contains(accept, "text/event") || strings.Contains(query, "dryRun") {
			t.Skip("it takes its time")
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://x/", strings.NewReader("{"))
		if err != nil {
			t.Skip("no method")
		}
		r.URL = &url.URL{Path: "/" + path, RawQuery: query}
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		act.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		if strings.HasSuffix(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("no JSON: %s", w.Body)
		}
		if strings.Contains(w.Body.String(), "s3cret") && !strings.Contains(path+query, "s3cret") {
			t.Fatalf("a secret: %s", w.Body)
		}
	})
}
