package actuator

import (
	"net/http"
)

// WithShutdown lets POST /shutdown and POST /drain begin a graceful stop, where
// the endpoint "shutdown" is turned on. by is who asks, for the receipt:
// "alice (10.0.0.7:51234)". With Fx it is
//
//	actuator.WithShutdown(func(by string) error { return lifecycle.ShutdownBy(shutdowner, by) })
//
// f must return at once.
func WithShutdown(f func(by string) error) Option {
	return func(o *options) { o.shutdown = f }
}

const shutdownID = "shutdown"

// The two doors to a stop are one endpoint: whoever may not open the one may
// not open the other.
func (a *Actuator) shutdownEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: shutdownID, Method: http.MethodPost, Path: "/shutdown", Write: true, OffByDefault: true, Answer: message{},
			Summary: "Stops the application gracefully.",
		}, a.shutdown},
		{Endpoint{
			ID: shutdownID, Method: http.MethodPost, Path: "/drain", Write: true, OffByDefault: true, Answer: drain{}, Otherwise: rehearsal{},
			Statuses: []int{http.StatusOK, http.StatusAccepted},
			Query:    map[string]string{"dryRun": "`true`: nothing is stopped, the answer is that of GET"},
			Summary:  "Stops the application gracefully, which begins with the drain; GET says how far it has come.",
		}, a.beginDrain},
	}
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

func (a *Actuator) beginDrain(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r, "dryRun", "over"); err != nil {
		return err
	}
	rehearse, err := flagOf(r, "dryRun")
	switch {
	case err != nil:
		return err
	case rehearse:
		return a.rehearse(w, r)
	}
	if err := a.beginStop(r); err != nil {
		return err
	}
	w.Header().Set("Location", a.cfg.BasePath+"/drain")
	return a.replyMasked(w, r, http.StatusAccepted, a.drainNow())
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
