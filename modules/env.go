package modules

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/config"
)

// The endpoints of the configuration.
const (
	envID         = "env"
	configPropsID = "configprops"
)

// configEndpoints are those of Spring Boot, with the same shapes. They show what
// counts now, as the last good files say, and every source that says something
// else. Nothing of the environment is shown but what is a key.
func (r *reloader) configEndpoints() []actuator.Custom {
	if r == nil {
		return nil
	}
	get := func(id, path, summary string, answer any, serve func(*http.Request) (any, error)) actuator.Custom {
		return actuator.Custom{
			Endpoint: actuator.Endpoint{ID: id, Method: http.MethodGet, Path: path, Summary: summary, Answer: answer},
			Serve:    serve, Masked: true,
		}
	}
	env := get(envID, "/env", "Every key of the configuration in every source, the strongest first, with its origin.", environment{}, r.env)
	env.Query = map[string]string{"pattern": "a regular expression: only keys that match"}
	return []actuator.Custom{
		env,
		get(envID, "/env/{property}", "One key: what counts, and what each source says.", environment{}, r.envProperty),
		get(configPropsID, "/configprops", "Each section of the configuration as it is in effect, with origins.", configProps{}, r.configProps),
		get(configPropsID, "/configprops/{prefix}", "The sections whose key begins so.", configProps{}, r.configProps),
	}
}

// environment is Spring's. There are no profiles.
type environment struct {
	ActiveProfiles  []string         `json:"activeProfiles"`
	DefaultProfiles []string         `json:"defaultProfiles"`
	PropertySources []propertySource `json:"propertySources"`
	// Property is what counts, where one is asked for.
	Property *property `json:"property,omitempty"`
}

// propertySource is one source. It has properties, or the one that is asked for
// if it says something about that.
type propertySource struct {
	Name       string              `json:"name"`
	Properties map[string]property `json:"properties,omitempty"`
	Property   *property           `json:"property,omitempty"`
}

type property struct {
	Source string `json:"source,omitempty"`
	Value  any    `json:"value"`
	Origin string `json:"origin,omitempty"`
}

func newEnvironment() environment {
	return environment{ActiveProfiles: []string{}, DefaultProfiles: []string{}, PropertySources: []propertySource{}}
}

func (r *reloader) env(req *http.Request) (any, error) {
	pattern, err := regexp.Compile(req.URL.Query().Get("pattern"))
	if err != nil {
		return nil, actuator.Refusal(http.StatusBadRequest, "the pattern is no regular expression: %v", err)
	}
	env := newEnvironment()
	for _, layer := range r.layers() {
		source := propertySource{Name: layer.name, Properties: map[string]property{}}
		for key, p := range layer.properties {
			if pattern.MatchString(key) {
				source.Properties[key] = p
			}
		}
		env.PropertySources = append(env.PropertySources, source)
	}
	return env, nil
}

func (r *reloader) envProperty(req *http.Request) (any, error) {
	key := req.PathValue("property")
	env := newEnvironment()
	for _, layer := range r.layers() {
		source := propertySource{Name: layer.name}
		if p, ok := layer.properties[key]; ok {
			source.Property = &p
			if env.Property == nil { // the strongest comes first
				env.Property = &property{Source: layer.name, Value: p.Value, Origin: p.Origin}
			}
		}
		env.PropertySources = append(env.PropertySources, source)
	}
	if env.Property == nil {
		return nil, actuator.Refusal(http.StatusNotFound, "there is no such key; /env lists all")
	}
	return env, nil
}

// envLayer is a source as it is shown.
type envLayer struct {
	name       string
	properties map[string]property
}

// layers are those of the last good values, below what was turned by hand.
func (r *reloader) layers() []envLayer {
	values := r.values()
	var layers []envLayer
	if byHand := r.turned(values); len(byHand) > 0 {
		layers = append(layers, envLayer{"while running", byHand})
	}
	for _, layer := range values.Layers() {
		shown := envLayer{layer.Name, map[string]property{}}
		for v := range layer.All() {
			shown.properties[v.Key] = property{Value: r.mask.Mask(v.Key, v.Value), Origin: v.Origin.String()}
		}
		layers = append(layers, shown)
	}
	return layers
}

func (r *reloader) values() *config.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// turned are the knobs that can be turned and are not as the sources say, with
// who turned them.
func (r *reloader) turned(values *config.Values) map[string]property {
	byHand := map[string]property{}
	for key, k := range r.knobs() {
		if v, ok := values.Value(key); ok && !k.Cold && !k.is(v) {
			byHand[key] = property{Value: r.mask.Mask(key, fmt.Sprint(k.Value)), Origin: r.whoTurned(k)}
		}
	}
	return byHand
}

func (r *reloader) whoTurned(k knobAt) string {
	for _, entry := range slices.Backward(r.conductor.Audit()) {
		if _, turned := entry.After[k.Name]; turned && entry.Component == k.component && entry.Error == "" && entry.Action == "" {
			return fmt.Sprintf("%s, %s", entry.By, entry.From)
		}
	}
	return "code"
}
