package pool_test

// The wake-up protocol of the pool, as doc.go states it, small enough to be
// walked through in every order. One step is what the code does in one hold of
// its locks, or outside of them between two holds. What is left out, and why
// that hides nothing:
//
//   - Tasks are not told apart beyond their kind. That each is in one place is
//     seen by counting the places.
//   - What a lock holder sends when it has unlocked (a call, or word to a
//     submitter that was let in) needs nobody's consent: it is on its way, and
//     may arrive at any later moment.
//   - A worker gives the inbox back before it moves its batch. Nobody sees the
//     difference: whoever looks at a batch needs the other lock.
//   - An item that must be written down holds a place meanwhile: so does one
//     that waits for its next try.
//   - The goroutine of a worker that was sent home has only to hear of it.
//   - A worker takes what it may whenever it is there, not its fair part; and
//     how much is half of a long queue is up to the scope.

type modelTask uint8

const (
	noTask    modelTask = iota
	closure             // may be in a batch
	parent              // a closure that waits for a submitter of its own
	item                // of a lane; all have one key
	retryItem           // one that holds the key already
)

type taskList [8]modelTask

func (l *taskList) len() (n int8) {
	for n < int8(len(l)) && l[n] != noTask {
		n++
	}
	return n
}

func (l *taskList) push(t modelTask) { l[l.len()] = t }

func (l *taskList) pop() modelTask {
	t := l[0]
	copy(l[:], l[1:])
	l[len(l)-1] = noTask
	return t
}

func (l *taskList) items() (n int8) {
	for _, t := range l {
		if t == item || t == retryItem {
			n++
		}
	}
	return n
}

// modelPool is one state of everything.
type modelPool struct {
	submitters [3]modelSubmitter
	workers    [3]modelWorker

	// Guarded by both locks.
	started   bool
	limit     int8
	capacity  int8
	searching bool
	armed     bool // the timer of those who wait for room
	keyBusy   bool
	keyLine   int8
	turn      bool // the key has come free and has a line
	retrying  int8
	counted   int8 // Ledger.Accepted
	inHold    bool // somebody has the locks in between two steps

	// Guarded by the lock of the inbox.
	queue         taskList
	room, granted int8

	// Nobody's: for the checks, and to bound the walk.
	accepted, done, handed   int8
	resizesLeft, retriesLeft int8
	laneIsGone               bool
}

type submitterAt uint8

const (
	home    submitterAt = iota // it has brought all
	asleep                     // it is part of a task that does not run yet
	outside                    // goes to the inbox next
	atDoor                     // the inbox would not take it: it goes for both locks
	inLine                     // waits for room
)

const maxBring = 3

type modelSubmitter struct {
	at       submitterAt
	brings   [maxBring]modelTask // the next one first
	place    int8                // in the line: 1 is first
	together bool                // SubmitBatch
	try      bool                // TrySubmit
	nested   bool                // it is a task of the pool that submits
}

type workerAt uint8

const (
	absent   workerAt = iota
	coming            // goes for the locks
	running           // a task
	stealing          // has the locks, has chosen a victim
	looked            // has given them back too early: only where a rule is broken
	parking           // is on the idle list, does not listen yet
	parked            // listens
)

type callAt uint8

const (
	noCall callAt = iota
	onItsWay
	inChannel
)

type modelWorker struct {
	at       workerAt
	call     callAt
	searcher bool
	victim   bool      // of the one who is stealing
	again    bool      // what it holds has ended, and is to be tried again
	holds    modelTask // until it has the locks again
	batch    [2]modelTask
	reserved int8 // how much of batch the pool thinks is left
}

func (w *modelWorker) isIdle() bool { return (w.at == parking || w.at == parked) && w.call == noCall }

func (w *modelWorker) left() (n int8) {
	for n < int8(len(w.batch)) && w.batch[n] != noTask {
		n++
	}
	return n
}

func (w *modelWorker) pop() modelTask {
	t := w.batch[0]
	w.batch[0], w.batch[1] = w.batch[1], noTask
	return t
}

func (s *modelPool) headcount() (n int8) {
	for i := range s.workers {
		if s.workers[i].at != absent {
			n++
		}
	}
	return n
}

func (s *modelPool) busy() (n int8) {
	for i := range s.workers {
		if s.workers[i].holds != noTask {
			n++
		}
	}
	return n
}

func (s *modelPool) isAnyIdle() bool {
	for i := range s.workers {
		if s.workers[i].isIdle() {
			return true
		}
	}
	return false
}

