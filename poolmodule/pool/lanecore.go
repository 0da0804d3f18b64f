package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// laneCore is what a lane is without its type.
type laneCore struct {
	pool *Pool
	name string
	cfg  LaneConfig
	gate *intake.Gate

	errFull, errNotStarted, errReplaying error // made once: a refusal allocates nothing

	// ctx is the ground of every item's context; cancel ends it when the time
	// of a stop is up.
	ctx    context.Context
	cancel context.CancelCauseFunc

	// Set by NewLane.
	remembers bool         // items have a record
	book      book         // nil: none
	mode      journal.Mode // off, onstop or always
	buries    bool         // what failed for good goes to the dead letters
	serials   atomic.Uint64
	stamp     stamp

	stopping *stopping
	stopErr  error // written within stopping.run

	settling  sync.Once
	settleErr error

	// Guarded by pool.mu.
	jobs      jobList // everything inside, in the order of acceptance
	leftovers int     // those of jobs that are handed back
	isCut     bool    // nothing is tried again
	stopped   []*job  // the leftovers, once they are collected
	collected bool
	settled   bool // stopped has been taken by Save
	ledger    intake.Ledger
	quiet     quietness // see quietLocked
	door      door
	opening   *opening // nil: Start was not called
	waiting   line     // submitters that wait for the end of the replay
	replay    replay
	atJournal int    // submitters that write or cross out an item
	leaveBox  func() // nil: no letters are taken back
}

// book is a journal.Keeper without the type of its items.
type book interface {
	Open(ctx context.Context) error
	Len() int
	Unreadable() int
	ID(seq, serial uint64) string
	Close() error
}

// jobList is a list in the order of acceptance, from which any may leave.
type jobList struct {
	first, last *job
	n           int
}

func (l *jobList) add(j *job) {
	j.prev, j.next = l.last, nil
	if l.last == nil {
		l.first = j
	} else {
		l.last.next = j
	}
	l.last = j
	l.n++
}

func (l *jobList) remove(j *job) {
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.prev, j.next = nil, nil
	l.n--
}

func newLaneCore(p *Pool, name string, cfg LaneConfig) *laneCore {
	l := &laneCore{
		pool:          p,
		name:          name,
		cfg:           cfg,
		errFull:       fmt.Errorf("lane %s: pool %s: %w", name, p.name, ErrFull),
		errNotStarted: fmt.Errorf("lane %s: %w", name, ErrNotStarted),
		errReplaying:  fmt.Errorf("lane %s: %w", name, ErrReplaying),
		stopping:      newStopping(),
	}
	l.ctx, l.cancel = context.WithCancelCause(p.ctx)
	l.quiet = quietness{pool: p, isLocked: l.quietLocked}
	l.gate = intake.New("lane:"+name, intake.Counted(l.ledgerSnapshot), intake.OnChange(l.gateChanges))
	return l
}

// join makes the lane one of its pool's.
func (l *laneCore) join() error {
	p := l.pool
	p.lock()
	defer p.unlock()
	if p.gate.State() >= intake.Draining {
		return fmt.Errorf("lane %s: %w", l.name, p.gate.Admit(context.Background()))
	}
	for _, other := range p.lanes {
		if other.name == l.name {
			return fmt.Errorf("lane %s: pool %s has a lane of that name; choose another", l.name, p.name)
		}
	}
	p.lanes = append(p.lanes, l)
	return nil
}

// Name is the name given to [NewLane].
func (l *laneCore) Name() string { return l.name }

// Gate is the lane's own gate, named "lane:NAME".
func (l *laneCore) Gate() *intake.Gate { return l.gate }

func (l *laneCore) ledgerSnapshot() intake.Ledger {
	l.pool.lock()
	defer l.pool.unlock()
	return l.ledgerLocked()
}

func (l *laneCore) ledgerLocked() intake.Ledger {
	ledger := l.ledger
	ledger.Inside = uint64(l.jobs.n)
	return ledger
}

// retries says whether an item is tried again after this many attempts, and if
// not, why.
func (l *laneCore) retries(err error, attempts int) (bool, journal.Reason) {
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		return false, journal.ReasonPermanent
	}
	return attempts < l.cfg.Retry.MaxAttempts, journal.ReasonRetries
}

// reach moves an item on whose outcome is decided. false: the stop has given up
// waiting for it, and handed it back.
func (l *laneCore) reach(j *job, s jobState) bool {
	l.pool.lock()
	defer l.pool.unlock()
	if j.state == jobLeftover {
		return false
	}
	j.state = s
	return true
}

// endedLocked follows one try of j. It says whether there will be another.
func (l *laneCore) endedLocked(j *job, o outcome) (goesOn bool) {
	switch {
	case j.state == jobLeftover:
		return false // the stop has given up waiting for it, and handed it back
	case o == again && !l.isCut:
		l.retryLaterLocked(j)
		return true
	case o == again || o == cut:
		l.handBackLocked(j)
		return false
	case o == failed:
		l.ledger.Failed++
	default:
		l.ledger.Done++
	}
	l.jobs.remove(j)
	l.quiet.tellLocked()
	return false
}

func (l *laneCore) retryLaterLocked(j *job) {
	j.state = jobRetrying
	l.pool.retrying++
	j.pause.timer = time.AfterFunc(max(0, j.pause.delay), func() { l.pool.retry(j) })
}

// retry puts an item whose wait is over into the queue. Its place was kept.
func (p *Pool) retry(j *job) {
	p.lock()
	if j.state != jobRetrying {
		p.unlock()
		return
	}
	p.retrying--
	p.enqueueLocked(entry{work: j})
	w := p.wakeLocked()
	p.unlock()
	w.call()
}

// quietLocked says that nothing of the lane waits or runs, its journal
// included.
func (l *laneCore) quietLocked() bool {
	return l.jobs.n == l.leftovers && l.atJournal == 0 && !l.replay.isFeeding
}
