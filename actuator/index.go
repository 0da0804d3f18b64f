package actuator

import (
	"net/http"
	"strings"
)

const indexID = "index"

func (a *Actuator) indexEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: indexID, Method: http.MethodGet, Path: "", Answer: index{},
		Summary: "What there is: a link to each endpoint.",
	}, a.index}}
}

// index is Spring's: links by name.
type index struct {
	Links map[string]link `json:"_links"`
}

type link struct {
	Href      string `json:"href"`
	Templated bool   `json:"templated"`
}

func (a *Actuator) index(w http.ResponseWriter, r *http.Request) error {
	base := "http://"
	if r.TLS != nil {
		base = "https://"
	}
	base += r.Host
	links := map[string]link{}
	for _, e := range a.endpoints {
		if e.ofKind() || e.Method != http.MethodGet && e.Method != http.MethodPost || !a.may(e) {
			continue // the links of what is read lead there, if any
		}
		name := e.linkName()
		if _, there := links[name]; !there {
			links[name] = link{base + a.pattern(e.Endpoint), len(e.variables()) > 0}
		}
	}
	if a.has(kindID) {
		for _, kind := range a.kinds() {
			links[kind] = link{base + a.cfg.BasePath + "/" + kind, false}
			links[kind+"-name"] = link{base + a.cfg.BasePath + "/" + kind + "/{name}", true}
		}
	}
	return reply(w, r, http.StatusOK, index{links})
}

// linkName is what Spring calls it: the id, with the variables behind it.
func (e endpoint) linkName() string {
	switch {
	case e.ID == indexID:
		return "self"
	case e.Root:
		return strings.TrimPrefix(e.Path, "/")
	}
	return strings.Join(append([]string{e.ID}, e.variables()...), "-")
}
