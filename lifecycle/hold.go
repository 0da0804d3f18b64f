package lifecycle

import "reflect"

// hold is a value that a knob has for a time, and what it had before.
type hold struct {
	change        uint64 // that gave it
	value, before any
}

// holds are the values that are to be taken back, by the names of their knobs.
// Of several of one knob the latest, which is last, is in force; the others
// are what it goes back to as long as they hold themselves:
//
//	4 ── change 1, for an hour: 8 ── change 2, for a minute: 16
//	change 2 ends first: back to 8, and to 4 when change 1 ends
//	change 1 ends first: nothing to do; change 2 goes back to 4
type holds map[string][]hold

// add notes that a change has given a knob a value for a time.
func (h holds) add(name string, change uint64, value, before any) {
	h[name] = append(h[name], hold{change, value, before})
}

// forget drops what is held of the knobs that have another value by now:
// somebody has turned them otherwise than by a Change.
func (h holds) forget(now map[string]any) {
	for name, held := range h {
		if !reflect.DeepEqual(held[len(held)-1].value, now[name]) {
			delete(h, name)
		}
	}
}

// base is what lies below all that is held, by the names of knobs.
func (h holds) base() map[string]any {
	base := make(map[string]any, len(h))
	for name, held := range h {
		base[name] = held[0].before
	}
	return base
}

// behind is what a change is to be taken back to, of those knobs that have
// their value by it.
func (h holds) behind(change uint64) map[string]any {
	back := map[string]any{}
	for name, held := range h {
		if top := held[len(held)-1]; top.change == change {
			back[name] = top.before
		}
	}
	return back
}

// end takes a change out and returns what its knobs go back to: those of which
// it gave the value that is in force.
func (h holds) end(change uint64) map[string]any {
	back := map[string]any{}
	for name, held := range h {
		for i, entry := range held {
			if entry.change != change {
				continue
			}
			if i == len(held)-1 {
				back[name] = entry.before
			} else {
				held[i+1].before = entry.before
			}
			if held = append(held[:i], held[i+1:]...); len(held) == 0 {
				delete(h, name)
			} else {
				h[name] = held
			}
			break
		}
	}
	return back
}
