package pool

import (
	"cmp"
	"slices"
)

// withdrawLocked takes every closure that has not begun out of the pool.
func (p *Pool) withdrawLocked() []Task {
	early := p.unbatchLocked() // what left the queue before that which is in it now
	for _, j := range p.withdrawKeyedLocked(nil) {
		early = append(early, positioned{j.pos, entry{work: j}})
	}
	sortByPosition(early)

	queued := p.queue.remove(func(w work) bool {
		j, ok := w.(*job)
		return !ok || j.lane == nil
	})
	slots := make([]handed, 0, len(early)+len(queued))
	for _, e := range early {
		slots = append(slots, handed{work: e.entry.work})
	}
	for _, e := range queued {
		if j, ok := e.work.(*job); ok {
			p.unqueueJobLocked(j)
		}
		slots = append(slots, handed{work: e.work})
	}
	p.handed += len(slots)
	tasks := make([]Task, len(slots))
	for i := range slots {
		tasks[i] = Task{pool: p, handed: &slots[i]}
	}
	return tasks
}

// positioned is an entry that has left the queue.
type positioned struct {
	pos   uint64
	entry entry
}

func sortByPosition(entries []positioned) {
	slices.SortFunc(entries, func(a, b positioned) int { return cmp.Compare(a.pos, b.pos) })
}

// unbatchLocked takes all that has not begun out of the batches, in no order.
func (p *Pool) unbatchLocked() (taken []positioned) {
	for _, w := range p.workers {
		stolen, base := p.robLocked(w, all)
		for i, e := range stolen {
			taken = append(taken, positioned{base + uint64(i), e})
		}
		clear(stolen)
	}
	return taken
}

// withdrawLocked hands back every item that no handler has in its hands.
func (l *laneCore) withdrawLocked() {
	p := l.pool
	for _, e := range p.queue.remove(func(w work) bool {
		j, ok := w.(*job)
		return ok && j.lane == l
	}) {
		p.unqueueJobLocked(e.work.(*job))
	}
	p.withdrawKeyedLocked(l)
	for j := l.jobs.first; j != nil; j = j.next {
		switch j.state {
		case jobRunning, jobBurying, jobEnding, jobLeftover:
			continue
		case jobRetrying:
			p.retrying--
			j.pause.timer.Stop()
		}
		p.releaseKeyLocked(j)
		l.handBackLocked(j)
	}
}
