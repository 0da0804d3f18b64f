package lifecycle

// reach is what each node of a graph stands on, directly or not.
type reach struct {
	graph   *graph
	members []set // the components of each node; nil: none
	size    int   // how many components there are

	// below holds, for each node, the components below it; hidden marks the
	// nodes for which a decorator hides a part of them.
	below  []set
	hidden []bool

	// R. Tarjan, Depth-first search and linear graph algorithms, 1972: nodes
	// that stand on each other come out together, and whoever they stand on
	// before them. There are such nodes only because the picture is coarse.
	visit      []int // when a node was first visited, from 1
	low        []int // the earliest visit that can be reached from it
	path       []int
	onPath     []bool
	lastVisits int
}

func newReach(g *graph, members []set, size int) *reach {
	n := len(g.edges)
	r := &reach{
		graph: g, members: members, size: size,
		below: make([]set, n), hidden: make([]bool, n),
		visit: make([]int, n), low: make([]int, n), onPath: make([]bool, n),
	}
	for node := range n {
		if r.visit[node] == 0 {
			r.walk(node)
		}
	}
	return r
}

func (r *reach) walk(node int) {
	r.lastVisits++
	r.visit[node], r.low[node] = r.lastVisits, r.lastVisits
	r.path = append(r.path, node)
	r.onPath[node] = true
	for _, next := range r.graph.edges[node] {
		if r.visit[next] == 0 {
			r.walk(next)
			r.low[node] = min(r.low[node], r.low[next])
		} else if r.onPath[next] {
			r.low[node] = min(r.low[node], r.visit[next])
		}
	}
	if r.low[node] == r.visit[node] {
		r.settle(node)
	}
}

// settle takes from the path the nodes that stand on each other, of which
// first was visited first.
func (r *reach) settle(first int) {
	var together []int
	for node := nobody; node != first; {
		last := len(r.path) - 1
		node = r.path[last]
		r.path = r.path[:last]
		r.onPath[node] = false
		together = append(together, node)
	}
	below, hidden := newSet(r.size), false
	for _, node := range together {
		for _, next := range r.graph.edges[node] {
			below.addAll(r.below[next])
			below.addAll(r.members[next])
			hidden = hidden || r.hidden[next] || r.graph.blind[next]
		}
	}
	for _, node := range together {
		r.below[node], r.hidden[node] = below, hidden
	}
}
