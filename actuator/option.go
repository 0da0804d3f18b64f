package actuator

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// Option gives the actuator a collaborator that no file can name.
type Option func(*options)

type options struct {
	gatherers  []prometheus.Gatherer
	authorized func(*http.Request) bool              // nil: everybody is
	caller     func(*http.Request) (by, from string) // nil: the address of the peer
	shutdown   func(by string) error                 // nil: nobody can ask for a stop
	loggers    []Logger
	custom     []Custom
	raised     func() map[string][]string // nil: nobody watches
}

// WithAuthorized says whose request may see the details of health, where
// [HealthConfig].Details is [WhenAuthorized]. It is called by many goroutines
// at once. Without it everybody may.
func WithAuthorized(f func(*http.Request) bool) Option {
	return func(o *options) { o.authorized = f }
}

// WithGatherer adds the metrics of a registry of the application's own, such
// as [prometheus.DefaultGatherer], to ours. Where both have a metric (the
// runtime's, say) ours is told.
func WithGatherer(g prometheus.Gatherer) Option {
	return func(o *options) { o.gatherers = append(o.gatherers, g) }
}

// WithCaller says who sends a request, such as the name that goes with its
// token, and from where. It is written into the audit and the receipt. It is
// called by many goroutines at once. Without it nobody is named, and from is
// the address of the peer.
func WithCaller(f func(*http.Request) (by, from string)) Option {
	return func(o *options) { o.caller = f }
}

// WithRaised says which alarms are raised now, by component, for the feed. It is
// called once a second as long as somebody looks at that, and must not block.
func WithRaised(f func() map[string][]string) Option {
	return func(o *options) { o.raised = f }
}
