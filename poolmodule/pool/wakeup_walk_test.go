package pool_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// choices lets a step decide freely: the walk takes it again for each way.
type choices struct {
	made []int // which way, at each choice of this step
	ways []int // out of how many
	next int
}

func (c *choices) choose(n int) int {
	if c.next == len(c.made) {
		c.made, c.ways = append(c.made, 0), append(c.ways, n)
	}
	c.next++
	return c.made[c.next-1]
}

// anyOf chooses among those that qualify; -1: there are none.
func (c *choices) anyOf(n int, qualifies func(int) bool) int {
	var who [4]int
	found := 0
	for i := range n {
		if qualifies(i) {
			who[found] = i
			found++
		}
	}
	switch found {
	case 0:
		return -1
	case 1:
		return who[0]
	default:
		return who[c.choose(found)]
	}
}

// another prepares the next way; false: all were taken.
func (c *choices) another() bool {
	c.next = 0
	for last := len(c.made) - 1; last >= 0; last-- {
		if c.made[last]++; c.made[last] < c.ways[last] {
			return true
		}
		c.made, c.ways = c.made[:last], c.ways[:last]
	}
	return false
}

// walk goes breadth first through every order of steps, and stops at the first
// state that is wrong. States that differ only in who is who are one.
type walk struct {
	protocol
	seen   map[modelPool]struct{}
	states []visited
	ends   int // in so many of them nobody can do anything
	last   int // the last one that was looked at
	wrong  string
}

type visited struct {
	pool      modelPool
	from      int32 // the state before, by its place in states
	step, who int8
}

func newWalk(s scope, without rule) *walk {
	w := &walk{protocol: protocol{scope: s, without: without}, seen: map[modelPool]struct{}{}}
	w.reach(s.begin(), -1, 0, 0)
	return w
}

func (w *walk) run() {
	for at := 0; at < len(w.states) && w.wrong == ""; at++ {
		w.leave(at)
	}
}

// leave takes every step out of one state.
func (w *walk) leave(at int) {
	stuck := true
	for k := range steps {
		for i := range steps[k].actors(&w.states[at].pool) {
			for {
				next := w.states[at].pool
				if !steps[k].do(&w.protocol, &next, i) {
					break
				}
				stuck = false
				if w.reach(next, at, k, i); w.wrong != "" {
					return
				}
				if !w.another() {
					break
				}
			}
		}
	}
	if stuck {
		w.ends++
		w.last = at
		w.wrong = w.states[at].pool.wrongAtTheEnd()
	}
}

func (w *walk) reach(s modelPool, from, step, who int) {
	anybody := s.anonymous()
	if _, ok := w.seen[anybody]; ok {
		return
	}
	w.seen[anybody] = struct{}{}
	w.last = len(w.states)
	w.states = append(w.states, visited{s, int32(from), int8(step), int8(who)})
	if from >= 0 {
		w.wrong = s.wrongNow(&w.states[from].pool)
	}
}

// trace tells how it came to the state that is wrong.
func (w *walk) trace() string {
	var lines []string
	for at := int32(w.last); at >= 0; at = w.states[at].from {
		v := &w.states[at]
		name := "in the beginning"
		if v.from >= 0 {
			name = steps[v.step].name
			if strings.Contains(name, "%d") {
				name = fmt.Sprintf(name, v.who+1)
			}
		}
		lines = append(lines, fmt.Sprintf("%-50s %s", name, v.pool))
	}
	slices.Reverse(lines)
	return strings.Join(append(lines, w.wrong), "\n")
}

// anonymous forgets who is who.
func (s modelPool) anonymous() modelPool {
	slices.SortFunc(s.workers[:], func(a, b modelWorker) int { return cmp.Compare(a.number(), b.number()) })
	slices.SortFunc(s.submitters[:], func(a, b modelSubmitter) int { return cmp.Compare(a.number(), b.number()) })
	return s
}

func (w modelWorker) number() (n uint64) {
	for _, part := range [...]uint8{
		uint8(w.at), uint8(w.call), bit(w.searcher), bit(w.victim), bit(w.again),
		uint8(w.holds), uint8(w.batch[0]), uint8(w.batch[1]), uint8(w.reserved),
	} {
		n = n<<4 | uint64(part)
	}
	return n
}

