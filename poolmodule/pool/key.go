package pool

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// job is work that has a way of its own through the pool: it has a key, or
// belongs to a lane, or both. Everything but the embedded work is guarded by
// the pool's lock, save where it says so.
type job struct {
	work
	lane  *laneCore // nil: a closure with a key
	key   string
	keyed bool

	state    jobState
	holdsKey bool
	// decided says that the handler has ended, with result; what follows
	// (the result hook) cannot change it. Of whoever runs the job.
	decided bool
	result  outcome
	way     way // of an item that must be written down before it is accepted
	// patient says that it waits for room whatever the policy. Written before it
	// is submitted.
	patient bool
	// end says who has the last word about an item that a handler had: who
	// crosses it out in its journal, or the stop that hands it back.
	end atomic.Uint32
	// attempts is how often an item was tried in this life. Written by whoever
	// runs it; Save may look at it while a handler runs that it does not wait for.
	attempts atomic.Int32

	pos   uint64 // in the queue, when it left it
	prev  *job   // in lane.jobs
	next  *job
	pause *pause  // nil before the first retry
	rec   *record // nil: the lane keeps none
}

// pause is the wait between two tries.
type pause struct {
	timer  *time.Timer   // guarded by the pool's lock
	delay  time.Duration // set by run with the outcome again
	delays backoff.ExponentialBackOff
}

type jobState uint8

const (
	jobNew      jobState = iota
	jobEntering          // a place is reserved, it is being written down
	jobQueued            // in the queue
	jobKeyWait           // out of the queue, its key is busy
	jobRunning           // on a worker or a caller
	jobBurying           // it failed for good, and is put into the dead letters
	jobEnding            // its outcome is settled: the hooks are told
	jobRetrying          // waits for its next try, on no worker
	jobLeftover          // not finished by the stop, not yet settled
)

const (
	endOpen uint32 = iota
	endCrossed
	endHandedBack
)

// cross has the last word, unless it is spoken.
func (j *job) cross() bool { return j.end.CompareAndSwap(endOpen, endCrossed) }

// takeBack is cross for the stop.
func (j *job) takeBack() bool { return j.end.CompareAndSwap(endOpen, endHandedBack) }

// keyID is a key of the pool (lane nil) or of a lane.
type keyID struct {
	lane *laneCore
	key  string
}

// keyState is the line behind a busy key. It exists while the key is busy.
type keyState struct {
	line []*job
}

// SubmitKey is [Pool.Submit] for tasks that must run one after another, in the
// order in which they were accepted, if they have the same key. Other keys
// run beside them. A task whose key is busy when its turn comes steps aside:
// it keeps its place in the queue's count, holds no worker, and runs as soon as
// the key is free. A key costs memory only while it is in use.
func (p *Pool) SubmitKey(ctx context.Context, key string, task func(context.Context)) error {
	if task == nil {
		return errNilTask
	}
	return p.submit(ctx, &job{work: plain(task), key: key, keyed: true}, false)
}

func (j *job) id() keyID { return keyID{j.lane, j.key} }

func (p *Pool) queueJobLocked(j *job) {
	j.state = jobQueued
	p.jobsQueued++
	if j.lane != nil {
		p.laneQueued++
	}
}

func (p *Pool) unqueueJobLocked(j *job) {
	p.jobsQueued--
	if j.lane != nil {
		p.laneQueued--
	}
}

// beginLocked says whether a job that left the queue may run now; if not, it
// has joined the line of its key.
func (p *Pool) beginLocked(j *job, pos uint64) bool {
	p.unqueueJobLocked(j)
	j.pos = pos
	if j.keyed && !j.holdsKey {
		if ks := p.keys[j.id()]; ks != nil {
			ks.line = append(ks.line, j)
			j.state = jobKeyWait
			p.keyWaitingLocked(j, +1)
			return false
		}
		p.keys[j.id()] = &keyState{}
		j.holdsKey = true
	}
	j.state = jobRunning
	return true
}

func (p *Pool) keyWaitingLocked(j *job, n int) {
	p.keyWaiting += n
	if j.lane != nil {
		p.laneParked += n
	}
}

// releaseKeyLocked frees the key that j holds. The first in line is next to
// be taken by a worker, before all that is in the queue: it came out of there
// earlier.
func (p *Pool) releaseKeyLocked(j *job) {
	if !j.holdsKey {
		return
	}
	j.holdsKey = false
	id := j.id()
	ks := p.keys[id]
	if len(ks.line) == 0 {
		delete(p.keys, id)
		return
	}
	p.turns = append(p.turns, id)
}

// takeTurnLocked is the next job whose key has become free.
func (p *Pool) takeTurnLocked() *job {
	for len(p.turns) > 0 {
		id := p.turns[0]
		p.turns = append(p.turns[:0], p.turns[1:]...)
		ks := p.keys[id]
		if len(ks.line) == 0 { // withdrawn meanwhile
			delete(p.keys, id)
			continue
		}
		j := p.leaveLineLocked(ks)
		j.state, j.holdsKey = jobRunning, true
		return j
	}
	return nil
}

func (p *Pool) leaveLineLocked(ks *keyState) *job {
	j := ks.line[0]
	ks.line[0] = nil
	ks.line = ks.line[1:]
	p.keyWaitingLocked(j, -1)
	return j
}

// oldestLineLocked is where the job stands that has waited longest of all that
// wait for a key, or nil.
func (p *Pool) oldestLineLocked() (oldest *keyState) {
	if p.keyWaiting == 0 {
		return nil
	}
	for _, ks := range p.keys {
		if len(ks.line) > 0 && (oldest == nil || ks.line[0].pos < oldest.line[0].pos) {
			oldest = ks
		}
	}
	return oldest
}

// withdrawKeyedLocked takes all jobs of a lane (nil: the pool's closures) out
// of their lines, in no order.
func (p *Pool) withdrawKeyedLocked(l *laneCore) (jobs []*job) {
	for id, ks := range p.keys {
		if id.lane != l {
			continue
		}
		for _, j := range ks.line {
			p.keyWaitingLocked(j, -1)
		}
		jobs = append(jobs, ks.line...)
		ks.line = nil
	}
	return jobs
}

// jobEndedLocked follows the run of a job, whoever ran it.
func (p *Pool) jobEndedLocked(j *job, o outcome) {
	if j.lane != nil && j.lane.endedLocked(j, o) {
		return // it is to be tried again, and keeps its key
	}
	p.releaseKeyLocked(j)
}
