package modules

import (
	"net/http"
	"strings"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/config"
)

// configProps is Spring's: one context, whose beans are our sections.
type configProps struct {
	Contexts map[string]configContext `json:"contexts"`
}

type configContext struct {
	Beans    map[string]configBean `json:"beans"`
	ParentID *string               `json:"parentId"`
}

// configBean is a section. Properties and Inputs are nested as its keys are: a
// value, and where it comes from.
type configBean struct {
	Prefix     string         `json:"prefix"`
	Properties map[string]any `json:"properties"`
	Inputs     map[string]any `json:"inputs"`
}

func (r *reloader) configProps(req *http.Request) (any, error) {
	prefix := req.PathValue("prefix")
	values := r.values()
	beans := map[string]configBean{}
	for _, section := range values.Sections() {
		if strings.HasPrefix(section, prefix) {
			beans[section] = r.section(values, section)
		}
	}
	if len(beans) == 0 {
		return nil, actuator.Refusal(http.StatusNotFound, "no section begins so; there are %s", strings.Join(values.Sections(), ", "))
	}
	return configProps{map[string]configContext{"application": {Beans: beans}}}, nil
}

func (r *reloader) section(values *config.Values, section string) configBean {
	bean := configBean{Prefix: section, Properties: map[string]any{}, Inputs: map[string]any{}}
	above := len(strings.Split(section, "."))
	for v := range values.All() {
		if v.Key != section && !strings.HasPrefix(v.Key, section+".") {
			continue
		}
		path := values.Path(v.Key)
		if len(path) <= above { // the section is one value
			path = append(path, "value")
		}
		value := r.mask.Mask(v.Key, v.Value)
		nest(bean.Properties, path[above:], value)
		nest(bean.Inputs, path[above:], property{Value: value, Origin: v.Origin.String()})
	}
	return bean
}

// nest puts a value where its path leads.
func nest(m map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		below, ok := m[path[0]].(map[string]any)
		if !ok {
			below = map[string]any{}
			m[path[0]] = below
		}
		m = below
	}
	m[path[0]] = value
}
