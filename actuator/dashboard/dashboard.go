package dashboard

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

// DefaultBasePath is where the page looks for the actuator.
const DefaultBasePath = "/actuator"

// pagePath is where the page is, assetsPath where its files are.
const (
	pagePath   = "/"
	assetsPath = "/assets/"
)

// policy lets the page load and ask for what is its own, and nothing else.
const policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Config says what the page must know before it can ask.
type Config struct {
	// BasePath is that of the actuator: "/manage". Zero: "/actuator".
	BasePath string
}

// Dashboard serves the page and its files, to GET and HEAD. Make one with [New].
type Dashboard struct {
	files map[string]file // by path
}

// New returns the dashboard. The error is one of building it: its files do not
// fit together.
func New(cfg Config) (*Dashboard, error) {
	if cfg.BasePath == "" {
		cfg.BasePath = DefaultBasePath
	}
	assets, err := packed()
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	page, err := render(cfg)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	d := &Dashboard{files: map[string]file{pagePath: page}}
	for name, f := range assets {
		d.files[assetsPath+name] = f
	}
	return d, nil
}

// render makes the page, in which only the configuration differs.
func render(cfg Config) (file, error) {
	t, err := template.ParseFS(embedded, assetsDir+"/"+pageFile)
	if err != nil {
		return file{}, err
	}
	var b bytes.Buffer
	if err := t.Option("missingkey=error").Execute(&b, cfg); err != nil {
		return file{}, err
	}
	return pack(pageFile, b.Bytes())
}

// Serves reports whether a path is the page's or one of its files'.
func (d *Dashboard) Serves(path string) bool {
	_, ok := d.files[path]
	return ok
}

// ServeHTTP implements [http.Handler]. A path that is not served gets 404, a
// method that does not read 405.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	f, ok := d.files[r.URL.Path]
	switch {
	case !ok:
		http.Error(w, "there is no such file; the dashboard is at "+pagePath, http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the dashboard can only be read; what changes something is below the actuator's path", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == pagePath {
		h.Set("Cache-Control", "no-store")
	} else {
		h.Set("Cache-Control", "no-cache") // it may be kept, and is asked for by its ETag
		h.Set("ETag", f.tag)
	}
	h.Set("Content-Type", f.media)
	h.Set("Vary", "Accept-Encoding")
	body := f.plain
	if takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip: a browser says "gzip, deflate, br"; "gzip;q=0" is a no.
func takesGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			words := strings.FieldsFunc(part, func(c rune) bool { return c == ';' || c == ' ' })
			if len(words) > 0 && words[0] == "gzip" {
				return !slices.Contains(words, "q=0") && !slices.Contains(words, "q=0.0")
			}
		}
	}
	return false
}
