package actuator

import (
	"fmt"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// contextName is that of the one context there is, in Spring's shape.
const contextName = "application"

func (a *Actuator) beanEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "beans", Method: http.MethodGet, Path: "/beans", Answer: beans{},
		Summary: "What the application is made of: the types of the dependency graph, what makes them, what they stand on.",
	}, a.beans}}
}

// beans is Spring's.
type beans struct {
	Contexts map[string]beanContext `json:"contexts"`
}

type beanContext struct {
	ParentID *string         `json:"parentId"`
	Beans    map[string]bean `json:"beans"`
}

// bean is one type that one function makes.
type bean struct {
	Aliases []string `json:"aliases"`
	Scope   string   `json:"scope"`
	Type    string   `json:"type"`
	// Resource is the function that makes it.
	Resource     string   `json:"resource,omitempty"`
	Dependencies []string `json:"dependencies"`

	// These are ours: the module of Fx, the kind of the function, whether it has
	// run, for how long, and the components that it has registered.
	Module     string   `json:"module,omitempty"`
	Kind       string   `json:"kind"`
	Built      bool     `json:"built"`
	Took       string   `json:"took,omitempty"`
	Components []string `json:"components,omitempty"`
}

func (a *Actuator) beans(w http.ResponseWriter, r *http.Request) error {
	functions := a.conductor.Functions()
	found := map[string]bean{}
	named := map[string][]string{} // the beans of a type
	for _, f := range functions {
		if f.Kind != lifecycle.ProvideFunction && f.Kind != lifecycle.SupplyFunction {
			continue
		}
		for _, made := range f.Makes {
			name := unique(found, made)
			found[name] = beanOf(f, made)
			named[made] = append(named[made], name)
		}
	}
	for name, b := range found { // by now it is known what every need is called
		needs := b.Dependencies
		b.Dependencies = []string{}
		for _, need := range needs {
			b.Dependencies = append(b.Dependencies, named[need]...)
		}
		found[name] = b
	}
	return a.replyMasked(w, r, http.StatusOK, beans{map[string]beanContext{contextName: {Beans: found}}})
}

func beanOf(f lifecycle.Function, made string) bean {
	b := bean{
		Aliases: []string{}, Scope: "singleton", Type: made, Resource: f.Name, Dependencies: f.Needs,
		Module: f.Module, Kind: string(f.Kind), Built: f.Ran, Components: f.Components,
	}
	if f.Took > 0 {
		b.Took = f.Took.Round(time.Microsecond).String()
	}
	return b
}

// unique is a name that no bean has yet: a group has many of one type, and
// types of two packages may be spelt alike.
func unique(found map[string]bean, name string) string {
	free := name
	for n := 2; ; n++ {
		if _, taken := found[free]; !taken {
			return free
		}
		free = fmt.Sprintf("%s#%d", name, n)
	}
}
