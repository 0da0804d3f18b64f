package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is the provider. It is safe for concurrent use.
//
//	POST /send                    a Call, with an Idempotency-Key
//	PUT  /behaviour?outage=true   see Behaviour; also latency=200ms, errors=0.1, channel=sms
//	GET  /sum                     what it has counted
//	GET  /received?by=u000017     how often which text came to a receiver
type Server struct {
	mux *http.ServeMux

	mu        sync.Mutex
	behaviour Behaviour
	sum       Sum
	answered  map[string]Answer         // by key: calls with nothing refused
	delivered map[string]bool           // ids
	received  map[string]map[string]int // by receiver and text
}

// New returns a provider that behaves so.
func New(b Behaviour) *Server {
	s := &Server{
		mux:       http.NewServeMux(),
		behaviour: b,
		answered:  map[string]Answer{},
		delivered: map[string]bool{},
		received:  map[string]map[string]int{},
	}
	s.mux.HandleFunc("POST /send", s.send)
	s.mux.HandleFunc("PUT /behaviour", s.behave)
	s.mux.HandleFunc("GET /sum", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Sum()) })
	s.mux.HandleFunc("GET /received", func(w http.ResponseWriter, r *http.Request) { reply(w, s.Received(r.FormValue("by"))) })
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	var call Call
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		http.Error(w, fmt.Sprintf("the body is no call: %v", err), http.StatusBadRequest)
		return
	}
	answer, latency, ok := s.take(r.Header.Get("Idempotency-Key"), call)
	// The messages are on their way by now, whether or not the caller lives to
	// hear of it.
	select {
	case <-time.After(latency):
	case <-r.Context().Done():
	}
	if !ok {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the provider is not available", http.StatusServiceUnavailable)
		return
	}
	reply(w, answer)
}

// take delivers the messages of a call. ok is false if the caller is not to
// hear of it.
func (s *Server) take(key string, call Call) (answer Answer, latency time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.behaviour
	s.sum.Calls++
	failed, delivered := b.fails(call.Channel)
	if failed {
		s.sum.Failed++
	}
	if !delivered {
		return Answer{}, b.Latency, false
	}
	if known, found := s.answered[key]; found && b.Deduplicate {
		s.sum.Repeated += len(known.Results)
		return known, b.Latency, !failed
	}
	whole := true
	for _, m := range call.Messages {
		result := Result{ID: m.ID}
		if strings.HasPrefix(m.To, Gone) {
			s.sum.Refused++
			result.Refused, whole = "unknown receiver", false
		} else {
			s.deliverLocked(m)
		}
		answer.Results = append(answer.Results, result)
	}
	if key != "" && whole {
		s.answered[key] = answer
	}
	return answer, b.Latency, !failed
}

func (s *Server) deliverLocked(m Message) {
	if s.delivered[m.ID] && s.behaviour.Deduplicate {
		s.sum.Repeated++
		return
	}
	s.delivered[m.ID] = true
	texts := s.received[m.To]
	if texts == nil {
		texts = map[string]int{}
		s.received[m.To] = texts
	}
	texts[m.Text]++
	if texts[m.Text] == 1 {
		s.sum.Delivered++
	} else {
		s.sum.Duplicates++
	}
}

// Behave changes how the provider treats the next calls.
func (s *Server) Behave(b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = b
}

func (s *Server) behave(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.behaviour.with(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.behaviour = b
}

// Sum is what the provider has counted.
func (s *Server) Sum() Sum {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}

// Received is how often which text came to a receiver.
func (s *Server) Received(receiver string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	texts := map[string]int{}
	for text, n := range s.received[receiver] {
		texts[text] = n
	}
	return texts
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the caller is gone if this fails
}
