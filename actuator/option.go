package actuator

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// Option gives the actuator a collaborator that no file can name.
type Option func(*options)

type options struct {
	authorized func(*http.Request) bool // nil: everybody is
	gatherers  []prometheus.Gatherer
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