func (sub modelSubmitter) number() (n uint64) {
	for _, part := range [...]uint8{
		uint8(sub.at), uint8(sub.brings[0]), uint8(sub.brings[1]), uint8(sub.brings[2]), uint8(sub.place),
		bit(sub.together), bit(sub.try), bit(sub.nested),
	} {
		n = n<<4 | uint64(part)
	}
	return n
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// wrongNow is what must not be in any state, after a step from before.
func (s *modelPool) wrongNow(before *modelPool) string {
	searchers := int8(0)
	for i := range s.workers {
		searchers += int8(bit(s.workers[i].searcher))
	}
	inside := s.inside()
	switch {
	case searchers > 1 || s.searching != (searchers == 1):
		return fmt.Sprintf("WRONG: %d workers are searching", searchers)
	case s.accepted != inside+s.done+s.handed:
		return fmt.Sprintf("WRONG: %d accepted, but %d inside, %d done, %d handed back", s.accepted, inside, s.done, s.handed)
	case s.counted+s.granted-s.room != s.accepted:
		return "WRONG: the ledger does not know of all that were accepted"
	case s.room > 0 && s.lineLen() > 0:
		return "WRONG: a newcomer may overtake those who wait"
	case s.accepted > before.accepted && s.waiting() > s.bound():
		return "WRONG: more were let in than the queue may hold"
	case !s.inHold && !s.searching && s.isAnyoneNeeded():
		return "WRONG: work waits, a worker could come, and nobody calls: the wake-up is lost"
	}
	return ""
}

// wrongAtTheEnd is what must not be when nobody can do anything.
func (s *modelPool) wrongAtTheEnd() string {
	for i := range s.submitters {
		if s.submitters[i].at != home {
			return "WRONG: a submitter waits for ever"
		}
	}
	if s.inside() > 0 {
		return "WRONG: nobody is left to do what was accepted"
	}
	return ""
}

// inside counts what was accepted by looking where it is.
func (s *modelPool) inside() int8 {
	n := s.waiting()
	for i := range s.workers {
		if w := &s.workers[i]; w.at == running || w.again {
			n++
		}
	}
	return n
}

// waiting is bounded, as far as no resize has shrunk the bound.
func (s *modelPool) waiting() int8 {
	return s.queue.len() + s.keyLine + s.retrying + s.inBatches()
}

func (s *modelPool) bound() int8 { return s.capacity + max(0, s.limit-s.busy()) }

// isAnyoneNeeded says that work waits, and somebody could be called for it.
func (s *modelPool) isAnyoneNeeded() bool {
	isWork := s.queue.len() > 0 || s.turn || s.inBatches() > 0
	return s.started && isWork && (s.isAnyIdle() || s.headcount() < s.limit)
}

// String is a line of the trace.
func (s modelPool) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "queue %d of %d, room %d", s.queue.len(), s.capacity, s.room)
	for _, flag := range []struct {
		is   bool
		name string
	}{{s.searching, "searching"}, {s.armed, "timer"}, {s.turn, "key free"}, {s.keyBusy && !s.turn, "key busy"}, {!s.started, "not started"}} {
		if flag.is {
			b.WriteString(", " + flag.name)
		}
	}
	if n := s.keyLine + s.retrying; n > 0 {
		fmt.Fprintf(&b, ", %d behind the key or retrying", n)
	}
	fmt.Fprintf(&b, "; limit %d, workers:", s.limit)
	for i := range s.workers {
		w := &s.workers[i]
		b.WriteString(" " + [...]string{"-", "coming", "running", "stealing", "looked", "parking", "parked"}[w.at])
		b.WriteString([...]string{"", "(call on its way)", "(called)"}[w.call])
		if n := w.left(); n > 0 {
			fmt.Fprintf(&b, "+%d", n)
		}
	}
	b.WriteString("; submitters:")
	for i := range s.submitters {
		b.WriteString(" " + [...]string{"home", "asleep", "outside", "at-door", "in-line"}[s.submitters[i].at])
	}
	return b.String()
}
