package pool

import (
	"cmp"
	"slices"
	"time"
)

// Running is a task that a worker runs, as [Pool.Running] has found it.
type Running struct {
	// Lane is whose item it is. Empty: a closure.
	Lane string `json:"lane,omitempty"`
	// Key is the one it was submitted with. Empty: none.
	Key string `json:"key,omitempty"`
	// Attempt is which try of this life it is, of an item of a lane.
	Attempt int `json:"attempt,omitempty"`
	// SeenFor is how long ago a look found it running first, which is how long it
	// runs at the least: tasks are not timed for this, so that they pay nothing
	// for it. A look is a call of [Pool.Running] or [Pool.Stats].
	SeenFor time.Duration `json:"seen_for"`
}

// Running is what the workers run now, what has run longest first. It looks at
// every worker. Tasks that run on the goroutine of a caller are not among them.
func (p *Pool) Running() []Running {
	now := p.now()
	p.lock()
	found := make([]Running, 0, p.busy)
	for _, w := range p.workers {
		if !w.busy {
			continue
		}
		r := Running{SeenFor: w.lookLocked(now)}
		if j := w.job; j != nil {
			r.Key = j.key
			if j.lane != nil {
				r.Lane, r.Attempt = j.lane.name, int(j.attempts.Load())
			}
		}
		found = append(found, r)
	}
	p.unlock()
	slices.SortStableFunc(found, func(a, b Running) int { return cmp.Compare(b.SeenFor, a.SeenFor) })
	return found
}

// sight is what a look has seen in the hands of a worker, and when first. Of one
// worker no two tasks have the same pos, or the same pos and ended.
type sight struct {
	job        bool
	pos, ended uint64
	since      int64 // zero: nothing
}

// lookLocked says for how long the worker has been seen with what it runs now.
func (w *worker) lookLocked(now int64) time.Duration {
	if !w.busy {
		w.sight = sight{}
		return 0
	}
	seen := sight{since: w.sight.since}
	if w.job != nil {
		seen.job, seen.pos = true, w.job.pos
	} else {
		t := w.tally.Load()
		seen.pos, seen.ended = w.base, doneOf(t)+failedOf(t)
	}
	if seen != w.sight || seen.since == 0 {
		seen.since = now
		w.sight = seen
	}
	return time.Duration(max(0, now-seen.since))
}
