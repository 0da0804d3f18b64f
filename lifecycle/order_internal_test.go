package lifecycle

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// noGraph is what there is when Fx has drawn nothing.
func noGraph() *graph { return parseGraph("", &constructors{}) }

func componentsOf(hooks ...Hook) []*component {
	var all []*component
	for i, h := range hooks {
		all = append(all, &component{Hook: h, name: h.Name, index: i})
	}
	return all
}

func names(components []*component) []string {
	var all []string
	for _, c := range components {
		all = append(all, c.name)
	}
	return all
}

func orderOf(t *testing.T, hooks ...Hook) *order {
	t.Helper()
	o, err := newOrder(componentsOf(hooks...), noGraph())
	require.NoError(t, err)
	return o
}

func TestOrder(t *testing.T) {
	t.Parallel()

	t.Run("WithinABandTheLastRegisteredStopsFirst", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "a"}, Hook{Name: "b"}, Hook{Name: "c"})
		assert.Equal(t, []string{"c", "b", "a"}, names(o.serial))
		assert.Equal(t, []string{"a", "b", "c"}, names(o.startOrder()))
	})

	t.Run("IngressStopsFirstAndSinksLast", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t,
			Hook{Name: "http", Band: Ingress}, Hook{Name: "log", Band: Sink},
			Hook{Name: "db", Band: Resource}, Hook{Name: "pool"}, Hook{Name: "cron", Band: Ingress})
		assert.Equal(t, []string{"cron", "http", "pool", "db", "log"}, names(o.serial))
	})

	t.Run("AfterBeatsTheOrderOfRegistration", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "server", After: []string{"cache"}}, Hook{Name: "cache"})
		assert.Equal(t, []string{"server", "cache"}, names(o.serial))
	})

	t.Run("WhatMustStopBeforeIngressComesForward", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "http", Band: Ingress}, Hook{Name: "metrics", Band: Sink, After: []string{"http"}}, Hook{Name: "pool"})
		assert.Equal(t, []string{"metrics", "http", "pool"}, names(o.serial))
		assert.Equal(t, "moved from sink to ingress: metrics stands on http", o.because[1])
	})

	t.Run("WhatASinkStandsOnMovesBack", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "kafka", Band: Resource}, Hook{Name: "audit", Band: Sink, After: []string{"kafka"}}, Hook{Name: "pool"})
		assert.Equal(t, []string{"pool", "audit", "kafka"}, names(o.serial))
		assert.Equal(t, "moved from resource to sink: audit stands on kafka", o.because[0])
	})

	t.Run("MovesAreHandedOnAlongAChain", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "a"}, Hook{Name: "b", After: []string{"a"}}, Hook{Name: "c", Band: Sink, After: []string{"b"}})
		assert.Equal(t, []Band{Sink, Sink, Sink}, o.band)
		assert.Equal(t, []string{"c", "b", "a"}, names(o.serial))
	})

	t.Run("CycleNamesThoseInItAndNobodyElse", func(t *testing.T) {
		t.Parallel()
		components := componentsOf(
			Hook{Name: "below"},
			Hook{Name: "a", After: []string{"b", "below"}}, Hook{Name: "b", After: []string{"c"}}, Hook{Name: "c", After: []string{"a"}},
			Hook{Name: "above", After: []string{"a"}})
		o, err := newOrder(components, noGraph())
		var cycle *CycleError
		require.ErrorAs(t, err, &cycle)
		assert.Equal(t, []string{"a", "b", "c"}, cycle.Components)
		assert.ErrorContains(t, err, "take one After away: a, b, c")
		assert.Equal(t, []string{"above", "c", "b", "a", "below"}, names(o.serial), "there is an order all the same")
	})

	t.Run("AfterNobodyAndAfterOneselfAreReported", func(t *testing.T) {
		t.Parallel()
		o := orderOf(t, Hook{Name: "a", After: []string{"ghost", "a"}})
		assert.Equal(t, []string{`a is to start after "ghost", but nobody has that name`, "a is to start after itself"}, o.unknown)
	})
}

