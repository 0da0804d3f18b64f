package lifecycle

// remembered is how many events, and entries of the audit, are kept.
const remembered = 1000

// ring keeps the last of what is added to it. Each has a number, from 1.
type ring[T any] struct {
	items []T
	last  uint64 // the number of the latest; 0: there is none yet
}

// add keeps an item, in place of the oldest if there are too many. It is
// numbered last+1.
func (r *ring[T]) add(item T) {
	if len(r.items) < remembered {
		r.items = append(r.items, item)
	} else {
		r.items[r.last%remembered] = item
	}
	r.last++
}

// since is a copy of what came after number n, as far as it is still there;
// missed: some of it is not, or n has never been given.
func (r *ring[T]) since(n uint64) (items []T, missed bool) {
	gone := r.last - uint64(len(r.items)) // the last that was overwritten
	if missed = n < gone || n > r.last; missed {
		n = gone
	}
	for ; n < r.last; n++ {
		items = append(items, r.items[n%remembered])
	}
	return items, missed
}
