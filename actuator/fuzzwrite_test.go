package actuator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/actuator"
)

// FuzzPatch: whatever comes is answered with a status that is meant for it, and
// nothing else than what was asked for is changed.
func FuzzPatch(f *testing.F) {
	for _, body := range []string{`{"workers":8}`, `{"wait":"1s"}`, `{"workers":1e999,"x":null}`, `[`, `{"keep":{"keep":{}}}`, "\xff"} {
		f.Add(body, "dryRun=true&ttl=10m", `"1"`)
		f.Add(body, "ttl=%zz", "*")
	}
	b := newBox()
	act := running(f, actuator.Config{}, b.hook())
	f.Fuzz(func(t *testing.T, body, query, tag string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, boxKnobs, strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("If-Match", tag)
		switch w := serve(act, r); w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnprocessableEntity:
		case http.StatusInternalServerError:
			if !strings.Contains(body, "13") { // at which the box panics
				t.Errorf("%s", w.Body)
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if b.value("shelves") != int64(100) {
			t.Error("a cold knob was turned")
		}
	})
}

// FuzzQuery: no query makes an endpoint of ours panic or answer with our fault.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{"since=1", "limit=10&component=box:sms", "since=a.1", "dryRun=maybe", "over=1ns&dryRun=1", "component=%00", "&&=;"} {
		f.Add(query, "application/json", "3k.1")
	}
	act := running(f, actuator.Config{}, newBox().hook())
	f.Fuzz(func(t *testing.T, query, accept, id string) {
		if values, err := url.ParseQuery(query); err == nil && values.Has("dryRun") || strings.Contains(accept, "text") {
			t.Skip("it takes its time")
		}
		for _, path := range []string{"/audit", "/events", "/drain", "/startup", "/shutdown-report", "/threaddump", "/loggers", "/feed", "/history", "/runs", "/beans", "/openapi.json", "/metrics/go_goroutines"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/actuator"+path, http.NoBody)
			r.URL.RawQuery = query
			r.Header.Set("Accept", accept)
			r.Header.Set("Last-Event-ID", id)
			if w := serve(act, r); w.Code >= http.StatusInternalServerError {
				t.Errorf("%s: status %d: %s", path, w.Code, w.Body)
			}
		}
	})
}
