package lifecycle

import "math/bits"

// set is a set of small numbers, one bit each: the places of components in
// the order of their registration. A nil set is empty.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }
func (s set) remove(i int)   { s[i/64] &^= 1 << (i % 64) }

// addAll adds the members of another set of the same size, or of a nil one.
func (s set) addAll(other set) {
	for w, word := range other {
		s[w] |= word
	}
}

// addBelow adds the members of another set that are less than limit.
func (s set) addBelow(other set, limit int) {
	for w := range limit / 64 {
		s[w] |= other[w]
	}
	if w, rest := limit/64, limit%64; rest > 0 {
		s[w] |= other[w] & (1<<rest - 1)
	}
}

// meets reports whether the sets have a member in common.
func (s set) meets(other set) bool {
	for w, word := range other {
		if s[w]&word != 0 {
			return true
		}
	}
	return false
}

// each calls f with every member, smallest first.
func (s set) each(f func(int)) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			f(w*64 + bits.TrailingZeros64(word))
		}
	}
}
