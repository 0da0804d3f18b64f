package pool

import (
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// Stats is a picture of a pool at one moment. Everything but the two
// histograms was read under one lock and fits together.
type Stats struct {
	Name   string `json:"name"`
	Limits Limits `json:"limits"`

	// Workers is how many there are, Idle how many of them are parked.
	Workers int `json:"workers"`
	Idle    int `json:"idle"`
	// Busy counts workers that run a task, or are on their way to or from
	// one, and callers that run one themselves ([CallerRuns], [Task.Run]).
	Busy int `json:"busy"`

	// Queued is what waits for a worker: closures and lane items. It may
	// exceed Capacity by what is on its way to a free worker.
	Queued   int `json:"queued"`
	Capacity int `json:"capacity"`
	// Retrying counts lane items that wait for their next try. They hold no
	// worker, but a place of the queue.
	Retrying int `json:"retrying"`
	// Entering counts lane items that are written down before they enter. They
	// hold a place of the queue too.
	Entering int `json:"entering"`
	// Submitters counts those that wait for room.
	Submitters int `json:"submitters"`
	// OldestWait is the age of what has waited longest, never more than the
	// truth. Under load one task in 64 is timed, and the age is that of the
	// oldest of these; where none of those that wait was timed, the clock
	// starts with the first look.
	OldestWait time.Duration `json:"oldest_wait"`
	// LongestRun is the greatest SeenFor of [Pool.Running].
	LongestRun time.Duration `json:"longest_run"`

	// Wait and Run are how long tasks waited and ran, of those that were
	// timed: every task when they come slowly, 1 in 64 under load.
	Wait Histogram `json:"wait"`
	Run  Histogram `json:"run"`

	// Ledger is that of the pool's own gate: closures, not lane items.
	Ledger intake.Ledger `json:"ledger"`
}

func (s Stats) left() int { return s.Busy + s.Queued + s.Retrying + s.Entering }

// Stats takes the picture. It looks at every worker; call it every second, not
// for every task.
func (p *Pool) Stats() Stats {
	now := p.now()
	p.lock()
	defer p.unlock()
	waiting := p.queue.len() + p.keyWaiting
	for _, w := range p.workers {
		waiting += w.left()
	}
	s := Stats{
		Name:       p.name,
		Limits:     Limits{Workers: p.cfg.Workers, MinWorkers: p.cfg.MinWorkers, Queue: p.cfg.Queue},
		Workers:    len(p.workers),
		Idle:       len(p.idle),
		Busy:       len(p.workers) - len(p.idle) + p.callersLocked(),
		Queued:     waiting,
		Capacity:   p.cfg.capacity(),
		Retrying:   p.retrying,
		Entering:   p.entering,
		Submitters: p.waiting.len(),
		Wait:       p.wait.snapshot(),
		Run:        p.run.snapshot(),
		Ledger:     p.ledgerLocked(),
	}
	if at := p.oldestLocked(now); at != 0 {
		s.OldestWait = time.Duration(max(0, now-at))
	}
	for _, w := range p.workers {
		s.LongestRun = max(s.LongestRun, w.lookLocked(now))
	}
	return s
}

func (p *Pool) ledgerSnapshot() intake.Ledger {
	p.lock()
	defer p.unlock()
	return p.ledgerLocked()
}

// ledgerLocked adds what the workers have not told yet, each read in one word,
// and counts what is inside by looking where it is.
func (p *Pool) ledgerLocked() intake.Ledger {
	l := p.ledger
	inside := p.queue.len() - p.laneQueued + p.keyWaiting - p.laneParked + p.callersOwn + p.handed
	for _, w := range p.workers {
		t := w.tally.Load()
		l.Done += doneOf(t)
		l.Failed += failedOf(t)
		inside += max(0, w.filled-headOf(t)) + runningOf(t)
	}
	l.Inside = uint64(inside)
	return l
}

// left is how much waits in the worker's batch.
func (w *worker) left() int { return max(0, w.filled-headOf(w.tally.Load())) }

// oldestLocked is when the oldest that waits in the queue came, or the next
// one after it that was timed. It looks at a few only, and times the first if
// none of them was.
func (p *Pool) oldestLocked(now int64) int64 {
	next := p.queue.first(2 * slowestSampling)
	if len(next) == 0 {
		return 0
	}
	for _, e := range next {
		if e.at != 0 {
			return e.at
		}
	}
	next[0].at = now
	return now
}
