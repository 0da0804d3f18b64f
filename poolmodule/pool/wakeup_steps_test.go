package pool_test

// step is what one of the actors does next, if it can.
type step struct {
	name   string
	actors func(*modelPool) int
	// do returns false if it is not the turn of actor i.
	do func(p *protocol, s *modelPool, i int) bool
}

func eachSubmitter(s *modelPool) int { return len(s.submitters) }
func eachWorker(s *modelPool) int    { return len(s.workers) }
func one(*modelPool) int             { return 1 }

var steps = []step{
	{"submitter %d comes to the inbox", eachSubmitter, (*protocol).put},
	{"submitter %d submits under both locks", eachSubmitter, (*protocol).submit},
	{"submitter %d no longer waits", eachSubmitter, (*protocol).loseHeart},
	{"worker %d looks for work", eachWorker, (*protocol).look},
	{"worker %d, who has looked before, parks", eachWorker, (*protocol).parkLate},
	{"worker %d robs its victim", eachWorker, (*protocol).rob},
	{"worker %d ends its task", eachWorker, (*protocol).end},
	{"worker %d begins to listen", eachWorker, (*protocol).listen},
	{"the call for worker %d arrives", eachWorker, (*protocol).deliver},
	{"worker %d hears the call", eachWorker, (*protocol).hear},
	{"the pool is started", one, (*protocol).start},
	{"the timer of those who wait for room fires", one, (*protocol).fire},
	{"the reaper takes worker %d", eachWorker, (*protocol).reap},
	{"the pool is resized", one, (*protocol).resize},
	{"the delay before another try is over", one, (*protocol).retry},
	{"the lane leaves", one, (*protocol).leaveLane},
}

// put is Pool.put, putAll for a batch, and putJob for an item.
func (p *protocol) put(s *modelPool, i int) bool {
	sub := &s.submitters[i]
	if sub.at != outside || s.inHold {
		return false
	}
	isShut := s.room <= 0 || p.choose(2) == 1 // the hint may be old, or there is no memory
	if isShut || sub.brings[0] == item && s.laneIsGone {
		sub.at = atDoor
		return true
	}
	for n := 0; s.room > 0 && sub.brings[0] != noTask && (n == 0 || sub.together); n++ {
		s.room--
		if sub.brings[0] == item { // counted by its lane, at once
			s.granted--
			s.counted++
		}
		s.queue.push(sub.next())
		s.accepted++
	}
	sub.goOn()
	return true
}

// submit is Pool.submit, under the policy Block.
func (p *protocol) submit(s *modelPool, i int) bool {
	sub := &s.submitters[i]
	if sub.at != atDoor || s.inHold {
		return false
	}
	p.lock(s)
	defer p.unlock(s)
	switch {
	case sub.brings[0] == item && s.laneIsGone:
		sub.next()
		sub.goOn()
	case s.lineLen() == 0 && p.lookForRoom(s) > 0:
		p.letIn(s, sub)
		if p.without != submitterCalls {
			p.wake(s)
		}
		sub.goOn()
	case sub.try:
		sub.next()
		sub.goOn()
	default:
		sub.at, sub.place = inLine, s.lineLen()+1
		if p.without != whoJoinsTheLineLooks {
			p.nudge(s)
		}
	}
	return true
}

// loseHeart is Pool.leave.
func (p *protocol) loseHeart(s *modelPool, i int) bool {
	sub := &s.submitters[i]
	if !p.impatient || sub.at != inLine || s.inHold {
		return false
	}
	p.lock(s)
	p.leaveLine(s, sub)
	sub.next()
	sub.goOn()
	p.unlock(s)
	return true
}

// look is worker.next, from its lock to its unlock. A worker that has let
// somebody in gives the locks back and comes again; one that finds nothing but
// somebody's batch goes on with rob, and keeps them.
func (p *protocol) look(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != coming || s.inHold {
		return false
	}
	p.lock(s)
	p.finish(s, w)
	waiting := s.lineLen()
	if p.without != workerAdmits {
		p.admit(s)
	}
	switch {
	case s.lineLen() < waiting:
		p.wake(s)
	case s.headcount() > s.limit:
		*w = modelWorker{}
		p.wake(s)
	case s.queue.len() > 0 && s.inBatches() > 0 && p.choose(2) == 1 && p.chooseVictim(s):
		w.at, s.inHold = stealing, true // the victim was overtaken
		return true
	case p.take(s, w):
		if p.without != searcherCallsTheNext {
			p.wake(s)
		}
	case p.chooseVictim(s):
		w.at, s.inHold = stealing, true
		return true
	case p.without == looksAndParksInOneHold:
		w.at = looked
	default:
		p.park(s, w)
		return true
	}
	p.unlock(s)
	return true
}

