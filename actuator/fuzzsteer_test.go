package actuator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// FuzzWrite: whatever is sent to whatever changes something is answered with a
// status that is meant for it, as a problem if it is refused, and what is told
// of it has no secret. What a gate admits is the same afterwards.
func FuzzWrite(f *testing.F) {
	for _, seed := range []struct{ method, path, query, body, tag string }{
		{"POST", "components/box:sms/actions/empty", "", `{"into":"bin","limit":5}`, ""},
		{"POST", "boxs/box:sms/actions/empty", "dryRun=1", `{"limit":1e999}`, `"1"`},
		{"POST", "boxs/box:sms/actions/%2e", "", `{"limit":null,"limit":2}`, "*"},
		{"POST", "audit/1/rollback", "", "", ""},
		{"POST", "audit/18446744073709551616/rollback", "dryRun=true", "{}", `W/"2"`},
		{"POST", "audit/-1/rollback", "persist=true", "x", ""},
		{"PATCH", "components/box:sms/knobs", "persist=true", `{"workers":8}`, ""},
		{"PATCH", "components/box:sms/knobs", "persist=true&ttl=1m", `{"wait":"2s","keep":false}`, ""},
		{"PATCH", "components/box:sms/knobs", "persist=maybe&ttl=-1s&ttl=2h", `{"policy":"abort"}`, ""},
		{"POST", "loggers/ROOT", "ttl=1h", `{"configuredLevel":"ABORT"}`, ""},
		{"POST", "loggers/ROOT", "", `{"configuredLevel":["ABORT"]}`, ""},
		{"POST", "drain", "dryRun=1&over=1ns", "", ""},
		{"DELETE", "drain", "x=1", "{}", ""},
		{"DELETE", "drain", "", "", ""},
		{"POST", "shutdown", "now", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body, seed.tag)
	}
	a, conductor := app(f, actingBox(emptied))
	conductor.PersistIn(&shelf{})
	a.RequireStart()
	f.Cleanup(a.RequireStop)
	act := over(f, conductor, actuator.Config{Endpoints: map[string]bool{"shutdown": true}},
		actuator.WithShutdown(func(string) error { return nil }),
		actuator.WithLoggers(actuator.Logger{Name: "ROOT", Component: "box:sms", Knob: "policy", Configured: "block"}))
	allowed := []int{
		http.StatusOK, http.StatusAccepted, http.StatusNoContent, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusNotAcceptable, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
	}
	f.Fuzz(func(t *testing.T, method, path, query, body, tag string) {
		values, err := url.ParseQuery(query)
		rehearses := values.Has("dryRun") && strings.Contains(path, "drain")
		if !slices.Contains([]string{"POST", "PATCH", "DELETE", "PUT"}, method) || err == nil && rehearses && !strings.Contains(query, "over=1") {
			t.Skip("it changes nothing, or takes its time")
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
		r.URL = &url.URL{Path: "/actuator/" + path, RawQuery: query}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("If-Match", tag)
		w := serve(act, r)
		boom := w.Code == http.StatusInternalServerError && strings.Contains(body, "13") // at which the box panics
		if !boom && !slices.Contains(allowed, w.Code) {
			t.Errorf("%s %s?%s: status %d: %s", method, path, query, w.Code, w.Body)
		}
		if strings.HasSuffix(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
			t.Errorf("no JSON: %s", w.Body)
		}
		if w.Code >= http.StatusBadRequest && w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("a refusal that is no problem: %s", w.Body)
		}
		if strings.Contains(w.Body.String(), "canary-secret") && !strings.Contains(path+body, "canary-secret") {
			t.Errorf("a secret: %s", w.Body)
		}
		if conductor.State() != lifecycle.Running {
			t.Error("it has been stopped")
		}
	})
}
