package lifecycle

import (
	"fmt"
	"slices"
)

// order is who stops before whom.
type order struct {
	components []*component
	// serial is the order of a stop one by one; a start runs it backwards.
	serial []*component
	// band is the band in which a component stops in effect, by index;
	// because says why it is not its own.
	band    []Band
	because []string
	// before holds, for each component, those that must stop before it.
	before []set
	// barrier marks components of which the graph does not tell what they
	// stand on: nothing stops beside them.
	barrier []bool
	// unknown are the names in After that nobody has.
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
	o := &order{
		components: components,
		band:       make([]Band, len(components)),
		because:    make([]string, len(components)),
		before:     make([]set, len(components)),
		barrier:    make([]bool, len(components)),
	}
	for i, c := range components {
		o.band[i] = c.Band
		o.before[i] = newSet(len(components))
	}
	o.addAfter()
	o.addGraph(g)
	o.settleBands()
	if err := o.sort(); err != nil {
		// Never without an order: what was constructed must be destroyed.
		o.serial = slices.Clone(components)
		slices.Reverse(o.serial)
		return o, err
	}
	return o, nil
}

func (o *order) addAfter() {
	byName := map[string]int{}
	for i, c := range o.components {
		byName[c.name] = i
	}
	for i, c := range o.components {
		for _, name := range c.After {
			if on, ok := byName[name]; ok && on != i {
				o.before[on].add(i)
			} else {
				o.unknown = append(o.unknown, fmt.Sprintf("%s is to start after %q, but nobody has that name", c.name, name))
			}
		}
	}
}

func (o *order) addGraph(g *graph) {
	// Which components does each node of the graph have?
	members := map[string]set{}
	nodesOf := make([][]string, len(o.components))
	for i, c := range o.components {
		nodesOf[i] = g.nodes(c.owner)
		o.barrier[i] = len(nodesOf[i]) == 0
		for _, n := range nodesOf[i] {
			if members[n] == nil {
				members[n] = newSet(len(o.components))
			}
			members[n].add(i)
		}
	}
	below := map[string]set{} // components below the nodes of one owner
	for i, c := range o.components {
		if o.barrier[i] {
			continue
		}
		stood, known := below[c.owner.name]
		if !known {
			seen, complete := g.below(nodesOf[i])
			if complete {
				stood = newSet(len(o.components))
				for n := range seen {
					for w, word := range members[n] {
						stood[w] |= word
					}
				}
			}
			below[c.owner.name] = stood
		}
		if stood == nil { // a decorator hides what it stands on
			o.barrier[i] = true
			continue
		}
		stood.each(func(j int) {
			// What one stands on was constructed first. An edge the other way
			// round comes from two constructors that the graph cannot tell
			// apart.
			if j < i {
				o.before[j].add(i)
			}
		})
	}
}

func (o *order) settleBands() {
	o.spread(func(first, second int) (moved int, to Band) {
		if o.band[second] == Ingress && o.band[first] != Ingress {
			return first, Ingress
		}
		return nobody, 0
	})
	o.spread(func(first, second int) (moved int, to Band) {
		if o.band[first] > o.band[second] {
			return second, o.band[first]
		}
		return nobody, 0
	})
}

const nobody = -1

// spread looks at each pair of which the first must stop before the second,
// until nobody moves any more.
func (o *order) spread(look func(first, second int) (moved int, to Band)) {
	for again := true; again; {
		again = false
		for second := range o.components {
			o.before[second].each(func(first int) {
				moved, to := look(first, second)
				if moved == nobody {
					return
				}
				again = true
				o.because[moved] = fmt.Sprintf("moved from %s to %s: %s stands on %s",
					o.components[moved].Band, to, o.components[first].name, o.components[second].name)
				o.band[moved] = to
			})
		}
	}
}

// sort always takes, of those whose dependents have all stopped, the one of
// the earliest band that was registered last.
func (o *order) sort() error {
	n := len(o.components)
	waits := make([]int, n) // how many must still stop before it
	behind := make([][]int, n)
	for second := range n {
		o.before[second].each(func(first int) {
			waits[second]++
			behind[first] = append(behind[first], second)
		})
	}
	ready := readyHeap{band: o.band}
	for i := range n {
		if waits[i] == 0 {
			ready.push(i)
		}
	}
	for len(ready.items) > 0 {
		i := ready.pop()
		o.serial = append(o.serial, o.components[i])
		for _, next := range behind[i] {
			if waits[next]--; waits[next] == 0 {
				ready.push(next)
			}
		}
	}
	if len(o.serial) < n {
		err := &CycleError{}
		for i, c := range o.components {
			if waits[i] > 0 {
				err.Components = append(err.Components, c.name)
			}
		}
		return err
	}
	return nil
}

// mustPrecede reports whether a must have stopped before b stops, when
// independent components may stop at the same time. a comes before b in the
// serial order.
func (o *order) mustPrecede(a, b *component) bool {
	switch {
	case o.band[a.index] != o.band[b.index], // a band is over before the next begins
		o.barrier[a.index], o.barrier[b.index],
		o.before[b.index].has(a.index):
		return true
	default:
		// Two hooks of one run of one constructor are in its own order. Runs
		// are known only where the tap is.
		return a.owner.name == b.owner.name && a.owner.run == b.owner.run
	}
}

// startOrder is the stop backwards.
func (o *order) startOrder() []*component {
	s := slices.Clone(o.serial)
	slices.Reverse(s)
	return s
}
