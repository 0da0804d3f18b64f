package dashboard_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/dashboard"
)

func ask(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	d, err := dashboard.New(dashboard.Config{BasePath: "/manage"})
	require.NoError(t, err)
	files := assets(t)

	t.Run("PageKnowsWhereTheActuatorIs", func(t *testing.T) {
		t.Parallel()
		w := ask(t, d, http.MethodGet, "/")
		assert.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		assert.Contains(t, w.Body.String(), `data-base="/manage"`)
		usual, err := dashboard.New(dashboard.Config{})
		require.NoError(t, err)
		assert.Contains(t, ask(t, usual, http.MethodGet, "/").Body.String(), `data-base="/actuator"`)
		hostile, err := dashboard.New(dashboard.Config{BasePath: `/"><script>`})
		require.NoError(t, err)
		assert.NotContains(t, ask(t, hostile, http.MethodGet, "/").Body.String(), `"><script>`)
	})

	t.Run("FilesComeAsTheyAre", func(t *testing.T) {
		t.Parallel()
		for name, content := range files {
			if name == "page.html" {
				continue
			}
			require.True(t, d.Serves("/assets/"+name), name)
			w := ask(t, d, http.MethodGet, "/assets/"+name)
			assert.Equal(t, content, w.Body.String(), name)
			assert.Empty(t, w.Header().Get("Content-Encoding"))
			w = ask(t, d, http.MethodGet, "/assets/"+name, "Accept-Encoding", "gzip, deflate, br")
			assert.Equal(t, "gzip", w.Header().Get("Content-Encoding"), name)
			assert.Equal(t, "Accept-Encoding", w.Header().Get("Vary"), name)
			unpacked, err := gzip.NewReader(w.Body)
			require.NoError(t, err)
			got, err := io.ReadAll(unpacked)
			require.NoError(t, err)
			assert.Equal(t, content, string(got), name)
			assert.Empty(t, ask(t, d, http.MethodHead, "/assets/"+name).Body.String())
		}
		for header, packed := range map[string]bool{"": false, "br": false, "gzip;q=0": false, "gzip; q=0.5": true, "deflate,gzip": true} {
			w := ask(t, d, http.MethodGet, "/assets/app.js", "Accept-Encoding", header)
			assert.Equal(t, packed, w.Header().Get("Content-Encoding") == "gzip", "%q", header)
		}
	})

	t.Run("WhoHasAFileIsToldSo", func(t *testing.T) {
		t.Parallel()
		w := ask(t, d, http.MethodGet, "/assets/app.js")
		assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
		again := ask(t, d, http.MethodGet, "/assets/app.js", "If-None-Match", w.Header().Get("ETag"))
		assert.Equal(t, http.StatusNotModified, again.Code)
		assert.Empty(t, again.Body.String())
		other := ask(t, d, http.MethodGet, "/assets/style.css").Header().Get("ETag")
		assert.Equal(t, http.StatusOK, ask(t, d, http.MethodGet, "/assets/app.js", "If-None-Match", other).Code)
	})

	t.Run("EveryAnswerIsStrict", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/", "/assets/app.js", "/assets/style.css", "/nowhere"} {
			h := ask(t, d, http.MethodGet, path).Header()
			assert.Equal(t, "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'", h.Get("Content-Security-Policy"), path)
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
			assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		}
	})

	t.Run("NothingElseIsServed", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/index.html", "/page.html", "/assets/", "/assets/page.html", "/assets/../dashboard.go", "/assets/app.js/", "//"} {
			assert.False(t, d.Serves(path), path)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.URL.Path = path
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			assert.Equal(t, http.StatusNotFound, w.Code, path)
		}
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND"} {
			w := ask(t, d, method, "/")
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	})
}
