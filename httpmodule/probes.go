package httpmodule

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

// Readiness says whether the application as a whole wants traffic. Where it is
// in the graph, the readiness probe asks it too. It must not block.
type Readiness func() bool

// probes answer on the port of the server, before its gate.
type probes struct {
	serving atomic.Bool
	server  *server.Server
	ask     Readiness // may be nil
}

func (p *probes) setServing(now bool) { p.serving.Store(now) }

// ready is 503 before the start, from the moment the stop begins, and while
// nothing is let in.
func (p *probes) ready(w http.ResponseWriter, _ *http.Request) {
	if !p.serving.Load() || p.isClosed() || (p.ask != nil && !p.ask()) {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

func (p *probes) isClosed() bool {
	select {
	case <-p.server.Gate().Draining():
		return true
	default:
		return false
	}
}

// live stays 200 as long as anybody can ask: a service that drains is alive.
func live(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "alive\n")
}
