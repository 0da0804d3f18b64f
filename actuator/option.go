package actuator

import "net/http"

// Option gives the actuator a collaborator that no file can name.
type Option func(*options)

type options struct {
	authorized func(*http.Request) bool // nil: everybody is
}

// WithAuthorized says whose request may see the details of health, where
// [HealthConfig].Details is [WhenAuthorized]. It is called by many goroutines
// at once. Without it everybody may.
func WithAuthorized(f func(*http.Request) bool) Option {
	return func(o *options) { o.authorized = f }
}