// finish is Pool.finishLocked.
func (p *protocol) finish(s *modelPool, w *modelWorker) {
	keepsToken := p.without == searcherGivesTheTokenBack ||
		p.without == whoRetiresGivesTheTokenBack && s.headcount() > s.limit
	if w.searcher && !keepsToken {
		s.searching, w.searcher = false, false
	}
	w.reserved = 0
	if w.holds == item || w.holds == retryItem {
		switch {
		case w.again && !s.laneIsGone:
			s.retrying++
		case w.again:
			s.handed++
			p.releaseKey(s)
		default:
			p.releaseKey(s)
		}
	}
	w.holds, w.again = noTask, false
}

func (p *protocol) releaseKey(s *modelPool) {
	s.turn = s.keyLine > 0
	s.keyBusy = s.turn
}

// take is Pool.takeLocked without the stealing.
func (p *protocol) take(s *modelPool, w *modelWorker) bool {
	if s.turn {
		s.turn = false
		if s.keyLine > 0 {
			s.keyLine--
			p.begin(s, w, item)
			return true
		}
		s.keyBusy = false
	}
	for s.queue.len() > 0 {
		share := p.share
		if s.queue.items() > 0 {
			share = 1
		}
		t := s.queue.pop()
		if t == item && s.keyBusy {
			s.keyLine++
			continue
		}
		if t == item {
			s.keyBusy = true
		}
		p.begin(s, w, t)
		for w.reserved < share-1 && s.queue.len() > 0 {
			w.batch[w.reserved] = s.queue.pop()
			w.reserved++
		}
		return true
	}
	return false
}

func (p *protocol) begin(s *modelPool, w *modelWorker, t modelTask) {
	w.at, w.holds = running, t
	if t != parent {
		return
	}
	for i := range s.submitters {
		if sub := &s.submitters[i]; sub.at == asleep {
			sub.at = outside
			return
		}
	}
}

func (p *protocol) chooseVictim(s *modelPool) bool {
	if p.without == batchesAreSeen {
		return false
	}
	who := p.anyOf(len(s.workers), func(i int) bool { return s.workers[i].left() > 0 })
	if who >= 0 {
		s.workers[who].victim = true
	}
	return who >= 0
}

// rob is Pool.robLocked: meanwhile the owner may have taken more, or all. Then
// the thief looks again.
func (p *protocol) rob(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != stealing {
		return false
	}
	for j := range s.workers {
		v := &s.workers[j]
		if !v.victim {
			continue
		}
		v.victim = false
		n := (v.left() + 1) / 2
		if n == 0 {
			break
		}
		v.reserved -= min(n, v.reserved)
		p.begin(s, w, v.pop())
		for ; w.reserved < n-1; w.reserved++ {
			w.batch[w.reserved] = v.pop()
		}
		if p.without != searcherCallsTheNext {
			p.wake(s)
		}
		s.inHold = false
		p.unlock(s)
		return true
	}
	if p.without != lateThiefLooksAgain && p.chooseVictim(s) {
		return true
	}
	s.inHold = false
	if p.take(s, w) { // there is a queue: it would have relieved the victim
		if p.without != searcherCallsTheNext {
			p.wake(s)
		}
		p.unlock(s)
		return true
	}
	p.park(s, w)
	return true
}

func (p *protocol) park(s *modelPool, w *modelWorker) {
	w.at = parking
	if p.without == whoParksLeavesNoRoom {
		p.openInbox(s, false)
		return
	}
	p.unlock(s)
}

func (p *protocol) parkLate(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != looked || s.inHold {
		return false
	}
	p.lock(s)
	p.park(s, w)
	return true
}

// end is the end of a task and, in one step with it, claim.
func (p *protocol) end(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != running || w.holds == parent && !s.nestedIsHome() {
		return false
	}
	if w.holds == item || w.holds == retryItem {
		if s.retriesLeft > 0 && p.choose(2) == 1 {
			s.retriesLeft--
			w.again = true
		}
	}
	if !w.again {
		s.done++
	}
	w.at = coming
	if w.left() > 0 {
		p.begin(s, w, w.pop())
	}
	return true
}

