package actuator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Endpoint is one row of the table of endpoints.
type Endpoint struct {
	// ID is the name in the configuration and the index: "health". Endpoints
	// of one ID are turned on and off together.
	ID     string `json:"id"`
	Method string `json:"method"`
	// Path is below the base path, with variables as in [http.ServeMux]:
	// "/metrics/{name}". With Root it is where it is.
	Path string `json:"path"`
	Root bool   `json:"root,omitempty"`
	// Query are the keys it looks at, with what they may be.
	Query map[string]string `json:"query,omitempty"`
	// Summary is one sentence for a person.
	Summary string `json:"summary"`
	// Write: a request changes something.
	Write bool `json:"write,omitempty"`
	// Open: it tells nothing but health, and may be read by anybody.
	Open bool `json:"open,omitempty"`
	// OffByDefault: it is there only if [Config].Endpoints turns it on.
	OffByDefault bool `json:"off_by_default,omitempty"`

	// Body and Answer are zero values of what is decoded from the JSON of the
	// request and encoded as that of the answer. A nil Body: none is read; a
	// nil Answer: it is not JSON.
	Body   any `json:"-"`
	Answer any `json:"-"`
	// Otherwise is the zero value of another answer, which comes where the
	// query asks for it. Nil: there is none.
	Otherwise any `json:"-"`
	// Statuses are those that the answer comes with. Zero: 200, or 204 where
	// nothing is answered to a change.
	Statuses []int `json:"statuses,omitempty"`
	// Media are the types that it comes as besides JSON, or instead. Zero: none.
	Media []string `json:"media,omitempty"`
}

// statuses are those that the answer comes with.
func (e Endpoint) statuses() []int {
	switch {
	case len(e.Statuses) > 0:
		return e.Statuses
	case e.Write && e.Answer == nil && len(e.Media) == 0:
		return []int{http.StatusNoContent}
	default:
		return []int{http.StatusOK}
	}
}

// handler answers a request. An error is returned before anything is written,
// and is answered by whoever called: with its own status if it is a *problem,
// else with 500.
type handler func(w http.ResponseWriter, r *http.Request) error

// endpoint is an Endpoint that can be asked.
type endpoint struct {
	Endpoint
	serve handler
}

// all is every endpoint there is, in the order of the table.
func (a *Actuator) all() []endpoint {
	return slices.Concat(
		a.indexEndpoints(),
		a.probeEndpoints(),
		a.healthEndpoints(),
		a.infoEndpoints(),
		a.componentEndpoints(),
		a.knobEndpoints(),
		a.actionEndpoints(),
		a.metricEndpoints(),
		a.auditEndpoints(),
		a.eventEndpoints(),
		a.feedEndpoints(),
		a.historyEndpoints(),
		a.drainEndpoints(),
		a.startupEndpoints(),
		a.threadEndpoints(),
		a.heapEndpoints(),
		a.beanEndpoints(),
		a.loggerEndpoints(),
		a.shutdownEndpoints(),
		a.openapiEndpoints(),
		a.customEndpoints(),
	)
}

// endpointIDs are the names that a configuration can turn on and off.
func endpointIDs() []string {
	var ids []string
	for _, e := range new(Actuator).all() {
		if e.ID != indexID && !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// pattern is the endpoint's path as a pattern of a mux.
func (a *Actuator) pattern(e Endpoint) string {
	if e.Root {
		return e.Path
	}
	return a.cfg.BasePath + e.Path
}

// ofKind: which paths there are depends on the kinds of the components.
func (e Endpoint) ofKind() bool { return strings.HasPrefix(e.Path, "/{kind}") }

// variables are the names within { } of the path.
func (e Endpoint) variables() []string {
	var names []string
	for segment := range strings.SplitSeq(e.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
