package lifecycle

import (
	"fmt"
	"slices"
)

// order is who stops before whom. It does not change once it is made.
type order struct {
	components []*component
	// serial is the order of a stop one by one; a start runs it backwards.
	serial []*component
	// band is the band in which a component stops in effect, by index;
	// because says why it is not its own.
	band    []Band
	because []string
	// standsOn holds, for each component, those that must stop after it.
	standsOn []set
	// barrier marks components of which the graph does not tell what they
	// stand on: nothing stops beside them.
	barrier []bool
	// below names, for each component, those that it stands on and that stand on
	// none of the others, in the order of registration.
	below [][]string
	// unknown says which names in After nobody has.
	unknown []string
}

// newOrder puts components in their order. Three rules, the first beats the
// second, the second the third:
//  1. a dependency (an After, or a path in the graph): who stands on another
//     stops before it;
//  2. the band;
//  3. the reverse order of registration.
//
// Where 1 contradicts 2, the band of one of the two gives way: ingress must
// be first, so whoever stops before an ingress component comes forward to it;
// otherwise living longer does no harm, so what is stood upon moves back to
// the band of who stands on it. Cycles are an error, and the order is then
// rule 3 alone.
func newOrder(components []*component, g *graph) (*order, error) {
	n := len(components)
	o := &order{
		components: components,
		band:       make([]Band, n),
		because:    make([]string, n),
		standsOn:   make([]set, n),
		barrier:    make([]bool, n),
	}
	for i, c := range components {
		o.band[i] = c.Band
		o.standsOn[i] = newSet(n)
	}
	o.addGraph(g)
	o.addAfter()
	o.addBelow()
	o.settleBands()
	if err := o.sort(); err != nil {
		// Never without an order: what was constructed must be destroyed.
		o.serial = slices.Clone(components)
		slices.Reverse(o.serial)
		return o, err
	}
	return o, nil
}

// addGraph adds what the dependency graph tells.
func (o *order) addGraph(g *graph) {
	members := make([]set, len(g.edges)) // the components of each node
	nodes := make([][]int, len(o.components))
	for i, c := range o.components {
		nodes[i] = g.nodes(c.owner)
		for _, node := range nodes[i] {
			if members[node] == nil {
				members[node] = newSet(len(o.components))
			}
			members[node].add(i)
		}
	}
	r := newReach(g, members, len(o.components))
	below := map[string]set{} // by owner: many may share a name, and its nodes
	for i, c := range o.components {
		o.barrier[i] = len(nodes[i]) == 0
		for _, node := range nodes[i] {
			o.barrier[i] = o.barrier[i] || r.hidden[node]
		}
		if o.barrier[i] {
			continue
		}
		stood, known := below[c.owner.name]
		if !known {
			stood = newSet(len(o.components))
			for _, node := range nodes[i] {
				stood.addAll(r.below[node])
			}
			below[c.owner.name] = stood
		}
		// What one stands on was constructed first. An edge the other way
		// round comes from two constructors that the graph cannot tell apart.
		o.standsOn[i].addBelow(stood, i)
	}
}

// addAfter adds what components say themselves.
func (o *order) addAfter() {
	byName := make(map[string]int, len(o.components))
	for i, c := range o.components {
		byName[c.name] = i
	}
	for i, c := range o.components {
		for _, name := range c.After {
			switch on, ok := byName[name]; {
			case !ok:
				o.unknown = append(o.unknown, fmt.Sprintf("%s is to start after %q, but nobody has that name", c.name, name))
			case on == i:
				o.unknown = append(o.unknown, c.name+" is to start after itself")
			default:
				o.standsOn[i].add(on)
			}
		}
	}
}

// addBelow leaves out, of what components stand on, what stands below something
// else of that: a picture shows each step once. Of those that stand on each other
// (a cycle) one may be left out.
func (o *order) addBelow() {
	o.below = make([][]string, len(o.components))
	for i := range o.components {
		deeper := newSet(len(o.components))
		o.standsOn[i].each(func(on int) {
			if !o.standsOn[on].has(i) {
				deeper.addAll(o.standsOn[on])
			}
		})
		o.standsOn[i].each(func(on int) {
			if !deeper.has(on) {
				o.below[i] = append(o.below[i], o.components[on].name)
			}
		})
	}
}

func (o *order) settleBands() {
	if !slices.ContainsFunc(o.band, func(b Band) bool { return b != o.band[0] }) {
		return
	}
	o.spread(func(above, below int) (moved int, to Band) {
		if o.band[below] == Ingress && o.band[above] != Ingress {
			return above, Ingress
		}
		return nobody, 0
	})
	o.spread(func(above, below int) (moved int, to Band) {
		if o.band[above] > o.band[below] {
			return below, o.band[above]
		}
		return nobody, 0
	})
}

const nobody = -1

// spread looks at each pair of which one stands on the other, until nobody
// moves any more.
func (o *order) spread(look func(above, below int) (moved int, to Band)) {
	for again := true; again; {
		again = false
		for above := range o.components {
			o.standsOn[above].each(func(below int) {
				moved, to := look(above, below)
				if moved == nobody {
					return
				}
				again = true
				o.because[moved] = fmt.Sprintf("moved from %s to %s: %s stands on %s",
					o.components[moved].Band, to, o.components[above].name, o.components[below].name)
				o.band[moved] = to
			})
		}
	}
}

// sort always takes, of those whose dependents have all stopped, the one of
// the earliest band that was registered last.
func (o *order) sort() error {
	waits := make([]int, len(o.components)) // how many must still stop before it
	for above := range o.components {
		o.standsOn[above].each(func(below int) { waits[below]++ })
	}
	ready := readyHeap{band: o.band}
	for i := range o.components {
		if waits[i] == 0 {
			ready.push(i)
		}
	}
	for len(ready.items) > 0 {
		i := ready.pop()
		o.serial = append(o.serial, o.components[i])
		o.standsOn[i].each(func(below int) {
			if waits[below]--; waits[below] == 0 {
				ready.push(below)
			}
		})
	}
	if len(o.serial) < len(o.components) {
		return o.cycle(waits)
	}
	return nil
}

// cycle names the components that wait for each other. Those behind a cycle
// wait too, but nobody in it waits for them: they are peeled off.
func (o *order) cycle(waits []int) error {
	stuck := newSet(len(o.components))
	for i, n := range waits {
		if n > 0 {
			stuck.add(i)
		}
	}
	for again := true; again; {
		again = false
		stuck.each(func(i int) {
			if !o.standsOn[i].meets(stuck) {
				stuck.remove(i)
				again = true
			}
		})
	}
	err := &CycleError{}
	stuck.each(func(i int) { err.Components = append(err.Components, o.components[i].name) })
	return err
}

// mustPrecede reports whether a must have stopped before b stops, when
// independent components may stop at the same time. a comes before b in the
// serial order.
func (o *order) mustPrecede(a, b *component) bool {
	switch {
	case o.band[a.index] != o.band[b.index], // a band is over before the next begins
		o.barrier[a.index], o.barrier[b.index],
		o.standsOn[a.index].has(b.index):
		return true
	default:
		return sameRun(a, b)
	}
}

// sameRun reports whether two components come from one run of one function:
// they are in its own order. Without the tap runs are not known, and two that
// come from one function are taken for one run's.
func sameRun(a, b *component) bool {
	return a.owner.name == b.owner.name && a.owner.run == b.owner.run
}

// startOrder is the stop backwards.
func (o *order) startOrder() []*component {
	s := slices.Clone(o.serial)
	slices.Reverse(s)
	return s
}
