package pool

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/lastcall-go/lastcall/intake"
)

// inbox is the end of the queue, where work comes in. It has a lock of its own,
// held for a few instructions, so that a task for which there is room meets
// nobody but other submitters. How much may come in so was decided by whoever
// gave the pool's lock back last.
type inbox struct {
	_       cacheLine // submitters write here all the time, workers beside it
	mu      mutex
	entries []entry
	room    int // so many tasks may be put in before somebody must look
	granted int // what room was when somebody last looked
	// isShut is a hint that there is no room. Whoever sees it does not come to
	// contend for a lock that could only tell him so.
	isShut  atomic.Bool
	sampler sampler
	_       cacheLine
}

type cacheLine [64]byte

// mutex is for what is held for a few instructions, and by many. A goroutine that
// parks for such a lock comes too late whenever it wakes; a sync.Mutex for which
// many have parked is passed from one to the next of them, at the price of a
// goroutine switch for each task. Of those who have tried in vain for a while,
// here all but one park. That one goes on trying, beside whoever comes.
type mutex struct {
	isHeld  atomic.Bool
	patient sync.Mutex
}

func (m *mutex) lock() {
	const tries, triesPerTurn = 100, 32
	for range tries {
		if m.tryLock() {
			return
		}
	}
	m.patient.Lock()
	defer m.patient.Unlock()
	for i := 1; !m.tryLock(); i++ {
		if i%triesPerTurn == 0 {
			runtime.Gosched() // the holder may have lost its processor
		}
	}
}

func (m *mutex) tryLock() bool { return !m.isHeld.Load() && m.isHeld.CompareAndSwap(false, true) }

func (m *mutex) unlock() { m.isHeld.Store(false) }

func (in *inbox) lock() { in.mu.lock() }

func (in *inbox) unlock() { in.mu.unlock() }

// put lets a closure in if there is nothing to be done but that: there is room,
// and nobody who waits for it, and memory, no worker must be called, and the
// gate is open. The gate is asked under the lock that a snapshot of the ledger
// takes: see [intake.Gate.Admit].
func (p *Pool) put(task work) (isIn bool) {
	in := &p.queue.inbox
	if in.isShut.Load() {
		return false
	}
	in.lock()
	if in.room <= 0 || p.gate.State() != intake.Open {
		in.unlock()
		return false
	}
	in.takeRoom(1)
	in.entries = append(in.entries, entry{work: task})
	if in.sampler.due() {
		p.sampleLast(in)
	}
	in.unlock()
	return true
}

// putAll is put for the first of tasks, as many as there is room for. It stops
// at a nil one.
func (p *Pool) putAll(tasks []func(context.Context)) (n int) {
	in := &p.queue.inbox
	if in.isShut.Load() {
		return 0
	}
	in.lock()
	if in.room <= 0 || p.gate.State() != intake.Open {
		in.unlock()
		return 0
	}
	for _, task := range tasks[:min(len(tasks), in.room)] {
		if task == nil {
			break
		}
		in.entries = append(in.entries, entry{work: plain(task)})
		if in.sampler.due() {
			p.sampleLast(in)
		}
		n++
	}
	in.takeRoom(n)
	in.unlock()
	return n
}

// push takes memory where it must.
func (in *inbox) push(e entry) {
	if len(in.entries) == cap(in.entries) {
		in.entries = append(make([]entry, 0, max(smallestInbox, 2*cap(in.entries))), in.entries...)
	}
	in.entries = append(in.entries, e)
}

const smallestInbox = 16

// sampleLast times the entry that came in last.
func (p *Pool) sampleLast(in *inbox) {
	now := p.now()
	in.entries[len(in.entries)-1].at = now
	in.sampler.took(now)
}

// lock takes the pool's lock and that of the inbox, and counts what was put in.
// What is called ...Locked needs both.
func (p *Pool) lock() {
	p.mu.Lock()
	in := &p.queue.inbox
	in.lock()
	came := uint64(in.granted - in.room)
	in.granted = in.room
	p.ledger.Offered += came
	p.ledger.Accepted += came
}

func (p *Pool) unlock() {
	p.openInbox()
	p.mu.Unlock()
}

// openInbox gives the inbox back, and says how much may be put in until the
// pool's lock is next taken: nothing if somebody waits for room, or if a worker
// is to be called for what comes next.
func (p *Pool) openInbox() {
	in := &p.queue.inbox
	in.room = 0
	if p.waiting.empty() && !p.mayCallLocked() {
		in.room = min(p.freeLocked()-p.reserved, cap(in.entries)-len(in.entries))
	}
	in.granted = in.room
	if isShut := in.room <= 0; isShut != in.isShut.Load() {
		in.isShut.Store(isShut)
	}
	in.unlock()
}

func (in *inbox) takeRoom(n int) {
	in.room -= n
	if in.room <= 0 {
		in.isShut.Store(true)
	}
}
