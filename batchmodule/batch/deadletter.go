package batch

// bury makes dead letters of those items of v whose reason is of the kind, and
// returns the others. The items are at the front of the bundle and were tried
// so many times.
func (d *delivery[T]) bury(v verdict[T], kind func(reason) bool, tried int) verdict[T] {
	kept, behind := verdict[T]{whole: v.whole}, d.s.behind(v.rest.len())
	dead, lost := 0, 0
	for i, item := range v.rest.items {
		r := v.reason(i)
		// After the cut nothing fails any more: it is left over.
		if d.cut() || !kind(r) {
			kept.rest.take(v.rest, i)
			if v.namesItems() {
				kept.named = append(kept.named, r)
			}
			continue
		}
		if d.tell(DeadLetter[T]{Item: item, Key: d.s.line.key, Err: r.err, Attempts: tried}) {
			dead++
		} else {
			lost++
		}
	}
	if dead+lost > 0 && d.settle(join(kept.rest, behind), dead, lost) {
		d.failed += dead
		d.lost += lost
	}
	return kept
}

func anyReason(reason) bool { return true }

func isPermanentReason(r reason) bool { return r.permanent }

// tell reports whether the dead letter was taken.
func (d *delivery[T]) tell(letter DeadLetter[T]) bool {
	if d.b.opts.dead == nil {
		return true
	}
	err := d.b.guardApart(func() error { d.b.opts.dead(d.ctx, letter); return nil })
	if d.deadErr == nil {
		d.deadErr = err
	}
	return err == nil
}
