package actuator

import (
	"net/http"
)

// Custom is an endpoint of somebody else's, beside ours: it is in the index,
// the table and the configuration as they are.
type Custom struct {
	// Endpoint says what it is. ID, Method, Path and Summary must be given; the
	// path must be nobody else's.
	Endpoint
	// Serve answers with something that is encoded as JSON, masked as all
	// answers are; nil is 204. An error of [Refusal] is answered with its
	// status, any other with 500. It is called by many goroutines at once. Only
	// an endpoint that is a Write may change something.
	Serve func(r *http.Request) (answer any, err error)
	// Masked: the answer is masked already, key by key with [Config.Mask], and is
	// encoded as it is. Zero: it is masked by the names of its fields.
	Masked bool
}

// WithEndpoints adds endpoints.
func WithEndpoints(endpoints ...Custom) Option {
	return func(o *options) { o.custom = append(o.custom, endpoints...) }
}

// Refusal is an error that is answered with a status of HTTP and says what to
// do, as a problem of RFC 9457.
func Refusal(status int, format string, args ...any) error {
	return problemf(status, format, args...)
}

// Decode reads the JSON body of a request into v, for an endpoint of one's own.
// The error is a [Refusal]; one is also a field that v does not have.
func Decode(r *http.Request, v any) error { return decode(r, v) }

func (o options) customIDs() []string {
	ids := make([]string, len(o.custom))
	for i, c := range o.custom {
		ids[i] = c.ID
	}
	return ids
}

// customEndpoints are those of [WithEndpoints].
func (a *Actuator) customEndpoints() []endpoint {
	list := make([]endpoint, 0, len(a.options.custom))
	for _, c := range a.options.custom {
		list = append(list, endpoint{c.Endpoint, func(w http.ResponseWriter, r *http.Request) error {
			answer, err := c.Serve(r)
			switch {
			case err != nil:
				return err
			case answer == nil:
				w.WriteHeader(http.StatusNoContent)
				return nil
			case c.Masked:
				return reply(w, r, http.StatusOK, answer)
			}
			return a.replyMasked(w, r, http.StatusOK, answer)
		}})
	}
	return list
}
