package actuator

import "math"

// series is one number over time. Of a gauge the values are kept, of a counter by
// how much it has grown in each step, so that a great number loses nothing by
// being kept in a small one.
type series struct {
	first, seen int64   // slots
	last        float64 // the value at seen
	still       int     // for how many samples it has not moved
	counter     bool
	ring        *[historySlots]float32 // by slot; nil: it has been last all the time
}

func newSeries(slot int64, value float64, counter bool) *series {
	return &series{first: slot, seen: slot, last: value, counter: counter}
}

// add takes the value of a later slot. A counter that is no number has not been
// there.
func (s *series) add(slot int64, value float64) {
	if s.counter && (math.IsNaN(value) || math.IsInf(value, 0)) {
		return
	}
	same := value == s.last
	if s.ring == nil && !same {
		s.ring = new([historySlots]float32)
		if !s.counter {
			for i := range s.ring {
				s.ring[i] = float32(s.last)
			}
		}
	}
	if s.ring != nil {
		s.put(slot, value)
	}
	if s.still++; !same {
		s.still = 0
	}
	if s.still >= historySlots {
		s.ring = nil
	}
	s.seen, s.last = slot, value
}

func (s *series) put(slot int64, value float64) {
	missed := float32(math.NaN())
	if s.counter {
		missed, value = 0, value-s.last
	}
	for old := max(s.seen+1, slot-historySlots+1); old < slot; old++ {
		s.ring[old%historySlots] = missed
	}
	s.ring[slot%historySlots] = float32(value)
}

// points are the values of some slots, of which the last is the recorder's. What
// is not known is NaN.
func (s *series) points(from, to int64) points {
	list := make(points, to-from+1)
	value := s.last
	for slot := to; slot >= from; slot-- {
		i := slot - from
		switch {
		case slot < s.first || slot > s.seen:
			list[i] = math.NaN()
		case s.ring == nil:
			list[i] = s.last
		case s.counter:
			list[i] = value
			value -= float64(s.ring[slot%historySlots])
		default:
			list[i] = float64(s.ring[slot%historySlots])
		}
	}
	return list
}
