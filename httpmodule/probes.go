package httpmodule

import (
	"io"
	"net/http"
	"sync/atomic"
)

// Readiness says whether the application as a whole wants traffic. Where it is
// in the graph, the readiness probe asks it too. It must not block.
type Readiness func() bool

// probes answer on the port of the server, before its gate.
type probes struct {
	serving atomic.Bool
	ask     Readiness // may be nil
}

func (p *probes) setServing(now bool) { p.serving.Store(now) }

// ready is 503 before the start and from the moment the stop begins.
func (p *probes) ready(w http.ResponseWriter, _ *http.Request) {
	if !p.serving.Load() || (p.ask != nil && !p.ask()) {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// live stays 200 as long as anybody can ask: a service that drains is alive.
func live(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "alive\n")
}
