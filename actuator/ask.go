package actuator

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxAsker bounds what is written down of who asks, and from where.
const maxAsker = 200

// asker says who sends a request, and from where, for the audit and the
// receipt.
func (a *Actuator) asker(r *http.Request) (by, from string) {
	by, from = "", r.RemoteAddr
	if a.options.caller != nil {
		by, from = a.options.caller(r)
	}
	return oneLine(by), oneLine(from)
}

// oneLine is s without what could forge another line of a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > maxAsker {
		s = strings.ToValidUTF8(s[:maxAsker], "") + "..."
	}
	return s
}

// name is asker in one word: "alice (10.0.0.7:51234)".
func (a *Actuator) askerName(r *http.Request) string {
	by, from := a.asker(r)
	switch {
	case by == "":
		return from
	case from == "":
		return by
	}
	return by + " (" + from + ")"
}

// onlyKeys refuses keys of the query that are not known, or are there twice,
// where something is changed: "?dryrun=true" must not be taken for the real
// thing.
func onlyKeys(r *http.Request, keys ...string) error {
	for key, values := range r.URL.Query() {
		switch {
		case !slices.Contains(keys, key) && len(keys) == 0:
			return problemf(http.StatusBadRequest, "%q is not known here; nothing was changed, leave it out", clip(key))
		case !slices.Contains(keys, key):
			return problemf(http.StatusBadRequest, "%q is not known here; nothing was changed, use %s", clip(key), strings.Join(keys, ", "))
		case len(values) > 1:
			return problemf(http.StatusBadRequest, "%s is there %d times; nothing was changed, say it once", key, len(values))
		}
	}
	return nil
}

// spanOf reads a duration of the query that must lie within bounds; without the
// key it is missing.
func spanOf(r *http.Request, key string, missing, least, most time.Duration) (time.Duration, error) {
	if !r.URL.Query().Has(key) {
		return missing, nil
	}
	text := r.URL.Query().Get(key)
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		return 0, problemf(http.StatusBadRequest, "%s=%q is no duration from %v to %v; write it like 90s or 10m", key, clip(text), least, most)
	}
	return d, nil
}

// countOf reads a number of the query that must lie within bounds; without the
// key it is missing.
func countOf(r *http.Request, key string, missing, least, most uint64) (uint64, error) {
	if !r.URL.Query().Has(key) {
		return missing, nil
	}
	text := r.URL.Query().Get(key)
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, problemf(http.StatusBadRequest, "%s=%q is no number from %d to %d", key, clip(text), least, most)
	}
	return n, nil
}

// wantJSON refuses a body that does not say that it is JSON. A form of another
// site can send anything but that.
func wantJSON(r *http.Request) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")) {
		return nil
	}
	return problemf(http.StatusUnsupportedMediaType, "the body must say that it is JSON: send the header Content-Type: application/json")
}
