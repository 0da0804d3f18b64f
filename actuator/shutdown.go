package actuator

import (
	"net/http"
)

// WithShutdown lets POST /shutdown begin a graceful stop, where the endpoint
// "shutdown" is turned on. by is who asks, for the receipt:
// "alice (10.0.0.7:51234)". With Fx it is
//
//	actuator.WithShutdown(func(by string) error { return lifecycle.ShutdownBy(shutdowner, by) })
//
// f must return at once.
func WithShutdown(f func(by string) error) Option {
	return func(o *options) { o.shutdown = f }
}

const shutdownID = "shutdown"

func (a *Actuator) shutdownEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: shutdownID, Method: http.MethodPost, Path: "/shutdown", Write: true, OffByDefault: true, Answer: message{},
		Summary: "Stops the application gracefully.",
	}, a.shutdown}}
}

type message struct {
	Message string `json:"message"`
}

func (a *Actuator) shutdown(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r); err != nil {
		return err
	}
	if err := a.beginStop(r); err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, message{"Shutting down, bye..."})
}

// beginStop asks for the stop. A second asker is recorded too.
func (a *Actuator) beginStop(r *http.Request) error {
	if a.options.shutdown == nil {
		return problemf(http.StatusNotImplemented, "nobody has said how this application is stopped (actuator.WithShutdown); send it a SIGTERM")
	}
	return a.options.shutdown(a.askerName(r))
}

// replyMasked is reply for what components have had a say in.
func (a *Actuator) replyMasked(w http.ResponseWriter, r *http.Request, status int, v any) error {
	body, err := a.mask().json(v)
	if err != nil {
		return err
	}
	return reply(w, r, status, body)
}
