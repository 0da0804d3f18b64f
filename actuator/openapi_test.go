package actuator_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/internal/openapitest"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// documentOf is the OpenAPI document, which must be one.
func documentOf(tb testing.TB, act http.Handler) *openapitest.Document {
	tb.Helper()
	w := ask(tb, act, http.MethodGet, "/actuator/openapi.json")
	require.Equal(tb, http.StatusOK, w.Code, "%s", w.Body)
	return openapitest.Parse(tb, w.Body.Bytes())
}

// promised asks and holds the answer against the document.
func promised(tb testing.TB, act http.Handler, d *openapitest.Document, w *httptest.ResponseRecorder, method, target string) {
	tb.Helper()
	path, _, _ := strings.Cut(target, "?")
	assert.NoError(tb, d.Check(method, path, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()), "%s %s: %d\n%s", method, target, w.Code, w.Body)
}

var boxNames = map[string][]string{
	"kind": {"boxs"}, "name": {"box:sms", "broken", "readiness", "ROOT"}, "requiredMetricName": {"lastcall_bar_wait_seconds", "lastcall_component_ratio"},
}

func TestDocumentIsOne(t *testing.T) {
	t.Run("AndHasEveryEndpointThatIsOn", func(t *testing.T) {
		act := running(t, actuator.Config{Endpoints: map[string]bool{"shutdown": true, "loggers": false}}, bar("bar:a"))
		d := documentOf(t, act)
		is := map[string]bool{}
		for path, operations := range d.Paths {
			for method := range operations {
				is[strings.ToUpper(method)+" "+path] = true
			}
		}
		want := map[string]bool{}
		for _, e := range act.Endpoints() {
			path := e.Path
			if !e.Root {
				path = "/actuator" + path
			}
			want[e.Method+" "+path] = true
		}
		assert.Equal(t, want, is)
		assert.True(t, is["POST /actuator/shutdown"])
		assert.False(t, is["GET /actuator/loggers"])
	})
	t.Run("WhereNothingCanBeChanged", func(t *testing.T) {
		d := documentOf(t, running(t, actuator.Config{ReadOnly: true, Endpoints: map[string]bool{"shutdown": true}}))
		for path, operations := range d.Paths {
			assert.Equal(t, []string{"get"}, slices.Collect(maps.Keys(operations)), path)
		}
	})
}

// TestEveryAnswerIsAsPromised asks for everything there is, from before the
// start until after the stop.
func TestEveryAnswerIsAsPromised(t *testing.T) {
	b, ratio := newBox(), lifecycle.Metric{Name: "ratio"}
	stopping, goOn := make(chan struct{}), make(chan struct{})
	broken := lifecycle.Hook{
		Name: "broken", OnStop: func(context.Context) error { close(stopping); <-goOn; return errors.New("it hung for a while") },
		Panel: &lifecycle.Panel{
			Health:  func(context.Context) lifecycle.Health { panic("unwell") },
			Stats:   func() any { return func() {} },
			Inspect: func(context.Context) any { return nil },
			Metrics: func() []lifecycle.Metric { return []lifecycle.Metric{ratio, {Name: "1"}} },
		},
	}
	a, conductor := app(t, bar("bar:a"), b.hook(), broken)
	act := over(t, conductor, actuator.Config{Info: map[string]any{"team": "sms"}},
		actuator.WithLoggers(actuator.Logger{Name: "ROOT", Component: "box:sms", Knob: "policy", Configured: "block"}))

	asked := map[int]int{}
	round := func() {
		d := documentOf(t, act)
		for _, target := range d.Gets(boxNames) {
			for _, accept := range []string{"application/json", "text/plain, */*;q=0.1"} {
				w := ask(t, act, http.MethodGet, target, "Accept", accept)
				promised(t, act, d, w, http.MethodGet, target)
				asked[w.Code]++
			}
		}
		for _, target := range []string{"/actuator/drain?dryRun=true&over=100ms", "/actuator/components/bar:a?inspect=true", "/actuator/audit?limit=0"} {
			promised(t, act, d, ask(t, act, http.MethodGet, target), http.MethodGet, target)
		}
		for _, change := range []struct{ method, target, body string }{
			{http.MethodPatch, boxKnobs, `{"workers": 9, "wait": "2s"}`},
			{http.MethodPatch, boxKnobs + "?dryRun=true", `{"share": 0.25}`},
			{http.MethodPatch, boxKnobs + "?ttl=10m", `{"keep": false}`},
			{http.MethodPatch, boxKnobs, `{"workers": "none", "nonsense": null, "shelves": 1}`},
			{http.MethodPatch, boxKnobs, `[`},
			{http.MethodPost, "/actuator/loggers/ROOT", `{"configuredLevel": "ABORT"}`},
			{http.MethodPost, "/actuator/loggers/ROOT", `{}`},
			{http.MethodPost, "/actuator/loggers/nobody", `{}`},
		} {
			w := send(t, act, change.method, change.target, change.body)
			promised(t, act, d, w, change.method, change.target)
			asked[w.Code]++
		}
	}
	round()
	a.RequireStart()
	round()
	stopped := make(chan error, 1)
	go func() { stopped <- a.Stop(context.WithoutCancel(t.Context())) }()
	<-stopping
	round()
	close(goOn)
	require.Error(t, <-stopped)
	round()
	assert.NotZero(t, conductor.Receipt().ExitCode())
	for _, status := range []int{200, 202, 204, 400, 404, 409, 422, 503} {
		assert.Positive(t, asked[status], status)
	}
	t.Logf("answers by status: %v", asked)
}

