package modules

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

type conditionsIn struct {
	fx.In

	Options   options
	Conductor *lifecycle.Conductor `optional:"true"`
	Note      *managementNote
}

// newConditions is the endpoint that says which parts of Default are in.
func newConditions(in conditionsIn) actuator.Custom {
	return actuator.Custom{
		Endpoint: actuator.Endpoint{
			ID: "conditions", Method: http.MethodGet, Path: "/conditions", Answer: conditions{},
			Summary: "Which of the standard modules are in, which are left out or have nothing to do, what the program has in their place, and why.",
		},
		Serve: func(*http.Request) (any, error) { return in.conditions(), nil },
	}
}

// conditions is Spring's.
type conditions struct {
	Contexts map[string]conditionContext `json:"contexts"`
}

type conditionContext struct {
	// PositiveMatches are the parts that are there, NegativeMatches those that
	// are not, or do nothing.
	PositiveMatches map[string][]condition `json:"positiveMatches"`
	NegativeMatches map[string]unmatched   `json:"negativeMatches"`
	// Unconditional are the modules of Fx that are there in any case.
	Unconditional []string `json:"unconditionalClasses"`
}

type condition struct {
	Condition string `json:"condition"`
	Message   string `json:"message"`
}

type unmatched struct {
	NotMatched []condition `json:"notMatched"`
	Matched    []condition `json:"matched"`
}

// The conditions that there are.
const (
	onPart     = "OnPart"     // it is among those of Default
	onUse      = "OnUse"      // somebody has use for it
	onOverride = "OnOverride" // the program has something its own way
)

func (in conditionsIn) conditions() conditions {
	functions := in.Conductor.Functions()
	components := in.Conductor.Components()
	c := conditionContext{PositiveMatches: map[string][]condition{}, NegativeMatches: map[string]unmatched{}, Unconditional: modulesOf(functions)}
	for i := range parts {
		about := &parts[i]
		name := "modules." + about.name
		if slices.Contains(in.Options.without, Part(i)) {
			left := condition{onPart, fmt.Sprintf("it is left out: modules.Without(%s)", name)}
			c.NegativeMatches[name] = unmatched{[]condition{left}, about.overrides(functions)}
			continue
		}
		matched := append([]condition{{onPart, "it is a part of modules.Default"}}, about.overrides(functions)...)
		if idle := in.idle(Part(i), components); idle != "" {
			c.NegativeMatches[name] = unmatched{[]condition{{onUse, idle}}, matched}
			continue
		}
		if names := about.components(components); len(names) > 0 {
			matched = append(matched, condition{onUse, "its components: " + strings.Join(names, ", ")})
		}
		c.PositiveMatches[name] = matched
	}
	return conditions{map[string]conditionContext{"application": c}}
}

// idle says why a part that is in does nothing; empty: it does.
func (in conditionsIn) idle(p Part, components []lifecycle.Component) string {
	if p == Management {
		if why := in.Note.Load(); why != nil {
			return "no server: " + *why
		}
		return ""
	}
	if len(parts[p].components(components)) == 0 {
		return parts[p].idle
	}
	return ""
}

// mostNamed bounds the components that are named of a part.
const mostNamed = 20

func (a *aboutPart) components(all []lifecycle.Component) (names []string) {
	for _, c := range all {
		switch {
		case c.Panel == nil || !slices.Contains(a.kinds, c.Panel.Kind):
		case len(names) == mostNamed:
			return append(names, "…")
		default:
			names = append(names, c.Name)
		}
	}
	return names
}

// overrides are what the program has its own way of a part.
func (a *aboutPart) overrides(functions []lifecycle.Function) []condition {
	said := []condition{}
	for _, f := range functions {
		if isStandard(f.Name) {
			continue
		}
		for _, made := range f.Makes {
			if slices.Contains(a.types, made) {
				said = append(said, condition{onOverride, made + " is " + howMade(f)})
			}
		}
	}
	return said
}

// isStandard reports whether a function is one of ours.
func isStandard(function string) bool {
	return slices.ContainsFunc([]string{"modules.", "app.", "lifecycle.", "httpmodule.", "poolmodule.", "batchmodule."}, func(room string) bool {
		return strings.HasPrefix(function, "github.com/lastcall-go/lastcall/"+room)
	})
}

func howMade(f lifecycle.Function) string {
	how := map[lifecycle.FunctionKind]string{
		lifecycle.SupplyFunction: "supplied", lifecycle.ReplaceFunction: "replaced",
		lifecycle.DecorateFunction: "decorated by " + f.Name, lifecycle.ProvideFunction: "provided by " + f.Name,
	}[f.Kind]
	if f.Module != "" {
		how += " in module " + f.Module
	}
	return how
}

// modulesOf are the modules that functions are of, sorted.
func modulesOf(functions []lifecycle.Function) []string {
	names := []string{}
	for _, f := range functions {
		if f.Module != "" {
			names = append(names, f.Module)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
