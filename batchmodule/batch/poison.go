package batch

import (
	"math/bits"

	"github.com/lastcall-go/lastcall/journal"
)

// piece is a part of a batch that is to be tried on its own.
type piece struct {
	n     int
	tried int // calls that its items will have had, this one counted
}

// search looks for the items at fault in a batch that failed as a whole: it
// tries the halves, and the halves of each half that fails. It goes from left
// to right, so that what is settled is always at the front and the order
// within a key is kept.
//
// It is a loop over a stack of pieces, and no recursion, so that another
// goroutine can take it over when the sink ends its own.
func (d *delivery[T]) search(v verdict[T]) bool {
	d.searching, d.fruitless = true, 0
	d.limit = bits.Len(uint(v.rest.len())) + 8
	return d.split(v, d.calls)
}

// split settles the items of v, all at the front of the bundle, which the sink
// has refused together, after tried calls each, or has their halves tried. It
// reports false when there is nothing more to try.
//
// After limit refusals in a row the sink is taken for dead and nothing is split
// any more. The larger parts that still have to be tried get their one call:
// should the sink be back, they are delivered.
func (d *delivery[T]) split(v verdict[T], tried int) bool {
	n := v.rest.len()
	if n == 1 || d.fruitless >= d.limit {
		why := journal.ReasonRetries
		if n == 1 {
			why = journal.ReasonPoison
		}
		d.bury(v, anyReason, tried, why)
		return !d.over()
	}
	d.pieces = append(d.pieces, piece{n - n/2, tried + 1}, piece{n / 2, tried + 1})
	return true
}

// heedPiece is heed for the piece on top of the stack.
func (d *delivery[T]) heedPiece(v verdict[T]) bool {
	last := len(d.pieces) - 1
	p := d.pieces[last]
	d.pieces = d.pieces[:last]
	switch {
	case d.over(), v.rest.len() == 0:
	case v.unavailable():
		d.pieces = append(d.pieces, piece{v.rest.len(), p.tried + 1})
		return d.pause(v)
	case v.namesItems():
		// They had their attempts, and now the sink knows them by name.
		d.bury(v, anyReason, p.tried, journal.ReasonRetries)
	default:
		d.fruitless++
		return d.split(v, p.tried)
	}
	return !d.over()
}
