package management_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/actuator/management"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	get := func(ctx context.Context, path string) answer {
		w := httptest.NewRecorder()
		management.Profiles().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, management.ProfilesPath+path, http.NoBody))
		return answer{w.Code, w.Header(), w.Body.String()}
	}

	t.Run("AreListed", func(t *testing.T) {
		t.Parallel()
		list := get(t.Context(), "").body
		for _, name := range []string{"profile", "trace", "heap", "goroutine"} {
			assert.Contains(t, list, name+"\n")
		}
	})

	t.Run("AreForPprofOrForAPerson", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, "\x1f\x8b", get(t.Context(), "heap?gc=1").body[:2], "gzip, as go tool pprof wants it")
		assert.Contains(t, get(t.Context(), "goroutine?debug=1").body, "goroutine profile: total")
		assert.Equal(t, http.StatusNotFound, get(t.Context(), "cmdline").status, "there may be secrets in it")
		assert.Equal(t, http.StatusBadRequest, get(t.Context(), "heap?debug=x").status)
	})

	t.Run("EndWithTheirRequest", func(t *testing.T) {
		t.Parallel()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		assert.Equal(t, "\x1f\x8b", get(gone, "profile?seconds=300").body[:2])
		assert.Equal(t, http.StatusBadRequest, get(gone, "profile?seconds=301").status)
		assert.Equal(t, http.StatusBadRequest, get(gone, "trace?seconds=NaN").status)
	})
}

func TestDefaultServeMuxServesNoProfiles(t *testing.T) {
	t.Parallel()
	_, pattern := http.DefaultServeMux.Handler(httptest.NewRequestWithContext(t.Context(), http.MethodGet, management.ProfilesPath, http.NoBody))
	assert.Empty(t, pattern)
}
