package pool

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// Pool runs tasks on a bounded number of workers. Make one with [New]; it is
// safe for concurrent use.
type Pool struct {
	name    string
	gate    *intake.Gate
	opts    options
	errFull error // made once, so that a refusal under load allocates nothing
	born    time.Time

	// ctx is the ground of every task's context; cancel ends it when the time
	// of a stop is up.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// labels is the context given to Start, for its profiler labels alone.
	// Written before there is a worker.
	labels context.Context

	stopping *stopping
	leftover []Task // both written within stopping.run
	stopErr  error

	wait, run histogram // sampled; atomics

	mu    sync.Mutex // taken by lock
	cfg   Config
	state state
	queue queue
	// jobsQueued is how many entries of queue are jobs, laneQueued how many of
	// them belong to a lane, and so not to the pool's own ledger.
	jobsQueued int
	laneQueued int

	workers   []*worker // all of them, in no order
	idle      []*worker // parked, the last one parked is the first to wake
	lowIdle   int       // the fewest idle since the reaper last looked
	busy      int       // workers that hold a task
	reserved  int       // at most so many tasks wait in workers' batches
	takes     uint      // so often a worker came for work
	searching bool      // a worker was woken and has not looked yet
	reaper    *time.Timer

	waiting     waiters // submitters that wait for room
	keys        map[keyID]*keyState
	turns       []keyID // keys that have become free and have a line
	keyWaiting  int     // jobs taken from the queue whose key is busy
	laneParked  int     // those of them that belong to a lane
	retrying    int     // lane jobs that wait for their next try
	entering    int     // lane jobs that are written down before they enter
	callersOwn  int     // tasks of the pool that run on their submitter's goroutine
	callersLane int     // lane jobs that do
	handed      int     // tasks handed back and not settled

	ledger  intake.Ledger // all but Inside, and but what workers have not told yet
	noticed bool          // see noticeDrainLocked
	quiet   quietness     // nothing waits or runs
	empty   quietness     // no worker is left, and no caller runs a task
	lanes   []*laneCore
}

type state uint8

const (
	created state = iota
	started
	stopped
)

type options struct {
	onPanic   func(*PanicError)
	onDiscard func(Discard)
}

// Option gives a pool a collaborator that no configuration file can name. Of two
// that name the same one the later counts; nil is as if the option were not
// given.
type Option func(*options)

// WithPanicHandler is called with every panic that a task, handler, result hook
// or discard handler lets escape, after the worker was saved; on which
// goroutine is not said. A panic of its own is swallowed. nil: none.
func WithPanicHandler(fn func(*PanicError)) Option {
	return func(o *options) {
		if fn != nil {
			o.onPanic = fn
		}
	}
}

// Discard tells of accepted work that a discard policy threw away.
type Discard struct {
	Pool string
	Lane string // empty: a closure
	Key  string // empty: no key
}

// WithDiscardHandler is called for each task that a discard policy throws
// away, on the submitter's goroutine. nil: none.
func WithDiscardHandler(fn func(Discard)) Option {
	return func(o *options) {
		if fn != nil {
			o.onDiscard = fn
		}
	}
}

// New returns a pool that takes work at once and runs none before [Pool.Start].
// It starts no goroutine. A wrong Config is reported whole.
func New(name string, cfg Config, opts ...Option) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("pool %s: %w", name, err)
	}
	p := &Pool{
		name:     name,
		cfg:      cfg.WithDefaults(),
		errFull:  fmt.Errorf("pool %s: %w", name, ErrFull),
		born:     time.Now(),
		stopping: newStopping(),
		keys:     make(map[keyID]*keyState),
	}
	for _, opt := range opts {
		opt(&p.opts)
	}
	p.ctx, p.cancel = context.WithCancelCause(context.WithValue(context.Background(), poolKey{}, p))
	p.queue.inbox.sampler = newSampler()
	p.quiet = quietness{pool: p, isLocked: p.quietLocked}
	p.empty = quietness{pool: p, isLocked: p.emptyLocked}
	p.gate = intake.New("pool:"+name, intake.Counted(p.ledgerSnapshot), intake.OnChange(p.gateChanges))
	return p, nil
}

// Name is the name given to [New].
func (p *Pool) Name() string { return p.name }

// Gate is the gate of the pool's closures, named "pool:NAME". Items of lanes
// pass the lane's own gate and are not counted here.
func (p *Pool) Gate() *intake.Gate { return p.gate }

// Start lets the workers begin; MinWorkers are started now, others with the
// work. It never blocks. Starting twice does nothing; after Stop it returns
// [ErrClosed]. The values of ctx are not seen by tasks, but workers carry its
// profiler labels ([runtime/pprof.WithLabels]), whoever's submit has started them.
func (p *Pool) Start(ctx context.Context) error {
	p.lock()
	switch p.state {
	case started:
		p.unlock()
		return nil
	case stopped:
		p.unlock()
		return fmt.Errorf("pool %s: start after stop: %w", p.name, ErrClosed)
	}
	p.state = started
	p.labels = context.WithoutCancel(ctx)
	fresh := p.spawnLocked(p.cfg.MinWorkers)
	calls := p.nudgeLocked()
	p.unlock()

	callAll(fresh)
	calls.send()
	return nil
}

// now is the pool's clock, never zero.
func (p *Pool) now() int64 { return int64(time.Since(p.born)) + 1 }
