package httpmodule

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// panel is what the server shows of itself. None of its limits can be changed
// while it runs.
type panel struct {
	*server.Server
	cfg server.Config // with defaults
}

func panelOf(srv *server.Server, cfg server.Config) *lifecycle.Panel {
	p := panel{srv, cfg.WithDefaults()}
	return &lifecycle.Panel{
		Kind:    "server",
		Stats:   func() any { return p.shown() },
		Metrics: p.metrics,
		Health:  func(context.Context) lifecycle.Health { return p.health() },
		Inspect: func(context.Context) any { return inspectionOf(p.Stats().Requests) },
		Knobs:   p.knobs,
	}
}

// shown is the Stats of the server with the requests counted, and without their
// paths: those may hold what is not for everybody.
type shown struct {
	Addr        string             `json:"addr"`
	Connections server.Connections `json:"connections"`
	// InFlight are the requests being served, Streams those of them that have no
	// end of their own.
	InFlight int `json:"in_flight"`
	Streams  int `json:"streams"`
	// OldestRequest is the age of the oldest that is no stream.
	OldestRequest string `json:"oldest_request"`
	// Closed is what a stop had to close that did not go by itself, by what it
	// was; Cut are the requests that ran when its time was up.
	Closed closed   `json:"closed"`
	Cut    []string `json:"cut,omitempty"`

	oldest time.Duration
}

type closed struct {
	Silent   int `json:"silent"`
	Streams  int `json:"streams"`
	Hijacked int `json:"hijacked"`
}

// inspection lists the requests in flight, oldest first.
type inspection struct {
	Requests []inFlight `json:"requests"`
}

// inFlight is a request by its route. Where that says nothing it is the path, as
// in receipts.
type inFlight struct {
	Method  string `json:"method"`
	Route   string `json:"route"`
	Age     string `json:"age"`
	Endless bool   `json:"endless,omitempty"`
}

func inspectionOf(requests []server.Request) inspection {
	i := inspection{make([]inFlight, len(requests))}
	for n, r := range requests {
		route := r.Route
		if pattern := route[strings.IndexByte(route, ' ')+1:]; pattern == "" || pattern == "/" {
			route = r.Path
		}
		i.Requests[n] = inFlight{r.Method, route, r.Age.String(), r.Endless}
	}
	return i
}

func (p panel) shown() shown {
	st := p.Stats()
	d := st.Drained
	s := shown{Addr: p.address(), Connections: st.Connections, InFlight: len(st.Requests), Closed: closed{d.Silent, d.Streams, d.Hijacked}}
	for _, r := range d.Cut {
		s.Cut = append(s.Cut, r.String())
	}
	for _, r := range st.Requests {
		if r.Endless {
			s.Streams++
		} else {
			s.oldest = max(s.oldest, r.Age)
		}
	}
	s.OldestRequest = s.oldest.String()
	return s
}

// address is where it listens, or is to.
func (p panel) address() string {
	if a := p.Addr(); a != nil {
		return a.String()
	}
	return p.cfg.Addr
}

func (p panel) metrics() []lifecycle.Metric {
	s := p.shown()
	metrics := []lifecycle.Metric{
		{Name: "in_flight_requests", Help: "Requests that are being served.", Value: float64(s.InFlight)},
		{Name: "open_streams", Help: "Those of them that have no end of their own.", Value: float64(s.Streams)},
		{Name: "oldest_request_seconds", Help: "Age of the oldest request that is no stream.", Value: s.oldest.Seconds()},
		{Name: "http2_connections", Help: "Open connections that speak HTTP/2.", Value: float64(s.Connections.HTTP2)},
	}
	for _, c := range []struct {
		state string
		n     int
	}{
		{"new", s.Connections.New}, {"active", s.Connections.Active},
		{"idle", s.Connections.Idle}, {"hijacked", s.Connections.Hijacked},
	} {
		metrics = append(metrics, lifecycle.Metric{
			Name: "connections", Help: "Open connections by state.", Value: float64(c.n), Labels: map[string]string{"state": c.state},
		})
	}
	return metrics
}

func (p panel) health() lifecycle.Health {
	h := lifecycle.Health{Status: lifecycle.Up, Details: map[string]any{"addr": p.address()}}
	if err := p.Err(); err != nil {
		h.Status = lifecycle.Down
		h.Reason = fmt.Sprintf("it accepts no connection any more: %v; the application has to be started again", err)
		return h
	}
	if out, ok := lifecycle.GateHealth(p.Gate()); ok {
		h.Status, h.Reason = out.Status, out.Reason
	}
	return h
}

func (p panel) knobs() []lifecycle.Knob {
	duration := func(name, help string, value time.Duration) lifecycle.Knob {
		return lifecycle.Knob{Name: name, Key: "http." + name, Help: help, Type: lifecycle.DurationKnob, Value: value, Cold: true}
	}
	bytes := func(name, help string, value int64) lifecycle.Knob {
		return lifecycle.Knob{Name: name, Key: "http." + name, Help: help, Type: lifecycle.IntKnob, Value: value, Cold: true}
	}
	c := p.cfg
	return []lifecycle.Knob{
		duration("read_header_timeout", "Bounds the reading of a request's header; negative: off.", c.ReadHeaderTimeout),
		duration("read_timeout", "Bounds the reading of a whole request; negative: off.", c.ReadTimeout),
		duration("write_timeout", "Bounds one write of a reply; negative: off.", c.WriteTimeout),
		duration("idle_timeout", "Bounds the silence between two requests of a connection; negative: off.", c.IdleTimeout),
		bytes("max_header_bytes", "Bounds a request's header, in bytes.", c.MaxHeaderBytes),
		bytes("max_body_bytes", "Bounds a request's body, in bytes; negative: off.", c.MaxBodyBytes),
		{Name: "h2c", Key: "http.h2c", Help: "Lets HTTP/2 in on plain text.", Type: lifecycle.BoolKnob, Value: c.H2C, Cold: true},
		duration("drain.delay", "How long a stop serves on after readiness went false.", c.Drain.Delay),
		duration("drain.idle_grace", "How long a connection must be silent before a stop closes it; negative: closed at once.", c.Drain.IdleGrace),
		duration("drain.stream_grace", "How long a stop lets streams end by themselves; negative: closed at once.", c.Drain.StreamGrace),
		duration("drain.retry_after", "When a refused client is told to come again; negative: it is told nothing.", c.Drain.RetryAfter),
		duration("stop_budget", "Bounds the time of its stop; 0: the time that all have.", c.StopBudget),
	}
}
