package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// answer is the body of every reply: what was accepted, what was not and why.
type answer struct {
	Accepted int        `json:"accepted"`
	Bad      []rejected `json:"bad,omitempty"`
	Error    string     `json:"error,omitempty"`
}

// newNotify serves POST /notify. 202: every good row was accepted. 400: there
// was no good row. 503: the service is stopping; the rows after the accepted
// ones were not taken.
func newNotify(router *Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var a answer
		status := http.StatusAccepted
		for row := range readBody(r) {
			if row.Err != nil {
				a.Bad = append(a.Bad, badRow(row))
				continue
			}
			if err := router.Accept(r.Context(), row.Message); err != nil {
				a.Error = err.Error()
				status = statusOf(err)
				break
			}
			a.Accepted++
		}
		if a.Accepted == 0 && a.Error == "" {
			status = http.StatusBadRequest
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		// The client is gone when this fails; its messages are on their way.
		_ = json.NewEncoder(w).Encode(a)
	})
}

func statusOf(err error) int {
	if errors.Is(err, pool.ErrDraining) || errors.Is(err, pool.ErrClosed) || errors.Is(err, pool.ErrFull) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
