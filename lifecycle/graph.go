package lifecycle

import (
	"regexp"
	"slices"
	"strings"
)

// graph is the dependency graph as Fx draws it (fx.DotGraph), joined with the
// names that Fx's events give to constructors.
//
// The picture is coarser than the truth in one way and blind in two, and each
// time the graph errs towards more order, never less:
//   - a constructor is known by its outputs, so two constructors that feed the
//     same value group are one node with the edges of both;
//   - the functions of fx.Invoke are not in it: their hooks have no node;
//   - nor are decorators: whoever stands on a decorated type has no node.
type graph struct {
	// edges leads from a constructor to the types it needs, and from a type
	// to the constructors that make it.
	edges map[string][]string
	// byFunc leads from the name of a function to its nodes.
	byFunc map[string][]string
	// blind holds the types that a decorator has touched.
	blind map[string]bool
}

var (
	dotLabel       = regexp.MustCompile(`^label = "(.*)";$`)
	dotConstructor = regexp.MustCompile(`^(constructor_\d+) \[.*label="(.*)"\];$`)
	dotResult      = regexp.MustCompile(`^"(.*)" \[label=<.*>\];$`)
	dotEdge        = regexp.MustCompile(`^"?(.*?)"? -> "(.*?)"(?: \[.*\])?;$`)
	dotGroup       = regexp.MustCompile(`^\[type=(.*) group=(.*)\]$`)
	dotGroupMember = regexp.MustCompile(`^(.*\[group=.*\])\d+$`)
)

// parseGraph reads the DOT text that dig writes. Lines it does not know are
// passed over: what is missing then is an edge that only bands and the order
// of registration make up for.
func parseGraph(dot string, constructed *constructors) *graph {
	g := &graph{edges: map[string][]string{}, byFunc: map[string][]string{}, blind: map[string]bool{}}
	var pkg, node string
	outputs := map[string][]string{}
	for line := range strings.Lines(dot) {
		line = strings.TrimSpace(line)
		if m := dotLabel.FindStringSubmatch(line); m != nil {
			pkg = m[1]
		} else if m := dotConstructor.FindStringSubmatch(line); m != nil {
			node = m[1]
			g.addFunc(pkg+"."+m[2], node)
		} else if m := dotResult.FindStringSubmatch(line); m != nil && node != "" {
			t := typeKey(m[1])
			g.edges[t] = append(g.edges[t], node)
			outputs[node] = append(outputs[node], t)
		} else if m := dotEdge.FindStringSubmatch(line); m != nil {
			from, to := m[1], typeKey(m[2])
			if !strings.HasPrefix(from, "constructor_") {
				from = typeKey(from) // a group and its members are one type
			}
			if from != to {
				g.edges[from] = append(g.edges[from], to)
			}
		} else if line == "}" {
			node = ""
		}
	}
	g.join(outputs, constructed)
	return g
}

// join names the nodes of annotated constructors, which the picture shows as
// reflect.makeFuncStub: the events tell their outputs.
func (g *graph) join(outputs map[string][]string, constructed *constructors) {
	byOutputs := map[string][]string{}
	for node, types := range outputs {
		k := outputsKey(types)
		byOutputs[k] = append(byOutputs[k], node)
	}
	for name, provided := range constructed.outputs {
		for _, types := range provided {
			for _, node := range byOutputs[outputsKey(types)] {
				g.addFunc(name, node)
			}
		}
	}
	for _, t := range constructed.decorated {
		g.blind[typeKey(t)] = true
	}
}

func (g *graph) addFunc(name, node string) {
	name = strings.TrimSuffix(name, "()")
	if !slices.Contains(g.byFunc[name], node) {
		g.byFunc[name] = append(g.byFunc[name], node)
	}
}

// nodes are the constructors that may be the owner; none if it is not in the
// graph.
func (g *graph) nodes(o owner) []string {
	if g == nil || o.kind == ownerOther {
		return nil
	}
	return g.byFunc[strings.TrimSuffix(o.name, "()")]
}

// below visits everything that the nodes stand on, directly or not, and
// reports false when a decorator hides a part of it.
func (g *graph) below(nodes []string) (map[string]bool, bool) {
	seen := map[string]bool{}
	todo := slices.Clone(nodes)
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, next := range g.edges[n] {
			if g.blind[next] {
				return seen, false
			}
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return seen, true
}

func outputsKey(types []string) string {
	keys := make([]string, len(types))
	for i, t := range types {
		keys[i] = typeKey(t)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

var eventTag = regexp.MustCompile(`\[(name|group) = "(.*)"\]$`)

// typeKey gives one spelling to what the picture and the events write in
// different ways:
//
//	*x.C[name=x]             *x.C[name = "x"]
//	x.R[group=g]0            x.R[group = "g"]         [type=x.R group=g]
func typeKey(t string) string {
	if m := dotGroup.FindStringSubmatch(t); m != nil {
		return m[1] + "[group=" + m[2] + "]"
	}
	if m := dotGroupMember.FindStringSubmatch(t); m != nil {
		return m[1]
	}
	return eventTag.ReplaceAllString(t, "[$1=$2]")
}