func (s *modelPool) nestedIsHome() bool {
	for i := range s.submitters {
		if sub := &s.submitters[i]; sub.nested && sub.at != home {
			return false
		}
	}
	return true
}

func (p *protocol) listen(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != parking {
		return false
	}
	w.at = parked
	return true
}

func (p *protocol) deliver(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.call != onItsWay {
		return false
	}
	w.call = inChannel
	if p.without == channelHoldsTheCall && w.at != parked {
		w.call = noCall
	}
	return true
}

func (p *protocol) hear(s *modelPool, i int) bool {
	w := &s.workers[i]
	if w.at != parked || w.call != inChannel {
		return false
	}
	w.at, w.call = coming, noCall
	return true
}

func (p *protocol) start(s *modelPool, _ int) bool {
	if s.started {
		return false
	}
	p.lock(s)
	s.started = true
	for s.headcount() < p.minWorkers {
		p.spawn(s)
	}
	if p.without != startCalls {
		p.nudge(s)
	}
	p.unlock(s)
	return true
}

// fire is Pool.admitLate.
func (p *protocol) fire(s *modelPool, _ int) bool {
	if !s.armed || s.inHold {
		return false
	}
	p.lock(s)
	s.armed = false
	p.admitNow(s)
	if p.without != timerCalls {
		p.wake(s)
	}
	p.unlock(s)
	return true
}

// reap and resize send idle workers home. Their goroutines have nothing more to
// do but to hear of it.
func (p *protocol) reap(s *modelPool, i int) bool {
	w := &s.workers[i]
	if !p.reaper || s.inHold || !w.isIdle() || s.headcount() <= p.minWorkers {
		return false
	}
	p.lock(s)
	*w = modelWorker{}
	p.unlock(s)
	return true
}

func (p *protocol) resize(s *modelPool, _ int) bool {
	if s.resizesLeft == 0 || s.inHold {
		return false
	}
	s.resizesLeft--
	p.lock(s)
	to := p.resizes[p.choose(len(p.resizes))]
	s.limit, s.capacity = to.workers, to.queue
	for i := range s.workers {
		if s.headcount() > s.limit && s.workers[i].isIdle() {
			s.workers[i] = modelWorker{}
		}
	}
	if s.headcount() > s.limit {
		p.unbatch(s)
	}
	if p.without != resizeCalls {
		p.nudge(s)
	}
	p.unlock(s)
	return true
}

// unbatch puts what is in batches back to the head of the queue.
func (p *protocol) unbatch(s *modelPool) {
	behind := s.queue
	s.queue = taskList{}
	for i := range s.workers {
		w := &s.workers[i]
		for w.left() > 0 {
			s.queue.push(w.pop())
			w.reserved = max(0, w.reserved-1)
		}
	}
	for behind.len() > 0 {
		s.queue.push(behind.pop())
	}
}

func (p *protocol) retry(s *modelPool, _ int) bool {
	if s.retrying == 0 || s.inHold {
		return false
	}
	p.lock(s)
	s.retrying--
	s.queue.push(retryItem)
	if p.without != retryCalls {
		p.wake(s)
	}
	p.unlock(s)
	return true
}

// leaveLane is laneCore.cut: everything of the lane that does not run is handed
// back.
func (p *protocol) leaveLane(s *modelPool, _ int) bool {
	if !p.laneLeaves || s.laneIsGone || s.inHold {
		return false
	}
	p.lock(s)
	s.laneIsGone = true
	for i := range s.submitters {
		if sub := &s.submitters[i]; sub.at == inLine && sub.brings[0] == item {
			p.leaveLine(s, sub)
			sub.next()
			sub.goOn()
		}
	}
	s.handed += s.queue.items() + s.keyLine + s.retrying
	hadKey := s.retrying > 0
	var kept taskList
	for s.queue.len() > 0 {
		switch t := s.queue.pop(); t {
		case item:
		case retryItem:
			hadKey = true
		default:
			kept.push(t)
		}
	}
	s.queue, s.keyLine, s.retrying = kept, 0, 0
	if hadKey {
		p.releaseKey(s)
	}
	if p.without != whoLeavesCalls {
		p.nudge(s)
	}
	p.unlock(s)
	return true
}