// TestOrderOfAnything: whatever the bands and the edges, the order is a
// permutation that respects every edge, and bands where no edge contradicts
// them.
func TestOrderOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 150).Draw(t, "n") // more than two words of a set
		hooks := make([]Hook, n)
		// Edges follow a hidden order, so that there is no cycle.
		rank := rapid.Permutation(indexes(n)).Draw(t, "rank")
		for i := range hooks {
			hooks[i] = Hook{Name: fmt.Sprint(i), Band: Band(rapid.IntRange(int(Ingress), int(Sink)).Draw(t, "band"))}
			for range rapid.IntRange(0, 2).Draw(t, "edges") {
				on := rapid.IntRange(0, n-1).Draw(t, "on")
				if rank[on] < rank[i] {
					hooks[i].After = append(hooks[i].After, fmt.Sprint(on))
				}
			}
		}
		components := componentsOf(hooks...)
		o, err := newOrder(components, noGraph())
		if err != nil {
			t.Fatal(err)
		}
		checkOrder(t, o)
	})
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func checkOrder(t *rapid.T, o *order) {
	place := map[int]int{}
	for at, c := range o.serial {
		place[c.index] = at
	}
	if len(place) != len(o.components) || len(o.serial) != len(o.components) {
		t.Fatalf("not a permutation: %v", names(o.serial))
	}
	for i := range o.components {
		o.standsOn[i].each(func(on int) {
			if place[i] > place[on] {
				t.Fatalf("%d stands on %d and stops after it", i, on)
			}
		})
	}
	if !slices.IsSortedFunc(o.serial, func(a, b *component) int { return int(o.band[a.index] - o.band[b.index]) }) {
		t.Fatalf("bands are mixed: %v", names(o.serial))
	}
	for i, c := range o.components {
		if (o.because[i] == "") != (o.band[i] == c.Band) {
			t.Fatalf("%d moved from %s to %s because %q", i, c.Band, o.band[i], o.because[i])
		}
		if c.Band == Ingress && o.band[i] != Ingress {
			t.Fatalf("%d is ingress and stops late", i)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "n")
		draw := func(label string) (set, map[int]bool) {
			s, model := newSet(n), map[int]bool{}
			for _, i := range rapid.SliceOf(rapid.IntRange(0, n-1)).Draw(t, label) {
				s.add(i)
				model[i] = true
			}
			return s, model
		}
		a, inA := draw("a")
		b, inB := draw("b")
		limit := rapid.IntRange(0, n).Draw(t, "limit")
		meets := false
		for i := range inA {
			meets = meets || inB[i]
		}
		if a.meets(b) != meets {
			t.Fatalf("meets: %v", !meets)
		}
		a.addBelow(b, limit)
		for i := range n {
			if a.has(i) != (inA[i] || inB[i] && i < limit) {
				t.Fatalf("addBelow %d: %d", limit, i)
			}
		}
		a.addAll(b)
		a.addAll(nil)
		a.remove(0)
		var got []int
		a.each(func(i int) { got = append(got, i) })
		for i := range n {
			if slices.Contains(got, i) != (i != 0 && (inA[i] || inB[i])) {
				t.Fatalf("each: %v", got)
			}
		}
	})
}

// TestReach compares the components below each node with those that a plain
// walk finds, on graphs that may have cycles.
func TestReach(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "nodes")
		g := &graph{edges: make([][]int, n), blind: make([]bool, n)}
		members := make([]set, n)
		for i := range n {
			g.edges[i] = rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 3).Draw(t, "edges")
			g.blind[i] = rapid.IntRange(0, 19).Draw(t, "blind") == 0
			if rapid.Bool().Draw(t, "has a component") {
				members[i] = newSet(n)
				members[i].add(i)
			}
		}
		r := newReach(g, members, n)
		for start := range n {
			want, hidden := newSet(n), false
			seen := map[int]bool{}
			todo := []int{start}
			for len(todo) > 0 {
				node := todo[0]
				todo = todo[1:]
				for _, next := range g.edges[node] {
					hidden = hidden || g.blind[next]
					if !seen[next] {
						seen[next] = true
						want.addAll(members[next])
						todo = append(todo, next)
					}
				}
			}
			if !slices.Equal(want, r.below[start]) || hidden != r.hidden[start] {
				t.Fatalf("node %d: want %b %v, got %b %v", start, want, hidden, r.below[start], r.hidden[start])
			}
		}
	})
}