func (s *modelPool) reserved() (n int8) {
	for i := range s.workers {
		n += s.workers[i].reserved
	}
	return n
}

func (s *modelPool) inBatches() (n int8) {
	for i := range s.workers {
		n += s.workers[i].left()
	}
	return n
}

func (s *modelPool) lineLen() (n int8) {
	for i := range s.submitters {
		if s.submitters[i].at == inLine {
			n++
		}
	}
	return n
}

// protocol is the rules, in one scope.
type protocol struct {
	scope
	without rule // the one that is left out
	choices
}

func (p *protocol) lock(s *modelPool) {
	s.counted += s.granted - s.room
	s.granted = s.room
}

func (p *protocol) unlock(s *modelPool) {
	isWanted := !s.searching && s.started && (s.isAnyIdle() || s.headcount() < s.limit)
	p.openInbox(s, isWanted)
}

func (p *protocol) openInbox(s *modelPool, isWanted bool) {
	s.room = 0
	if (s.lineLen() == 0 || p.without == roomIsZeroWhileSomebodyWaits) && !isWanted {
		s.room = max(0, p.free(s)-s.reserved())
		if p.without == batchesCountAsQueued {
			s.room = max(0, p.free(s))
		}
	}
	s.granted = s.room
}

func (p *protocol) free(s *modelPool) int8 {
	free := s.capacity - s.queue.len() - s.keyLine - s.retrying
	if s.started {
		free += max(0, s.limit-s.busy())
	}
	return free
}

// lookForRoom counts what is really left in batches, where it matters.
func (p *protocol) lookForRoom(s *modelPool) int8 {
	room, reserved := p.free(s), s.reserved()
	if room > reserved || room <= 0 || reserved == 0 {
		return room - reserved
	}
	for i := range s.workers {
		s.workers[i].reserved = s.workers[i].left()
	}
	return room - s.reserved()
}

func (p *protocol) nudge(s *modelPool) {
	p.admit(s)
	p.wake(s)
}

func (p *protocol) wake(s *modelPool) {
	isWork := s.queue.len() > 0 || s.turn || s.reserved() > 0
	if s.searching && p.without != oneSearcher || !s.started || !isWork {
		return
	}
	who := p.anyOf(len(s.workers), func(i int) bool { return s.workers[i].isIdle() })
	switch {
	case who >= 0:
		s.workers[who].call = onItsWay
	case s.headcount() < s.limit:
		who = p.spawn(s)
	default:
		return
	}
	s.searching, s.workers[who].searcher = true, true
}

func (p *protocol) spawn(s *modelPool) int {
	for i := range s.workers {
		if s.workers[i].at == absent {
			s.workers[i] = modelWorker{at: coming}
			return i
		}
	}
	panic("no place for another worker")
}

func (p *protocol) admit(s *modelPool) {
	if s.lineLen() == 0 {
		return
	}
	if room := p.lookForRoom(s); p.half == 0 || room <= 0 || room >= p.half {
		p.admitNow(s)
		return
	}
	s.armed = p.without != longQueueHasATimer
}

func (p *protocol) admitNow(s *modelPool) {
	for s.lineLen() > 0 && p.lookForRoom(s) > 0 {
		for i := range s.submitters {
			if sub := &s.submitters[i]; sub.at == inLine && sub.place == 1 {
				p.leaveLine(s, sub)
				p.letIn(s, sub)
				sub.goOn()
				break
			}
		}
	}
}

func (p *protocol) leaveLine(s *modelPool, sub *modelSubmitter) {
	for i := range s.submitters {
		if other := &s.submitters[i]; other.at == inLine && other.place > sub.place {
			other.place--
		}
	}
	sub.place = 0
}

// letIn takes what sub brings next, under both locks.
func (p *protocol) letIn(s *modelPool, sub *modelSubmitter) {
	t := sub.next()
	if t == item && s.laneIsGone {
		return // refused
	}
	s.queue.push(t)
	s.accepted++
	s.counted++
}

func (sub *modelSubmitter) next() modelTask {
	t := sub.brings[0]
	copy(sub.brings[:], sub.brings[1:])
	sub.brings[maxBring-1] = noTask
	return t
}

// goOn is for a submitter whose call has returned.
func (sub *modelSubmitter) goOn() {
	sub.at = outside
	if sub.brings[0] == noTask {
		sub.at = home
	}
}
