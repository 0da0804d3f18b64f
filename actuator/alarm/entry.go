package alarm

import (
	"math"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// entry is one alarm of one component. Only the goroutine that evaluates
// changes it, and holds the lock of the Watch while it does.
type entry struct {
	lifecycle.Alarm
	terms

	value  float64 // what was measured last; NaN: nothing yet
	at     time.Time
	hits   []time.Time // the last evaluations that were over, at most count
	growth growth      // for what grows

	raised bool
	since  time.Time
	// told is how often the raised alarm was told, toldAt when one was last.
	told     int
	toldAt   time.Time
	silenced int
}

func newEntry(c Config, component string, a lifecycle.Alarm) *entry {
	return &entry{Alarm: a, terms: c.termsOf(component, a.Name, a.Threshold, a.Grows), value: math.NaN()}
}

// verdict is what an evaluation makes of an alarm.
type verdict int

const (
	unchanged verdict = iota
	raises
	repeats // it is raised, and was so before
	resolves
)

// measure is the number that is compared with the threshold, and whether it is
// at or above it. Nothing is changed yet.
func (e *entry) measure(now time.Time, value float64) (measured float64, over bool) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return math.NaN(), false
	}
	if e.Grows {
		value = e.growth.within(now, e.period, value)
	}
	return value, value >= e.threshold
}

// judge takes one evaluation in. read is what the component said, measured
// what was made of it.
func (e *entry) judge(now time.Time, read, measured float64, over bool) verdict {
	if math.IsNaN(measured) {
		return unchanged // the component has panicked: that says nothing of the alarm
	}
	e.value, e.at = measured, now
	if e.Grows {
		e.growth.add(now, e.period, read)
	}
	for len(e.hits) > 0 && now.Sub(e.hits[0]) >= e.period {
		e.hits = e.hits[1:]
	}
	if over {
		if len(e.hits) == e.count {
			e.hits = e.hits[1:]
		}
		e.hits = append(e.hits, now)
	}
	switch {
	case !e.raised && over && len(e.hits) >= e.count:
		e.raised, e.since, e.told = true, now, 0
		return raises
	case e.raised && e.calm(over):
		e.raised = false
		return resolves
	case e.raised && over:
		return repeats
	default:
		return unchanged
	}
}

// calm: a growth is measured over a period already; any other value must have
// been below for as long.
func (e *entry) calm(over bool) bool {
	if e.Grows {
		return !over
	}
	return len(e.hits) == 0
}

// tell decides whether somebody is told now, and notes it. muted: nobody is to
// be.
func (e *entry) tell(v verdict, now time.Time, muted bool) bool {
	quiet := muted || !e.toldAt.IsZero() && now.Sub(e.toldAt) < e.silence
	switch v {
	case raises:
		if quiet {
			e.silenced++
			return false
		}
	case repeats:
		if quiet {
			return false
		}
		if e.told == 0 {
			e.silenced-- // this one is told after all
		}
	case resolves:
		return e.told > 0 && !muted
	default:
		return false
	}
	e.told++
	e.toldAt = now
	return true
}

// growth remembers what something that only grows has been.
type growth struct {
	samples []sample // the first is the last one before the period began
	last    float64
}

type sample struct {
	at    time.Time
	value float64
}

// steps is how finely a period is remembered: a growth is measured over up to
// one part in so many more than the period.
const steps = 60

// within is by how much it has grown to value within the period. It began at 0.
func (g *growth) within(now time.Time, period time.Duration, value float64) float64 {
	if value < g.last {
		return 0 // it began again, which it should not
	}
	before := 0.0
	for _, s := range g.samples {
		if now.Sub(s.at) < period {
			break
		}
		before = s.value
	}
	return value - before
}

func (g *growth) add(now time.Time, period time.Duration, value float64) {
	if value < g.last {
		g.samples = append(g.samples[:0], sample{now.Add(-period), value})
	}
	g.last = value
	if n := len(g.samples); n == 0 || now.Sub(g.samples[n-1].at) >= period/steps {
		g.samples = append(g.samples, sample{now, value})
	}
	for len(g.samples) > 1 && now.Sub(g.samples[1].at) >= period {
		g.samples = g.samples[1:]
	}
}
