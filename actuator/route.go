package actuator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxQuery bounds what stands behind the "?", in bytes.
const maxQuery = 4 << 10

// methods is what one path answers, by method.
type methods map[string]endpoint

// routes gives each path its methods. The mux chooses by path alone, so that
// a wrong method is answered in our words.
func (a *Actuator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	paths := map[string]methods{}
	for _, e := range a.endpoints {
		path := a.pattern(e.Endpoint)
		if paths[path] == nil {
			paths[path] = methods{}
			mux.Handle(path, route{a, paths[path]})
		}
		paths[path][e.Method] = e
	}
	return mux
}

// Match says which endpoint a request is for, and whether there is one: what
// a server that guards the actuator wants to know. HEAD is for the endpoint of
// GET.
func (a *Actuator) Match(r *http.Request) (Endpoint, bool) {
	h, _ := a.mux.Handler(r)
	ms, ok := h.(route)
	if !ok {
		return Endpoint{}, false
	}
	e, ok := ms.methods.of(r.Method)
	return e.Endpoint, ok
}

func (m methods) of(method string) (endpoint, bool) {
	if e, ok := m[method]; ok || method != http.MethodHead {
		return e, ok
	}
	e, ok := m[http.MethodGet]
	return e, ok
}

// allow is the header of that name.
func (m methods) allow() string {
	allowed := sortedKeys(m)
	if _, ok := m[http.MethodGet]; ok {
		allowed = append(allowed, http.MethodHead)
	}
	allowed = append(allowed, http.MethodOptions)
	slices.Sort(allowed)
	return strings.Join(slices.Compact(allowed), ", ")
}

// ServeHTTP implements [http.Handler].
func (a *Actuator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if len(r.URL.RawQuery) > maxQuery {
		a.refuse(w, r, problemf(http.StatusRequestURITooLong, "the query has %d bytes, at most %d are read", len(r.URL.RawQuery), maxQuery))
		return
	}
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.refuse(w, r, a.nothingAt(r))
		return
	}
	a.mux.ServeHTTP(w, r)
}

// route is the handler of one path.
type route struct {
	*Actuator
	methods methods
}

func (m route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, ok := m.methods.of(r.Method)
	switch {
	case r.Method == http.MethodOptions && !ok:
		w.Header().Set("Allow", m.methods.allow())
		w.WriteHeader(http.StatusNoContent)
		return
	case !ok:
		w.Header().Set("Allow", m.methods.allow())
		m.refuse(w, r, problemf(http.StatusMethodNotAllowed, "%s cannot be used here; use %s", r.Method, m.methods.allow()))
		return
	case e.Write && m.cfg.ReadOnly:
		m.refuse(w, r, problemf(http.StatusForbidden, "nothing can be changed here: read_only is set in the configuration"))
		return
	case r.ContentLength > m.cfg.MaxBodyBytes:
		m.refuse(w, r, problemf(http.StatusRequestEntityTooLarge, "the body has %d bytes, at most %d are read", r.ContentLength, m.cfg.MaxBodyBytes))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, m.cfg.MaxBodyBytes)
	if err := m.call(e, w, r); err != nil {
		m.refuse(w, r, err)
	}
}

// call turns a panic into an error: a dashboard must not lose its connection
// because of one bad answer.
func (a *Actuator) call(e endpoint, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("endpoint %s panicked: %v", e.ID, p)
		}
	}()
	if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		return problemf(http.StatusBadRequest, "the query cannot be read (%v); escape it", err)
	}
	return e.serve(w, r)
}

// flagOf reads a query key that is true or false; without it, it is false. A key
// alone ("?inspect") is true.
func flagOf(r *http.Request, key string) (bool, error) {
	query := r.URL.Query()
	if !query.Has(key) {
		return false, nil
	}
	switch value := query.Get(key); value {
	case "", "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, problemf(http.StatusBadRequest, "%s=%q is not known; use true or false", key, clip(value))
	}
}
