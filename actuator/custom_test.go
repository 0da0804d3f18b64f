package actuator_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
)

func TestMaskOfAKey(t *testing.T) {
	t.Parallel()
	cfg := actuator.Config{Show: []string{"page_token", "a.b.password"}}
	for _, tt := range []struct {
		key  string
		give any
		want string
	}{
		{"pools.sms.workers", 8, `8`},
		{"db.password", "x", `"******"`},
		{"db.password", 7, `"******"`},
		{"db.password", nil, `null`},
		{"db.password", "", `""`},
		{"a.b.password", "x", `"x"`},
		{"list.page_token", "x", `"x"`},
		{"db.url", "pg://me:x@h", `"pg://me:******@h"`},
		{"db.extra", map[string]any{"api_key": "x", "page_token": "y"}, `{"api_key":"******","page_token":"y"}`},
		{"db.broken", make(chan int), `"******"`},
	} {
		raw, err := json.Marshal(cfg.Mask(tt.key, tt.give))
		require.NoError(t, err)
		assert.JSONEq(t, tt.want, string(raw), "%s", tt.key)
	}
	assert.True(t, cfg.Hides("db.password"))
	assert.False(t, cfg.Hides("a.b.password"))
}

func TestEndpointsOfOthersCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	cfg := actuator.Config{Endpoints: map[string]bool{"env": false}}
	require.ErrorContains(t, cfg.Validate(), "endpoints.env: there is no such endpoint")
	require.NoError(t, cfg.ValidateWith("env"))

	_, conductor := app(t)
	custom := func(id string, masked bool) actuator.Custom {
		return actuator.Custom{
			Endpoint: actuator.Endpoint{ID: id, Method: http.MethodGet, Path: "/" + id, Summary: "Of a test."},
			Serve:    func(*http.Request) (any, error) { return map[string]string{"password": "x"}, nil }, Masked: masked,
		}
	}
	a := over(t, conductor, cfg, actuator.WithEndpoints(custom("env", true), custom("mine", false), custom("masked", true)))
	get(t, a, "/actuator/env", http.StatusNotFound)
	assert.Equal(t, "******", get(t, a, "/actuator/mine", http.StatusOK)["password"])
	assert.Equal(t, "x", get(t, a, "/actuator/masked", http.StatusOK)["password"], "its own affair")
}
