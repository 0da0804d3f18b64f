package actuator

import (
	"net/http"
	"slices"

	"github.com/lastcall-go/lastcall/lifecycle"
)

const (
	auditLimit = 100
	mostListed = 1000
)

func (a *Actuator) auditEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "audit", Method: http.MethodGet, Path: "/audit", Answer: audit{},
		Query: map[string]string{
			"component": "a name: only the changes of that component",
			"limit":     "1 to 1000: how many at most (100)",
		},
		Summary: "Which knobs were turned, and which changes were refused, by whom, from where, before and after; newest first.",
	}, a.audit}}
}

type audit struct {
	// Total is how many there are, Entries are the newest of them.
	Total   int                `json:"total"`
	Entries []lifecycle.Turned `json:"entries"`
}

func (a *Actuator) audit(w http.ResponseWriter, r *http.Request) error {
	limit, err := countOf(r, "limit", auditLimit, 1, mostListed)
	if err != nil {
		return err
	}
	entries := a.conductor.Audit()
	if r.URL.Query().Has("component") {
		component := r.URL.Query().Get("component")
		entries = slices.DeleteFunc(entries, func(t lifecycle.Turned) bool { return t.Component != component })
	}
	slices.Reverse(entries)
	answer := audit{Total: len(entries), Entries: entries[:min(len(entries), int(limit))]}
	if answer.Entries == nil {
		answer.Entries = []lifecycle.Turned{}
	}
	return a.replyMasked(w, r, http.StatusOK, answer)
}
