package pool

import "github.com/lastcall-go/lastcall/intake"

// What an item of a lane needs to come in is guarded by both locks, so it may be
// changed under that of the inbox alone: nobody reads it who has not got both.

// putJob is put for an item. It also needs the door of its lane open.
func (p *Pool) putJob(j *job) (isIn bool) {
	in := &p.queue.inbox
	if in.isShut.Load() {
		return false
	}
	in.lock()
	if !p.fitsInbox(j) {
		in.unlock()
		return false
	}
	p.takeRoom()
	p.queueAndUnlock(j)
	return true
}

// reserve keeps a place for an item that must be written down first, if that
// takes no more than a look.
func (p *Pool) reserve(j *job) (isReserved bool) {
	in := &p.queue.inbox
	if in.isShut.Load() {
		return false
	}
	in.lock()
	defer in.unlock()
	if !p.fitsInbox(j) {
		return false
	}
	p.takeRoom()
	return p.reserveLocked(j, intoQueue)
}

// fill puts an item that was written down to the place that was kept for it, if
// nothing has come in between that must be looked at. It needs no room; but
// where there is some, no worker must be called.
func (p *Pool) fill(j *job) (isIn bool) {
	in := &p.queue.inbox
	in.lock()
	if in.room <= 0 || j.lane.isCut || j.way != intoQueue {
		in.unlock()
		return false
	}
	p.entering--
	j.lane.atJournal-- // and it is inside from now on: it is no quieter
	p.queueAndUnlock(j)
	return true
}

func (p *Pool) fitsInbox(j *job) bool {
	l := j.lane
	return p.queue.inbox.room > 0 && l.door == doorOpen && l.gate.State() == intake.Open
}

// takeRoom takes the room of one that is not counted by the pool's own ledger.
func (p *Pool) takeRoom() {
	p.queue.inbox.takeRoom(1)
	p.queue.inbox.granted--
}

func (p *Pool) queueAndUnlock(j *job) {
	e := entry{work: j}
	p.acceptLocked(e)
	p.enqueueLocked(e)
	p.queue.inbox.unlock()
}
