package actuator

import (
	"math"
	"sync"
	"time"
)

const (
	// historyStep is the time between two samples, historySlots how many are kept:
	// a quarter of an hour.
	historyStep  = 5 * time.Second
	historySlots = 180
)

// recorder keeps the last samples in rings. A number that does not change costs
// about 100 bytes, one that does 720 more; what it may cost in all is bounded by
// how many numbers there are.
type recorder struct {
	most int // numbers

	mu         sync.Mutex
	at         int64              // the slot of the last sample, counted from 1970; 0: there was none
	began      int64              // that of the first
	known      [historySlots]bool // there was a sample
	components map[string]map[string]*series
	numbers    int // how many there are
	refused    int // how many there was no room for, in the last sample
}

// slotOf is the step in which a moment lies.
func slotOf(t time.Time) int64 { return t.UnixNano() / int64(historyStep) }

// take keeps a sample. One of a step that has one already, or of an earlier one
// (the clock was put back), is not.
func (r *recorder) take(now time.Time, samples []sampled) {
	slot := slotOf(now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if slot <= r.at {
		return
	}
	if r.at == 0 {
		r.began = slot
		r.components = map[string]map[string]*series{}
	}
	for missed := max(r.at+1, slot-historySlots+1); missed < slot; missed++ {
		r.known[missed%historySlots] = false
	}
	r.at, r.known[slot%historySlots] = slot, true
	r.refused = 0
	for _, s := range samples {
		r.addLocked(slot, s)
	}
	r.forgetLocked()
}

func (r *recorder) addLocked(slot int64, s sampled) {
	numbers := r.components[s.name]
	if numbers == nil {
		numbers = map[string]*series{}
		r.components[s.name] = numbers
	}
	for _, n := range s.numbers {
		one := numbers[n.name]
		switch {
		case one != nil:
			one.add(slot, n.value)
		case r.numbers >= r.most:
			r.refused++
		default:
			numbers[n.name] = newSeries(slot, n.value, n.counter)
			r.numbers++
		}
	}
}

// forgetLocked drops what has not been there for as long as anything is kept.
func (r *recorder) forgetLocked() {
	for component, numbers := range r.components {
		for name, s := range numbers {
			if s.seen <= r.at-historySlots {
				delete(numbers, name)
				r.numbers--
			}
		}
		if len(numbers) == 0 {
			delete(r.components, component)
		}
	}
}

// tell is the history of some components.
func (r *recorder) tell(names []string) history {
	h := history{StepMS: historyStep.Milliseconds(), Components: map[string]map[string]points{}}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == 0 {
		return h
	}
	from := max(r.began, r.at-historySlots+1)
	h.From, h.NotRecorded = from*historyStep.Milliseconds(), r.refused
	for _, name := range names {
		told := map[string]points{}
		for number, s := range r.components[name] {
			told[number] = s.points(from, r.at)
			for slot := from; slot <= r.at; slot++ {
				if !r.known[slot%historySlots] {
					told[number][slot-from] = math.NaN()
				}
			}
		}
		h.Components[name] = told
	}
	return h
}
