package actuator

import (
	"net/http"
	"slices"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// kindID is the id of the lists by kind, whose paths depend on the components.
const kindID = "kinds"

// defaultKind is that of a component whose panel names none.
const defaultKind = "component"

var inspectKey = map[string]string{"inspect": "`true` looks closer, which costs more"}

func (a *Actuator) componentEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "components", Method: http.MethodGet, Path: "/components", Answer: components{},
			Summary: "All components in the order in which they stop: state, health, ledger, statistics, knobs.",
		}, a.components},
		{Endpoint{
			ID: "components", Method: http.MethodGet, Path: "/components/{name}", Answer: component{}, Query: inspectKey,
			Summary: "One component. The ETag is the revision of its knobs.",
		}, a.component},
		{Endpoint{
			ID: kindID, Method: http.MethodGet, Path: "/{kind}", Answer: components{},
			Summary: "The components of one kind, in the plural: /pools, /batchers, or what your own panels say.",
		}, a.componentsOfKind},
		{Endpoint{
			ID: kindID, Method: http.MethodGet, Path: "/{kind}/{name}", Answer: component{}, Query: inspectKey,
			Summary: "One of them. The ETag is the revision of its knobs.",
		}, a.component},
	}
}

// components are a list of them, in the order in which they stop.
type components struct {
	// Kind is the singular of what they are; empty: of every kind.
	Kind       string      `json:"kind,omitempty"`
	Components []component `json:"components"`
}

func (a *Actuator) components(w http.ResponseWriter, r *http.Request) error {
	return a.listComponents(w, r, "")
}

func (a *Actuator) componentsOfKind(w http.ResponseWriter, r *http.Request) error {
	plural := r.PathValue("kind")
	if !slices.Contains(a.kinds(), plural) {
		return a.nothingAt(r)
	}
	return a.listComponents(w, r, plural)
}

// listComponents shows those whose kind has this plural; empty: all.
func (a *Actuator) listComponents(w http.ResponseWriter, r *http.Request, plural string) error {
	if inspect, err := flagOf(r, "inspect"); err != nil {
		return err
	} else if inspect {
		return problemf(http.StatusBadRequest, "only one component at a time is inspected; use %s/{name}?inspect=true", r.URL.Path)
	}
	all := a.conductor.Components()
	if plural != "" {
		all = slices.DeleteFunc(all, func(c lifecycle.Component) bool { return pluralOf(c) != plural })
	}
	listed := map[string]bool{}
	for _, c := range all {
		listed[c.Name] = true
	}
	// Those of other kinds are not asked: one that hangs holds up its own list.
	healths := a.healths(r.Context(), func(name string) bool { return listed[name] })
	list := components{Components: make([]component, len(all))}
	for i, c := range all {
		list.Components[i] = a.picture(c, healths[c.Name])
		if plural != "" {
			list.Kind = kindOf(c)
		}
	}
	return reply(w, r, http.StatusOK, list)
}

func (a *Actuator) component(w http.ResponseWriter, r *http.Request) error {
	inspect, err := flagOf(r, "inspect")
	if err != nil {
		return err
	}
	c, err := a.named(r)
	if err != nil {
		return err
	}
	shown := a.picture(c, a.healths(r.Context(), func(n string) bool { return n == c.Name })[c.Name])
	if inspect {
		shown.addInspection(r.Context(), a, c)
	}
	if shown.Knobs != nil {
		w.Header().Set("ETag", revisionTag(shown.Revision))
	}
	return reply(w, r, http.StatusOK, shown)
}

// named is the component that the path names, which must be of its kind.
func (a *Actuator) named(r *http.Request) (lifecycle.Component, error) {
	kind, name := r.PathValue("kind"), r.PathValue("name")
	if kind != "" && !slices.Contains(a.kinds(), kind) {
		return lifecycle.Component{}, a.nothingAt(r)
	}
	c, ok := a.conductor.Component(name)
	if !ok || kind != "" && pluralOf(c) != kind {
		list := kind
		if list == "" {
			list = "components"
		}
		return lifecycle.Component{}, problemf(http.StatusNotFound, "there is no %q; %s/%s lists what there is", clip(name), a.cfg.BasePath, list)
	}
	return c, nil
}

// kinds are the plurals of the kinds that have a list of their own.
func (a *Actuator) kinds() []string {
	var plurals []string
	for _, c := range a.conductor.Components() {
		if plural := pluralOf(c); c.Panel != nil && !a.taken(plural) {
			plurals = append(plurals, plural)
		}
	}
	slices.Sort(plurals)
	return slices.Compact(plurals)
}

// taken reports whether an endpoint is where the list of a kind would be.
func (a *Actuator) taken(plural string) bool {
	return slices.ContainsFunc(a.endpoints, func(e endpoint) bool { return !e.Root && e.Path == "/"+plural })
}

func (a *Actuator) has(id string) bool {
	return slices.ContainsFunc(a.endpoints, func(e endpoint) bool { return e.ID == id })
}

func kindOf(c lifecycle.Component) string {
	if c.Panel == nil || c.Panel.Kind == "" {
		return defaultKind
	}
	return c.Panel.Kind
}

func pluralOf(c lifecycle.Component) string { return kindOf(c) + "s" }

// nothingAt is the answer to a path that leads nowhere.
func (a *Actuator) nothingAt(r *http.Request) error {
	return problemf(http.StatusNotFound, "there is nothing at %s; %s lists what there is", clip(r.URL.Path), a.cfg.BasePath)
}
