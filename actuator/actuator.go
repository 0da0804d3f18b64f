package actuator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Actuator serves the endpoints of one application. Make one with [New]. All
// methods are safe for concurrent use.
type Actuator struct {
	conductor *lifecycle.Conductor
	cfg       Config
	options   options
	began     time.Time

	endpoints []endpoint // those that are on, in the order of the table
	mux       *http.ServeMux
	schemas   func() *schemas // made once, when somebody asks

	// life ends when Stop is called: what is endless ends with it.
	life context.Context //nolint:containedctx // it outlives every request: it belongs to the actuator
	end  context.CancelFunc

	checks      calls[lifecycle.Health]
	inspections calls[any]
	pace        pace
	gatherer    prometheus.Gatherer
	scrape      http.Handler

	heap sync.Mutex // held by who makes a profile of the heap

	mu      sync.Mutex
	stopped bool           // no job begins any more
	jobs    sync.WaitGroup // goroutines of its own: calls that may hang

	streams  atomic.Int64 // those that are open
	watching watches

	recording atomic.Bool // Start was called
	recorder  recorder
}

// New returns the actuator of an application. It starts nothing. The error is
// that of [Config.Validate].
func New(conductor *lifecycle.Conductor, cfg Config, opts ...Option) (*Actuator, error) {
	if conductor == nil {
		return nil, errors.New("actuator: the conductor is nil; give the one that lifecycle.Module has made")
	}
	a := &Actuator{conductor: conductor, cfg: cfg.WithDefaults(), began: time.Now()}
	for _, opt := range opts {
		opt(&a.options)
	}
	if err := cfg.ValidateWith(a.options.customIDs()...); err != nil {
		return nil, fmt.Errorf("actuator: %w", err)
	}
	a.recorder.most = a.cfg.MaxSeries
	a.life, a.end = context.WithCancel(context.Background())
	a.gatherer = a.registered()
	a.scrape = a.prometheusHandler()
	a.endpoints = slices.DeleteFunc(a.all(), func(e endpoint) bool { return !a.on(e) })
	a.mux = a.routes()
	a.schemas = sync.OnceValue(a.newSchemas)
	return a, nil
}

func (a *Actuator) on(e endpoint) bool {
	if on, said := a.cfg.Endpoints[e.ID]; said {
		return on
	}
	return !e.OffByDefault
}

// Endpoints are those that are on, in the order of the table, but for those
// that change something where that is refused. It is the caller's to change.
func (a *Actuator) Endpoints() []Endpoint {
	var list []Endpoint
	for _, e := range a.endpoints {
		if a.may(e) {
			list = append(list, e.Endpoint)
		}
	}
	return list
}

func (a *Actuator) may(e endpoint) bool { return !e.Write || !a.cfg.ReadOnly }

// Stop ends what is endless, such as a stream of events, cancels checks that
// still run, and waits for them until ctx ends: then it returns the context's
// error, and whoever hangs is left behind. Requests that come later are
// answered, but for endless ones. It may be called more than once.
func (a *Actuator) Stop(ctx context.Context) error {
	a.mu.Lock()
	a.stopped = true
	a.mu.Unlock()
	a.end()
	ended := make(chan struct{})
	go func() { // ends with the jobs
		a.jobs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("actuator: a health check or inspection has not returned: %w", ctx.Err())
	}
}
