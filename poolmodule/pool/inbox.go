package pool

import (
	"context"
	"runtime"
	"sync"

	"github.com/lastcall-go/lastcall/intake"
)

// inbox is the end of the queue, where work comes in. It has a lock of its own,
// held for a few instructions, so that a closure for which there is room meets
// nobody but other submitters. How much may come in so was decided by whoever
// gave the pool's lock back last.
type inbox struct {
	_       cacheLine // submitters write here all the time, workers beside it
	mu      sync.Mutex
	entries []entry
	room    int // so many closures may be put in before somebody must look
	granted int // what room was when somebody last looked
	sampler sampler
	_       cacheLine
}

type cacheLine [64]byte

func (in *inbox) lock() {
	if !in.mu.TryLock() {
		in.insist()
	}
}

// insist parks only when it has to. A goroutine that parks for a lock that is
// held for so short a time comes too late whenever it wakes; with 256 submitters
// a sync.Mutex would pass from one parked goroutine to the next, at the price of
// a goroutine switch for each task.
func (in *inbox) insist() {
	const spins, turns = 32, 4
	for range turns {
		for range spins {
			if in.mu.TryLock() {
				return
			}
		}
		runtime.Gosched()
	}
	in.mu.Lock() // the operating system has put the holder aside
}

func (in *inbox) unlock() { in.mu.Unlock() }

// put lets a closure in if there is nothing to be done but that: there is room,
// and nobody who waits for it, and memory, no worker must be called, and the
// gate is open. The gate is asked under the lock that a snapshot of the ledger
// takes: see [intake.Gate.Admit].
func (p *Pool) put(task work) (isIn bool) {
	in := &p.queue.inbox
	in.lock()
	if in.room <= 0 || p.gate.State() != intake.Open {
		in.unlock()
		return p.putAndWake(task)
	}
	in.room--
	in.entries = append(in.entries, entry{work: task})
	if in.sampler.due() {
		p.sampleLast(in)
	}
	in.unlock()
	return true
}

// putAndWake is put for the closure for which a worker must be called, or memory
// got.
func (p *Pool) putAndWake(task work) (isIn bool) {
	p.lock()
	if !p.waiting.empty() || p.freeLocked() <= p.reserved || p.gate.State() != intake.Open {
		p.unlock()
		return false
	}
	p.ledger.Offered++
	p.ledger.Accepted++
	p.queue.inbox.push(entry{work: task})
	if in := &p.queue.inbox; in.sampler.due() {
		p.sampleLast(in)
	}
	w := p.wakeLocked()
	p.unlock()
	w.call()
	return true
}

// putAll is put for the first of tasks, as many as there is room for. It stops
// at a nil one.
func (p *Pool) putAll(tasks []func(context.Context)) (n int) {
	in := &p.queue.inbox
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
	in.room -= n
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
	in.unlock()
}
