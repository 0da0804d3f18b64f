package lifecycle

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Leak is goroutines that a component left behind when everything had been
// stopped, those of abandoned hooks aside, and those that wait for the stop.
type Leak struct {
	Component string `json:"component"`
	Count     int    `json:"count"`
	Where     string `json:"where"`
	Stack     string `json:"stack"`
}

const (
	leakLooks = 5
	leakPause = 2 * time.Millisecond
	// leakPatience is how long all looks may take together. On a busy machine
	// a single one takes a tenth of a second, and would find a goroutine that
	// has not had a processor yet since it was told to end.
	leakPatience = time.Second
)

// leaks looks for goroutines that carry the application's label.
func (c *Conductor) leaks(patience time.Duration) []Leak {
	found := lookAgain(patience, func() []goroutines {
		return slices.DeleteFunc(labelled(labelApp, c.id), func(g goroutines) bool { return g.isHook() || g.isStop() || g.isConnection() })
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	var leaks []Leak
	for _, g := range found {
		leaks = append(leaks, Leak{Component: c.componentOfLocked(g.labels), Count: g.count, Where: g.where(), Stack: g.stack()})
	}
	slices.SortFunc(leaks, func(a, b Leak) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Where, b.Where))
	})
	return leaks
}

// lookAgain gives goroutines that are just ending a few milliseconds. A look
// takes a moment for every goroutine of the process, so it looks again only
// while there is time for as long a look as those before.
func lookAgain(patience time.Duration, look func() []goroutines) []goroutines {
	began := time.Now()
	for n := 1; ; n++ {
		found := look()
		took := time.Since(began)
		if len(found) == 0 || n == leakLooks || took+leakPause+took/time.Duration(n) > patience {
			return found
		}
		time.Sleep(leakPause)
	}
}

// componentOfLocked turns the label of a constructor into the name of the
// component that it appended, when there is one.
func (c *Conductor) componentOfLocked(labels map[string]string) string {
	for _, comp := range c.components {
		if run := labels[labelRun]; run != "" && run == strconv.Itoa(comp.owner.run) {
			return comp.name
		}
	}
	return labels[labelComponent]
}
