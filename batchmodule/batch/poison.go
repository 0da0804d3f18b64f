package batch

import "math/bits"

// search looks for the items at fault in a batch that failed as a whole: it
// tries the halves, and the halves of each half that fails. It goes from left
// to right, so that what is settled is always at the front and the order
// within a key is kept.
func (d *delivery[T]) search(v verdict[T]) {
	d.fruitless = 0
	d.split(v, d.calls, bits.Len(uint(len(v.rest)))+8)
}

// split settles the items of v, all at the front of the bundle, which the sink
// has refused together, after tried calls each. It reports false when the stop
// cut it.
//
// After limit refusals in a row the sink is taken for dead and nothing is split
// any more. The larger parts that the callers still have to try get their one
// call: should the sink be back, they are delivered.
func (d *delivery[T]) split(v verdict[T], tried, limit int) bool {
	n := len(v.rest)
	if n == 1 || d.fruitless >= limit {
		d.bury(v, anyReason, tried)
		return !d.stopped()
	}
	return d.part(n/2, tried+1, limit) && d.part(n-n/2, tried+1, limit)
}

// part tries the first n items of the bundle on their own.
func (d *delivery[T]) part(n, tried, limit int) bool {
	for {
		v := d.try(n)
		switch {
		case d.stopped():
			return false
		case len(v.rest) == 0:
			return true
		case v.unavailable():
			if !d.pause() {
				return false
			}
			n = len(v.rest)
			tried++
			continue
		case v.named():
			// They had their attempts, and now the sink knows them by name.
			d.bury(v, anyReason, tried)
			return !d.stopped()
		}
		d.fruitless++
		return d.split(v, tried, limit)
	}
}

// stopped says that the bundle is not to be worked on any more.
func (d *delivery[T]) stopped() bool { return d.abandoned || d.cut() }
