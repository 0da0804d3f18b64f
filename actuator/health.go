package actuator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// The state of the application among the health of components, as Spring calls
// it.
const (
	livenessState  = "livenessState"
	readinessState = "readinessState"
)

// healthStatuses are what httpStatus makes of it.
var healthStatuses = []int{http.StatusOK, http.StatusServiceUnavailable}

// worstFirst is the order of the statuses.
var worstFirst = []lifecycle.Status{lifecycle.Down, lifecycle.OutOfService, lifecycle.Unknown, lifecycle.Warning, lifecycle.Up}

func (a *Actuator) healthEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "health", Method: http.MethodGet, Path: "/health", Open: true, Answer: health{}, Statuses: healthStatuses,
			Summary: "Whether everything can do its work: the worst status of all components. 503 when that is DOWN or OUT_OF_SERVICE.",
		}, a.health},
		{Endpoint{
			ID: "health", Method: http.MethodGet, Path: "/health/{name}", Open: true, Answer: health{}, Statuses: healthStatuses,
			Summary: "The same of a group (liveness, readiness, and those of the configuration) or of one component.",
		}, a.healthOf},
	}
}

// health is Spring's.
type health struct {
	Status     lifecycle.Status  `json:"status"`
	Components map[string]health `json:"components,omitempty"`
	Details    json.RawMessage   `json:"details,omitempty"`
	Groups     []string          `json:"groups,omitempty"`
}

func (a *Actuator) health(w http.ResponseWriter, r *http.Request) error {
	h := a.together(r.Context(), HealthGroup{})
	h.Groups = a.groupNames()
	return a.sayHealth(w, r, h)
}

// healthOf looks among the groups first: a component whose name is a group's
// is found in /health.
func (a *Actuator) healthOf(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if group, ok := a.group(name); ok {
		return a.sayHealth(w, r, a.together(r.Context(), group))
	}
	if a.maySeeDetails(r) {
		if h, ok := a.healths(r.Context(), func(n string) bool { return n == name })[name]; ok {
			return a.sayHealth(w, r, h)
		}
	}
	return problemf(http.StatusNotFound, "there is no health group or component %q; %s/health lists them to those who may see details", clip(name), a.cfg.BasePath)
}

func (a *Actuator) sayHealth(w http.ResponseWriter, r *http.Request, h health) error {
	if !a.maySeeDetails(r) {
		h.Components, h.Details = nil, nil
	}
	return reply(w, r, httpStatus(h.Status), h)
}

func (a *Actuator) maySeeDetails(r *http.Request) bool {
	switch a.cfg.Health.Details {
	case Always:
		return true
	case Never:
		return false
	default:
		return a.options.authorized == nil || a.options.authorized(r)
	}
}

func httpStatus(s lifecycle.Status) int {
	if s == lifecycle.Down || s == lifecycle.OutOfService {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

// together is the health of a group.
func (a *Actuator) together(ctx context.Context, group HealthGroup) health {
	h := health{Status: lifecycle.Unknown, Components: a.healths(ctx, group.has)}
	worst := len(worstFirst)
	for _, one := range h.Components {
		worst = min(worst, slices.Index(worstFirst, one.Status))
	}
	if worst < len(worstFirst) {
		h.Status = worstFirst[worst]
	}
	return h
}

// healths asks the components that are in, all at once, and the application.
func (a *Actuator) healths(ctx context.Context, in func(name string) bool) map[string]health {
	all := map[string]health{}
	waiting := map[string]*call[lifecycle.Health]{}
	for _, c := range a.conductor.Components() {
		switch {
		case !in(c.Name):
		case c.State != lifecycle.ComponentStarted, c.Panel == nil, c.Panel.Health == nil:
			all[c.Name] = a.shown(byState(c))
		default:
			waiting[c.Name] = a.checks.ask(a, c.Name, a.cfg.Health.Timeout, a.cfg.Health.Cache, c.Panel.Health)
		}
	}
	for name, c := range waiting {
		answer, err := c.wait(ctx)
		if err != nil {
			answer = lifecycle.Health{Status: lifecycle.Unknown, Reason: err.Error()}
		}
		all[name] = a.shown(answer)
	}
	for name, state := range map[string]health{livenessState: {Status: lifecycle.Up}, readinessState: a.readiness()} {
		if in(name) {
			all[name] = state
		}
	}
	return all
}

// byState is the health of a component that is not asked: it has no check, or
// it is not there to be asked.
func byState(c lifecycle.Component) lifecycle.Health {
	switch {
	case c.State == lifecycle.ComponentStarted:
		return lifecycle.Health{Status: lifecycle.Up}
	case c.State == lifecycle.ComponentFailed && c.Start != nil:
		return lifecycle.Health{Status: lifecycle.Down, Reason: c.Start.Error}
	case c.State == lifecycle.ComponentFailed:
		return lifecycle.Health{Status: lifecycle.Down, Reason: "it did not start"}
	default:
		return lifecycle.Health{Status: lifecycle.OutOfService, Reason: "it is " + string(c.State)}
	}
}

func (a *Actuator) readiness() health {
	reason := "the application is "
	switch state, drained := a.conductor.State(), a.conductor.Drained(); {
	case state != lifecycle.Running:
		reason += state.String()
	case drained != nil:
		reason += drained.String() + "; an undrain takes that back"
	default:
		return health{Status: lifecycle.Up}
	}
	return a.shown(lifecycle.Health{Status: lifecycle.OutOfService, Reason: reason})
}

// shown is what a component says, masked and in the form of the answer. A
// status that nobody knows is unknown.
func (a *Actuator) shown(h lifecycle.Health) health {
	details := map[string]any{}
	for k, v := range h.Details {
		details[k] = v
	}
	switch {
	case slices.Contains(worstFirst, h.Status):
	case h.Status == "":
		h.Status = lifecycle.Unknown
	default:
		details["status"] = clip(string(h.Status))
		h.Status = lifecycle.Unknown
	}
	if h.Reason != "" {
		details["reason"] = h.Reason
	}
	if len(details) == 0 {
		return health{Status: h.Status}
	}
	raw, err := a.mask().json(details)
	if err != nil {
		raw, _ = a.mask().json(map[string]string{"reason": h.Reason, "details": "cannot be encoded: " + err.Error()})
	}
	return health{Status: h.Status, Details: raw}
}
