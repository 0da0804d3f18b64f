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
	// ids numbers the nodes: constructors by their name in the picture, types
	// by their key.
	ids map[string]int
	// names are the other way round, and outputs the types that constructors
	// make.
	names   []string
	outputs map[int][]string
	// edges leads from a constructor to the types it needs, and from a type
	// to the constructors that make it.
	edges [][]int
	// byFunc leads from the name of a function to its nodes.
	byFunc map[string][]int
	// blind marks the types that a decorator has touched.
	blind []bool
}

// parseGraph reads the DOT text that dig writes:
//
//	"[type=T group=g]" -> "T[group=g]0";
//	subgraph cluster_0 {
//		label = "github.com/acme/svc";
//		constructor_0 [shape=plaintext label="NewServer"];
//		"*svc.Server" [label=<*svc.Server>];
//	}
//	constructor_0 -> "*svc.Pool" [ltail=cluster_0];
//
// Lines it does not know are passed over: what is missing then is an edge
// that only bands and the order of registration make up for.
func parseGraph(dot string, constructed *constructors) *graph {
	g := &graph{ids: map[string]int{}, outputs: map[int][]string{}, byFunc: map[string][]int{}}
	pkg, maker := "", nobody // of the cluster that is being read
	for line := range strings.Lines(dot) {
		line = strings.TrimSpace(line)
		head, tail, isEdge := strings.Cut(line, " -> ")
		switch {
		case isEdge:
			g.addEdge(unquote(head), unquote(tail))
		case strings.HasPrefix(line, `label = "`):
			pkg = unquote(strings.TrimPrefix(line, "label = "))
		case strings.HasPrefix(line, "constructor_"):
			id, attributes, _ := strings.Cut(line, " ")
			_, label, _ := strings.Cut(attributes, "label=")
			maker = g.id(id)
			g.addFunc(pkg+"."+unquote(label), maker)
		case line == "}":
			maker = nobody
		case maker != nobody && strings.HasPrefix(line, `"`):
			made := typeKey(unquote(line))
			t := g.id(made)
			g.edges[t] = append(g.edges[t], maker)
			g.outputs[maker] = append(g.outputs[maker], made)
		}
	}
	g.join(constructed)
	return g
}

// unquote returns what stands between the first pair of quotes, or the first
// word where there are none.
func unquote(s string) string {
	if quoted, ok := strings.CutPrefix(s, `"`); ok {
		s, _, _ = strings.Cut(quoted, `"`)
		return s
	}
	s, _, _ = strings.Cut(s, " ")
	return s
}

func (g *graph) id(node string) int {
	id, ok := g.ids[node]
	if !ok {
		id = len(g.edges)
		g.ids[node] = id
		g.edges = append(g.edges, nil)
		g.names = append(g.names, node)
		g.blind = append(g.blind, false)
	}
	return id
}

func (g *graph) addEdge(from, to string) {
	if !strings.HasPrefix(from, "constructor_") {
		from = typeKey(from)
	}
	f, t := g.id(from), g.id(typeKey(to))
	if f != t { // a group and its members are one type
		g.edges[f] = append(g.edges[f], t)
	}
}

// join names the nodes of annotated constructors, which the picture shows as
// reflect.makeFuncStub: the events tell their outputs.
func (g *graph) join(constructed *constructors) {
	byOutputs := g.byOutputs()
	for name, provided := range constructed.outputs {
		for _, types := range provided {
			for _, node := range byOutputs[outputsKey(types)] {
				g.addFunc(name, node)
			}
		}
	}
	for _, t := range constructed.decorated {
		g.blind[g.id(typeKey(t))] = true
	}
}

func (g *graph) addFunc(name string, node int) {
	name = strings.TrimSuffix(name, "()")
	if name == "reflect.makeFuncStub" {
		return // everybody's name and nobody's
	}
	if !slices.Contains(g.byFunc[name], node) {
		g.byFunc[name] = append(g.byFunc[name], node)
	}
}

// nodes are the constructors that may be the owner; none if it is not in the
// graph.
func (g *graph) nodes(o owner) []int {
	if o.kind == ownerOther {
		return nil
	}
	return g.byFunc[strings.TrimSuffix(o.name, "()")]
}

func outputsKey(types []string) string {
	keys := make([]string, len(types))
	for i, t := range types {
		keys[i] = typeKey(t)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

var (
	dotGroup       = regexp.MustCompile(`^\[type=(.*) group=(.*)\]$`)
	dotGroupMember = regexp.MustCompile(`^(.*\[group=.*\])\d+$`)
	eventTag       = regexp.MustCompile(`\[(name|group) = "(.*)"\]$`)
)

// typeKey gives one spelling to what the picture and the events write in
// different ways:
//
//	*x.C[name=x]             *x.C[name = "x"]
//	x.R[group=g]0            x.R[group = "g"]         [type=x.R group=g]
func typeKey(t string) string {
	switch {
	case !strings.Contains(t, "="):
		return t
	case strings.HasPrefix(t, "[type="):
		return dotGroup.ReplaceAllString(t, "$1[group=$2]")
	case strings.HasSuffix(t, `"]`):
		return eventTag.ReplaceAllString(t, "[$1=$2]")
	case strings.HasSuffix(t, "]"):
		return t
	default:
		return dotGroupMember.ReplaceAllString(t, "$1")
	}
}
