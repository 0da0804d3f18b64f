package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// Journals are those of a running service: a *[filejournal.Directory].
type Journals interface {
	// Inspect looks at all journals, or at those that are named.
	Inspect(ctx context.Context, names ...string) ([]filejournal.Inspection, error)
	// Entries yields what is live in a journal.
	Entries(ctx context.Context, name string) (iter.Seq2[journal.Entry, error], error)
}

// Handler gives the journals of a service and its box over HTTP:
//
//	GET /journals           an array of filejournal.Inspection; name=… may be repeated
//	GET /journals/entries   the entries of the journal name=…, as JSONL; format=csv: as CSV
//	    /deadletters…       as deadletter.Handler says
//
// Errors have a status of 400 or above and an {"error":"…"}. Entries that fail
// midway end without an end, as a connection that breaks.
func Handler(j Journals, box deadletter.Box) http.Handler {
	h := &handler{j}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /journals", h.inspect)
	mux.HandleFunc("GET /journals/entries", h.entries)
	letters := deadletter.Handler(box)
	mux.Handle("/deadletters", letters)
	mux.Handle("/deadletters/", letters)
	return mux
}

type handler struct{ journals Journals }

func (h *handler) inspect(w http.ResponseWriter, r *http.Request) {
	found, err := h.journals.Inspect(r.Context(), r.URL.Query()["name"]...)
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found) // nobody is there to be told
}

func (h *handler) entries(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	format, err := deadletter.ParseFormat(cmp.Or(q.Get("format"), string(deadletter.JSONL)))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	entries, err := h.journals.Entries(r.Context(), q.Get("name"))
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	w.Header().Set("Content-Type", format.ContentType())
	if _, err := deadletter.ExportEntries(w, format, entries); err != nil {
		panic(http.ErrAbortHandler) // so that nobody takes half of them for the whole
	}
}

func statusOf(err error) int {
	if errors.Is(err, filejournal.ErrNotOpen) {
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // nobody is there to be told
}
