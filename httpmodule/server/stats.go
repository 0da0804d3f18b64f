package server

import (
	"net/http"

	"github.com/lastcall-go/lastcall/intake"
)

// Stats is what the server is doing at one moment.
type Stats struct {
	Connections Connections `json:"connections"`
	// Requests are in flight, oldest first.
	Requests []Request     `json:"requests"`
	Ledger   intake.Ledger `json:"ledger"`
	Drained  Drained       `json:"drained"`
}

// Connections counts the open connections by state.
type Connections struct {
	New      int `json:"new"`      // nothing has been served yet
	Active   int `json:"active"`   // in a request; HTTP/2: in one or more
	Idle     int `json:"idle"`     // between two requests
	Hijacked int `json:"hijacked"` // taken over by a handler
	HTTP2    int `json:"http2"`    // how many of the others speak HTTP/2
}

// Drained is what a stop had to close that did not go by itself.
type Drained struct {
	// Silent connections were closed after their grace.
	Silent int `json:"silent"`
	// Streams were cancelled, Hijacked connections closed, after theirs.
	Streams  int `json:"streams"`
	Hijacked int `json:"hijacked"`
	// Cut are the requests that ran when the time was up.
	Cut []Request `json:"cut,omitempty"`
}

// Stats looks at every connection and request; ask it from time to time, not
// on each request.
func (s *Server) Stats() Stats {
	st := Stats{Ledger: s.gate.Ledger(), Requests: snapshots(s.requests.list())}
	for _, c := range s.conns.list() {
		if c.h2.Load() {
			st.Connections.HTTP2++
		}
		switch http.ConnState(c.state.Load()) {
		case http.StateNew:
			st.Connections.New++
		case http.StateActive:
			st.Connections.Active++
		case http.StateIdle:
			st.Connections.Idle++
		case http.StateHijacked:
			st.Connections.Hijacked++
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Drained = s.drained
	return st
}

func (s *Server) count(change func(*Drained)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.drained)
}
