package batch

import (
	"github.com/lastcall-go/lastcall/journal"
)

// fate is what came of an item that failed for good.
type fate int

const (
	dead     fate = iota // told, or in the box
	unburied             // nobody has it
	spared               // the stop came first: it is left over
)

// buriedTogether is how many items of one batch are buried before they are
// settled; of a large batch one in buriedParts. Until then a kill brings them
// again, although there are letters of them. Each settling looks at the whole
// batch.
const (
	buriedTogether = 8
	buriedParts    = 64
)

// bury makes dead letters of those items of v whose reason is of the kind, and
// returns the others. The items are at the front of the bundle and were tried
// so many times in this life.
func (d *delivery[T]) bury(v verdict[T], kind func(reason) bool, tried int, why journal.Reason) verdict[T] {
	kept, behind := verdict[T]{whole: v.whole}, d.s.behind(v.rest.len())
	var lost lot[T]
	failed, most := 0, max(buriedTogether, v.rest.len()/buriedParts)
	settle := func(next int) { // all before next have had their turn
		if failed+lost.len() > 0 {
			d.settle(join(kept.rest, join(v.rest.behind(next), behind)), failed, lost)
		}
		failed, lost = 0, lot[T]{}
	}
	for i := range v.rest.items {
		r := v.reason(i)
		came := spared
		// After the cut nothing fails any more: it is left over.
		if !d.cut() && kind(r) {
			came = d.tell(v.rest, i, r, tried, r.asks(why), func() { settle(i) })
		}
		switch came {
		case dead:
			if failed++; failed >= most {
				settle(i + 1)
			}
		case unburied:
			lost.take(v.rest, i)
		case spared:
			kept.rest.take(v.rest, i)
			if v.namesItems() {
				kept.named = append(kept.named, r)
			}
		}
	}
	settle(v.rest.len())
	return kept
}

func anyReason(reason) bool { return true }

func isPermanentReason(r reason) bool { return r.permanent }

// tell gives item i of a lot to whoever takes what failed for good. It calls
// settle before it waits.
func (d *delivery[T]) tell(from lot[T], i int, r reason, tried int, why journal.Reason, settle func()) fate {
	b, item, key := d.b, from.items[i], d.s.line.key
	switch {
	case b.opts.dead != nil:
		letter := DeadLetter[T]{Item: item, Key: key, Err: r.err, Attempts: tried}
		if from.tags != nil {
			letter.Attempts = int(from.tags[i].tried)
		}
		return d.hand(letter)
	case b.buries:
		return d.box(item, &from.tags[i], r, tried, why, settle)
	default:
		var t *tag
		if from.tags != nil {
			t = &from.tags[i]
			tried = int(t.tried)
		}
		d.report(Burial{Reason: why, Attempts: tried, Cause: r.err}, item, t)
		return dead
	}
}

// hand gives a letter to the handler.
func (d *delivery[T]) hand(letter DeadLetter[T]) fate {
	err := d.b.guardApart(func() error { d.b.opts.dead(d.ctx, letter); return nil })
	if d.deadErr == nil {
		d.deadErr = err
	}
	if err != nil {
		return unburied
	}
	return dead
}
