package actuator

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/lastcall-go/lastcall/lifecycle"
)

const (
	auditLimit = 100
	mostListed = 1000
)

func (a *Actuator) auditEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "audit", Method: http.MethodGet, Path: "/audit", Answer: audit{},
			Query: map[string]string{
				"component": "a name: only the changes of that component",
				"limit":     "1 to 1000: how many at most (100)",
			},
			Summary: "Which knobs were turned, what components were told to do, and what was refused, by whom, from where, before and after; newest first.",
		}, a.audit},
		{Endpoint{
			ID: "rollback", Method: http.MethodPost, Path: "/audit/{seq}/rollback", Write: true, Answer: lifecycle.Turned{},
			Query:   map[string]string{"dryRun": "`true`: nothing is changed, the answer says what would be"},
			Summary: "Takes back the change with that number, unless somebody has turned one of its knobs since.",
		}, a.rollback},
	}
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

// rollback takes back one change of the audit.
func (a *Actuator) rollback(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r, "dryRun"); err != nil {
		return err
	}
	dryRun, err := flagOf(r, "dryRun")
	if err != nil {
		return err
	}
	seq, err := strconv.ParseUint(r.PathValue("seq"), 10, 64)
	if err != nil {
		return problemf(http.StatusNotFound, "%s is no number of an entry; %s/audit lists them", clip(r.PathValue("seq")), a.cfg.BasePath)
	}
	ctx, cancel := a.patient(r, turnTime)
	defer cancel()
	by, from := a.asker(r)
	turned, err := a.conductor.Rollback(ctx, seq, by, from, dryRun)
	switch {
	case errors.Is(err, lifecycle.ErrNoEntry):
		return problemf(http.StatusNotFound, "%v; %s/audit lists what there is", err, a.cfg.BasePath)
	case errors.Is(err, lifecycle.ErrNoUndo):
		return problemf(http.StatusConflict, "%v", err)
	case err != nil:
		return turnProblem(err)
	}
	w.Header().Set("ETag", revisionTag(turned.Revision))
	return a.replyMasked(w, r, http.StatusOK, turned)
}
