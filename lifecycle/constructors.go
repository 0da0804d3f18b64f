package lifecycle

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.uber.org/fx/fxevent"
)

// FunctionKind is what Fx does with a function.
type FunctionKind string

// The kinds of functions of an application.
const (
	ProvideFunction  FunctionKind = "provide"  // makes types
	SupplyFunction   FunctionKind = "supply"   // is a value
	DecorateFunction FunctionKind = "decorate" // changes types
	ReplaceFunction  FunctionKind = "replace"  // is a value in place of another
	InvokeFunction   FunctionKind = "invoke"   // makes nothing
)

// Function is one function, or value, that an application is made of.
type Function struct {
	// Name is what Fx calls it, without what annotates it: that of the package
	// and the function, or "supply" and "replace" for values.
	Name string
	Kind FunctionKind
	// Module is of Fx; empty: the root.
	Module string
	// Makes are the types that it makes, or changes: "*svc.Pool",
	// "*svc.Pool[name=x]", "svc.Route[group=routes]".
	Makes []string
	// Needs are those that it is given, one of a group once. The picture that Fx
	// draws knows constructors by their types: where several make the same group,
	// each has the needs of all of them. It does not know those of decorators and
	// invoked functions.
	Needs []string
	// Private: its types are for its module alone.
	Private bool
	// Ran: somebody has needed it; Took is how long it ran.
	Ran  bool
	Took time.Duration
	// Components are those that it has registered, by their names.
	Components []string
}

// Functions are what the application is made of, in the order in which it was
// put together, ours too. It is known by the tap alone ([Conductor.Tap]): without
// one there are none.
func (c *Conductor) Functions() []Function {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.needGraphLocked()
	all := slices.Clone(c.constructors.functions)
	byOutputs := c.graph.byOutputs()
	supplied := c.graph.supplied(all)
	for i := range all {
		f := &all[i]
		made := make([]string, len(f.Makes))
		for j, t := range f.Makes {
			made[j] = typeKey(t)
		}
		switch f.Kind {
		case ProvideFunction:
			f.Needs = c.graph.needs(byOutputs[outputsKey(f.Makes)])
		case SupplyFunction:
			if tagged := supplied[made[0]]; len(tagged) > 0 {
				supplied[made[0]] = tagged[1:]
				made[0] = tagged[0]
			}
		}
		f.Makes = made
		for _, comp := range c.components {
			if trimmedName(comp.owner.name) == f.Name && comp.owner.module == f.Module && comp.owner.kind.of(f.Kind) {
				f.Components = append(f.Components, comp.name)
			}
		}
	}
	return all
}

// of reports whether an owner can be a function of that kind.
func (k ownerKind) of(f FunctionKind) bool {
	return k == ownerConstructor == (f == ProvideFunction) && f != SupplyFunction && f != ReplaceFunction
}

// trimmedName is what Fx calls a function, without what annotates it.
func trimmedName(name string) string {
	if inner, ok := strings.CutPrefix(name, "fx.Annotate("); ok {
		name, _, _ = strings.Cut(inner, "(), fx.")
	}
	return strings.TrimSuffix(name, "()")
}

// told notes what an event tells of a function.
func (c *Conductor) told(event fxevent.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add := func(f Function) {
		f.Name = trimmedName(f.Name)
		c.constructors.functions = append(c.constructors.functions, f)
	}
	switch e := event.(type) {
	case *fxevent.Provided:
		if e.Err == nil {
			add(Function{Name: e.ConstructorName, Kind: ProvideFunction, Module: e.ModuleName, Makes: e.OutputTypeNames, Private: e.Private})
		}
	case *fxevent.Supplied:
		if e.Err == nil {
			add(Function{Name: "supply", Kind: SupplyFunction, Module: e.ModuleName, Makes: []string{e.TypeName}, Ran: true})
		}
	case *fxevent.Replaced:
		if e.Err == nil {
			add(Function{Name: "replace", Kind: ReplaceFunction, Module: e.ModuleName, Makes: e.OutputTypeNames, Ran: true})
		}
	case *fxevent.Decorated:
		if e.Err == nil {
			add(Function{Name: e.DecoratorName, Kind: DecorateFunction, Module: e.ModuleName, Makes: e.OutputTypeNames})
		}
	case *fxevent.Invoking:
		add(Function{Name: e.FunctionName, Kind: InvokeFunction, Module: e.ModuleName, Ran: true})
	case *fxevent.Run:
		c.constructors.ran(e)
	}
}

// ran notes that a function has run: of several that cannot be told apart, the
// first that has not.
func (c *constructors) ran(e *fxevent.Run) {
	name := trimmedName(e.Name)
	for i := range c.functions {
		f := &c.functions[i]
		if !f.Ran && f.Name == name && f.Module == e.ModuleName && string(f.Kind) == e.Kind {
			f.Ran, f.Took = true, e.Runtime
			return
		}
	}
}

// needGraphLocked reads the picture, if nobody has yet.
func (c *Conductor) needGraphLocked() {
	if c.graph == nil {
		c.graph = parseGraph(string(c.dot), &c.constructors)
	}
}

// byOutputs are the nodes of constructors by what they make.
func (g *graph) byOutputs() map[string][]int {
	nodes := map[string][]int{}
	for id := range g.edges { // not the map: the order must be the same each time
		if types := g.outputs[id]; types != nil {
			key := outputsKey(types)
			nodes[key] = append(nodes[key], id)
		}
	}
	return nodes
}

var typeTag = regexp.MustCompile(`\[(name|group)=[^\]]*\]$`)

// supplied are the types of values with their names and groups, which the events
// leave out, by the types without them. The picture has them in the same order,
// as constructors that no event tells of.
func (g *graph) supplied(functions []Function) map[string][]string {
	told := map[string]bool{}
	for _, f := range functions {
		if f.Kind == ProvideFunction {
			told[outputsKey(f.Makes)] = true
		}
	}
	tagged := map[string][]string{}
	for id := range g.edges {
		if made := g.outputs[id]; len(made) == 1 && !told[outputsKey(made)] {
			t := typeTag.ReplaceAllString(made[0], "")
			tagged[t] = append(tagged[t], made[0])
		}
	}
	return tagged
}

// needs are the types that nodes stand on, sorted.
func (g *graph) needs(nodes []int) []string {
	var types []string
	for _, node := range nodes {
		for _, to := range g.edges[node] {
			types = append(types, g.names[to])
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}
