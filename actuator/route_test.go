package actuator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
)

func TestIndexLinksWhatThereIs(t *testing.T) {
	act := running(t, actuator.Config{})
	w := ask(t, act, http.MethodGet, "http://boxes.example:9988/actuator")
	assert.Equal(t, v3, w.Header().Get("Content-Type"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	links := decoded(t, w)["_links"].(object)
	assert.Equal(t, object{"href": "http://boxes.example:9988/actuator", "templated": false}, links["self"])
	assert.Equal(t, object{"href": "http://boxes.example:9988/actuator/info", "templated": false}, links["info"])
	assert.Equal(t, object{"href": "http://boxes.example:9988/readyz", "templated": false}, links["readyz"])
}

func TestMediaTypes(t *testing.T) {
	act := running(t, actuator.Config{})
	const v2 = "application/vnd.spring-boot.actuator.v2+json"
	for _, tt := range []struct {
		give string
		want string // "": 406
	}{
		{"*/*", v3},
		{"application/*", v3},
		{"application/json", "application/json"},
		{"application/json, */*", "application/json"},
		{"text/html,application/xhtml+xml,*/*;q=0.8", v3},
		{"application/json;q=0.5, " + v3 + ";q=0.4", "application/json"},
		{v2 + ", application/json", v2},
		{"text/html", ""},
		{"*/*;q=0", ""},
		{v3 + ";q=0, application/json", "application/json"},
		{"application/json;q=NaN", "application/json"},
		{"!!, application/json", "application/json"},
	} {
		w := ask(t, act, http.MethodGet, "/actuator", "Accept", tt.give)
		if tt.want == "" {
			assert.Equal(t, http.StatusNotAcceptable, w.Code, tt.give)
			assert.Contains(t, decoded(t, w)["detail"], v3)
			continue
		}
		assert.Equal(t, http.StatusOK, w.Code, tt.give)
		assert.Equal(t, tt.want, w.Header().Get("Content-Type"), tt.give)
	}
}

func TestRefusals(t *testing.T) {
	act := running(t, actuator.Config{MaxBodyBytes: 10})

	t.Run("NothingThere", func(t *testing.T) {
		body := get(t, act, "/actuator/nonsense", http.StatusNotFound)
		assert.Equal(t, object{
			"type": "about:blank", "title": "Not Found", "status": 404.0, "instance": "/actuator/nonsense",
			"detail": "there is nothing at /actuator/nonsense; /actuator lists what there is",
		}, body)
	})
	t.Run("WrongMethodSaysWhichIsRight", func(t *testing.T) {
		w := ask(t, act, http.MethodDelete, "/actuator/info")
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
		assert.Equal(t, "GET, HEAD, OPTIONS", w.Header().Get("Allow"))
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	})
	t.Run("OptionsListsMethods", func(t *testing.T) {
		w := ask(t, act, http.MethodOptions, "/actuator/info")
		assert.Equal(t, http.StatusNoContent, w.Code)
		assert.Equal(t, "GET, HEAD, OPTIONS", w.Header().Get("Allow"))
	})
	t.Run("HeadIsGetWithoutABody", func(t *testing.T) {
		w := ask(t, act, http.MethodHead, "/actuator/info")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.NotEmpty(t, w.Header().Get("Content-Length"))
	})
	t.Run("LongQuery", func(t *testing.T) {
		w := ask(t, act, http.MethodGet, "/actuator?"+strings.Repeat("a", 5000))
		assert.Equal(t, http.StatusRequestURITooLong, w.Code)
	})
	t.Run("QueryThatCannotBeRead", func(t *testing.T) {
		get(t, act, "/actuator/info?a=%zz", http.StatusBadRequest)
	})
	t.Run("LargeBody", func(t *testing.T) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/actuator/info", strings.NewReader(strings.Repeat("a", 11)))
		require.NoError(t, err)
		w := serve(act, r)
		assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	})
}

func TestEndpointsAreTurnedOff(t *testing.T) {
	act := running(t, actuator.Config{BasePath: "/manage", Endpoints: map[string]bool{"info": false}})
	get(t, act, "/manage/info", http.StatusNotFound)
	get(t, act, "/actuator", http.StatusNotFound)
	assert.NotContains(t, get(t, act, "/manage", http.StatusOK)["_links"], "info")
	for _, e := range act.Endpoints() {
		assert.NotEqual(t, "info", e.ID)
	}
}

func TestMatchSaysWhatARequestIsFor(t *testing.T) {
	act := running(t, actuator.Config{})
	match := func(method, path string) (string, bool) {
		r, err := http.NewRequestWithContext(t.Context(), method, path, http.NoBody)
		require.NoError(t, err)
		e, ok := act.Match(r)
		return e.ID, ok
	}
	id, ok := match(http.MethodHead, "/actuator/info?x=y")
	assert.Equal(t, "info", id)
	assert.True(t, ok)
	for _, path := range []string{"/", "/actuator/", "/actuator/pools/a/b", "/Actuator/info"} {
		_, ok = match(http.MethodGet, path)
		assert.False(t, ok, path)
	}
	_, ok = match(http.MethodPost, "/actuator/info")
	assert.False(t, ok)
}

func TestConfigNamesEveryWrongField(t *testing.T) {
	err := actuator.Config{
		BasePath: "x/", MetricPrefix: "9", MaxBodyBytes: -1, Show: []string{"["},
		Endpoints: map[string]bool{"nonsense": true},
		Health: actuator.HealthConfig{
			Timeout: -1, Details: "some",
			Groups: map[string]actuator.HealthGroup{"a/b": {Include: []string{"["}, Exclude: []string{"["}}},
		},
	}.Validate()
	for _, field := range []string{
		"base_path", "metric_prefix", "max_body_bytes", "show[0]", "endpoints.nonsense",
		"health.timeout", "health.details", "health.groups.a/b: ", "health.groups.a/b.include[0]", "health.groups.a/b.exclude[0]",
	} {
		assert.ErrorContains(t, err, field)
	}
	assert.NoError(t, actuator.Config{}.Validate())
	_, err = actuator.New(nil, actuator.Config{})
	assert.ErrorContains(t, err, "conductor is nil")
}
