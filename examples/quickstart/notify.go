package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// answer is the body of every reply: what was accepted, what was not and why.
type answer struct {
	Accepted int        `json:"accepted"`
	Bad      []rejected `json:"bad,omitempty"`
	Error    string     `json:"error,omitempty"`
}

// newNotify serves POST /notify. 202: every good row was accepted. 400: there
// was none, or the body cannot be read to its end. 413: it is too large. 503:
// the service is stopping. Whatever the status, the answer says how many rows
// were accepted: these are not lost, and need not be sent again.
func newNotify(router *Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var a answer
		status := http.StatusAccepted
		for row := range readBody(r) {
			err := row.End
			if row.Err != nil {
				a.Bad = append(a.Bad, badRow(row))
				continue
			}
			if err == nil {
				err = router.Accept(r.Context(), row.Message)
			}
			if err != nil {
				a.Error, status = err.Error(), statusOf(err)
				break
			}
			a.Accepted++
		}
		if a.Accepted == 0 && a.Error == "" {
			a.Error, status = "there was no message to accept", http.StatusBadRequest
		}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		// The client is gone when this fails; its messages are on their way.
		_ = json.NewEncoder(w).Encode(a)
	})
}

func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, pool.ErrDraining), errors.Is(err, pool.ErrClosed), errors.Is(err, pool.ErrFull),
		errors.Is(err, server.ErrCut):
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}
