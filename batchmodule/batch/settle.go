package batch

// countCall writes on the tags that the sink is given their items.
func (d *delivery[T]) countCall(n int) {
	if d.s.tags == nil {
		return
	}
	d.b.mu.Lock() // a stop may be reading them
	defer d.b.mu.Unlock()
	for i := range d.s.tags[:n] {
		t := &d.s.tags[i]
		t.tried, t.isTried = t.tried+1, true
	}
}

// noteFirst writes on the tags the first error of their items.
func (d *delivery[T]) noteFirst(v verdict[T]) {
	if v.rest.tags == nil {
		return
	}
	d.b.mu.Lock() // as in countCall
	defer d.b.mu.Unlock()
	for i := range v.rest.tags {
		if t := &v.rest.tags[i]; t.first == nil {
			t.first = v.reason(i).err
		}
	}
}

// settle says what came of the items that are not in rest: failed are dead
// letters, nobody took those in lost, the others are Done. Their entries in the
// journal are crossed out, but for those of the lost, who thus come again in the
// next life. Of items that a stop has taken over it says and crosses out
// nothing.
func (d *delivery[T]) settle(rest lot[T], failed int, lost lot[T]) {
	seqs, again := journalled(d.seqs[:0], d.s.tags, rest.tags, lost.tags), 0
	for i := range lost.tags {
		if lost.tags[i].seq > 0 {
			again++
		}
	}
	if !d.b.settle(d.s, rest, failed, lost.len()-again, again) {
		d.abandoned = true // a stop has taken the items over
		return
	}
	d.failed += failed
	d.lost += lost.len()
	if len(seqs) > 0 {
		d.b.keeper.Done(seqs...)
	}
	d.seqs = seqs
}

// settle counts what has come of the items of a bundle in flight: n are not in
// rest, failed of them are dead letters; of those that nobody took some are
// lost and others come again from the journal; the remaining are Done. It
// reports false, and counts nothing, when a stop has taken the items over.
func (b *Batcher[T]) settle(s *bundle[T], rest lot[T], failed, lost, again int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.abandoned {
		return false
	}
	n := s.len() - rest.len()
	s.lot = rest
	b.done += uint64(n - failed - lost - again)
	b.failed += uint64(failed)
	b.lost += uint64(lost)
	b.saved += uint64(again)
	b.unburied += lost
	b.inside -= n
	b.grantLocked()
	return true
}
