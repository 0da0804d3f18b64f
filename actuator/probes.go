package actuator

import "net/http"

// The paths of the probes, beside the base path.
const (
	LivezPath  = "/livez"
	ReadyzPath = "/readyz"
)

func (a *Actuator) probeEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "livez", Method: http.MethodGet, Path: LivezPath, Root: true, Open: true, Statuses: healthStatuses, Media: textMedia,
			Summary: "The status of the health group liveness, in one word; 503 asks for a restart.",
		}, a.probe(liveness)},
		{Endpoint{
			ID: "readyz", Method: http.MethodGet, Path: ReadyzPath, Root: true, Open: true, Statuses: healthStatuses, Media: textMedia,
			Summary: "The status of the health group readiness, in one word; 503 asks to send nothing here.",
		}, a.probe(readiness)},
	}
}

// probe answers with one word, for who looks at the code alone.
func (a *Actuator) probe(name string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		group, _ := a.group(name)
		status := a.together(r.Context(), group).Status
		text(w, httpStatus(status), "%s", status)
		return nil
	}
}

// Livez answers like [LivezPath], for a server of the application's own.
func (a *Actuator) Livez() http.Handler { return a.alone(a.probe(liveness)) }

// Readyz answers like [ReadyzPath], for a server of the application's own.
func (a *Actuator) Readyz() http.Handler { return a.alone(a.probe(readiness)) }

func (a *Actuator) alone(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := h(w, r); err != nil {
			a.refuse(w, r, err)
		}
	})
}