// TestWrongAnswersAreNotAsPromised spoils true answers: without it, a document
// that promises anything would do.
func TestWrongAnswersAreNotAsPromised(t *testing.T) {
	act := running(t, actuator.Config{}, bar("bar:a"), newBox().hook())
	d := documentOf(t, act)
	spoiled := 0
	for _, path := range []string{
		"", "/health", "/info", "/components", "/components/box:sms", "/bars", "/boxs/box:sms/knobs", "/metrics", "/metrics/lastcall_bar_wait_seconds",
		"/audit", "/events", "/drain", "/startup", "/shutdown-report", "/runs", "/threaddump", "/loggers",
	} {
		path = "/actuator" + path
		w := ask(t, act, http.MethodGet, path)
		contentType := w.Header().Get("Content-Type")
		check := func(status int, body object) error {
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			return d.Check(http.MethodGet, path, status, contentType, raw)
		}
		answer := decoded(t, w)
		require.NoError(t, check(w.Code, answer), path)
		for key := range answer {
			if key == "stats" {
				continue // they are the component's own
			}
			without, wrong := maps.Clone(answer), maps.Clone(answer)
			delete(without, key)
			wrong[key] = []any{[]any{7}}
			if check(w.Code, without) != nil { // it is required
				spoiled++
			}
			require.Error(t, check(w.Code, wrong), "%s: %s", path, key)
			spoiled++
		}
		more := maps.Clone(answer)
		more["noise"] = true
		require.Error(t, check(w.Code, more), path)
		require.Error(t, check(http.StatusTeapot-200, answer), "%s: a status that is not promised", path)
		require.Error(t, d.Check(http.MethodGet, path, w.Code, "text/html", w.Body.Bytes()), "%s: another media type", path)
		require.Error(t, d.Check(http.MethodGet, path, w.Code, contentType, []byte("{")), "%s: no JSON", path)
	}
	assert.Greater(t, spoiled, 40)
	require.Error(t, d.Check(http.MethodGet, "/nowhere", http.StatusOK, v3, []byte("{}")))
	require.Error(t, d.Check(http.MethodGet, "/livez", http.StatusOK, v3, []byte("{}")))
}

// custom is as a type of somebody else's may be.
type custom struct {
	At    time.Time     `json:"at"`
	For   time.Duration `json:"-"`
	Next  *custom       `json:"next,omitempty"`
	Maybe *level        `json:"maybe"`
	Level level         `json:"level"`
	Odd   odd           `json:"odd"`
	Raw   []byte        `json:"raw"`
	Page  page[custom]  `json:"page"`
	Said  []struct {
		Word string `json:"word"`
	} `json:"said"`
	hidden int
}

type (
	level         int
	odd           struct{ A, B int }
	page[T any]   struct{ Of []T }
	health        struct{ Pulse int }
	uninhabitable struct{ F map[struct{}]int }
)

func (l level) MarshalText() ([]byte, error) { return []byte{'a' + byte(l)}, nil }
func (odd) MarshalJSON() ([]byte, error)     { return []byte(`[1,"b"]`), nil }

func TestEndpointsOfOthersAreDescribed(t *testing.T) {
	_, conductor := app(t, bar("bar:a"))
	get := func(path string, answer any) actuator.Custom {
		return actuator.Custom{
			Endpoint: actuator.Endpoint{ID: path[1:], Method: http.MethodGet, Path: path, Summary: "It is somebody else's.", Answer: answer},
			Serve:    func(*http.Request) (any, error) { return answer, nil },
		}
	}
	one := custom{hidden: 1, Next: &custom{}, Raw: []byte("raw"), Maybe: new(level), Page: page[custom]{[]custom{{}}}}
	act := over(t, conductor, actuator.Config{}, actuator.WithEndpoints(
		get("/customs", one), get("/lists", []custom{one}), get("/maps", map[string]*custom{"a": &one, "b": nil}),
		get("/pulse", health{3}), get("/odd", odd{}), get("/text", level(1)), get("/any", struct{ V any }{7}), get("/cannot", uninhabitable{}),
	))
	d := documentOf(t, act)
	for _, path := range []string{"/customs", "/lists", "/maps", "/pulse", "/odd", "/text", "/any"} {
		target := "/actuator" + path
		w := ask(t, act, http.MethodGet, target)
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		promised(t, act, d, w, http.MethodGet, target)
	}
	for _, wrong := range []string{`{}`, `{"Pulse":"3"}`, `{"status":"UP"}`} {
		assert.Error(t, d.Check(http.MethodGet, "/actuator/pulse", 200, v3, []byte(wrong)), "a type that has the name of one of ours")
	}
	assert.Error(t, d.Check(http.MethodGet, "/actuator/maps", 200, v3, []byte(`{"a":{}}`)))
}
