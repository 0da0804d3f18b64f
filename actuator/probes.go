package actuator

import (
	"net/http"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// The paths of the probes, beside the base path.
const (
	LivezPath  = "/livez"
	ReadyzPath = "/readyz"
)

func (a *Actuator) probeEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "livez", Method: http.MethodGet, Path: LivezPath, Root: true, Open: true,
			Summary: "The status of the health group liveness, in one word; 503 asks for a restart.",
		}, a.livez},
		{Endpoint{
			ID: "readyz", Method: http.MethodGet, Path: ReadyzPath, Root: true, Open: true,
			Summary: "The status of the health group readiness, in one word; 503 asks to send nothing here.",
		}, a.readyz},
	}
}

func (a *Actuator) livez(w http.ResponseWriter, _ *http.Request) error {
	text(w, http.StatusOK, "%s", lifecycle.Up)
	return nil
}

func (a *Actuator) readyz(w http.ResponseWriter, _ *http.Request) error {
	if !a.conductor.Ready() {
		text(w, http.StatusServiceUnavailable, "%s", lifecycle.OutOfService)
		return nil
	}
	text(w, http.StatusOK, "%s", lifecycle.Up)
	return nil
}
