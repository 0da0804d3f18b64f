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
)

// leaks looks for goroutines that carry the application's label. Those that
// are just ending get a few milliseconds.
func (c *Conductor) leaks() []Leak {
	var found []goroutines
	for range leakLooks {
		found = slices.DeleteFunc(labelled(labelApp, c.id), func(g goroutines) bool { return g.isHook() || g.isStop() })
		if len(found) == 0 {
			return nil
		}
		time.Sleep(leakPause)
	}
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
