package batch

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// Batcher collects items and gives them to its [Sink] in batches. Make one
// with [New]. All methods are safe for concurrent use.
type Batcher[T any] struct {
	name string
	sink Sink[T]
	cfg  Config
	opts options[T]
	gate *intake.Gate
	full error // made once, so that a refusal under load allocates nothing
	keeping[T]
	measures bool // an item has a key or a size
	simple   bool // an item is put into its bundle and counted, no more: it has no size and no age

	base  context.Context         // of all flushes; made by Start
	cut   context.CancelCauseFunc // ends base; nil before Start
	leave func()                  // takes back the offer to receive dead letters; as cut

	wake    chan struct{} // one token: there may be something to hand out
	halt    chan struct{} // closed by Stop: tend ends
	tended  chan struct{} // closed by tend when it has ended
	hurry   chan struct{} // closed by the Stop whose time is up first
	stopped chan struct{} // closed by the first Stop when result and stopErr stand
	result  []T
	stopErr error

	settling sync.Once
	saveErr  error // written within settling

	mu       sync.Mutex
	phase    phase
	stopping bool // some Stop has begun
	hurried  bool // hurry is closed
	timer    *time.Timer
	armed    bool // the timer will fire for some open bundle

	only    *line[T]            // where there are no keys
	lines   map[string]*line[T] // keys with something inside
	open    chain[T]            // being filled, the oldest first
	ready   chain[T]            // sealed, waiting for a slot
	flying  chain[T]            // with the sink, or waiting for a retry
	cutOff  chain[T]            // came back undelivered after the cut
	free    []*bundle[T]        // to be used again
	freeCap int                 // capacity kept in free, in items
	seq     uint64

	slots    int // flush goroutines there are
	inside   int // for back-pressure, reserved places too; the ledger counts for itself
	limit    int // of inside: Config.Buffer, or 0 while barred
	reserved int // places of items that are being written down
	waiting  list.List
	barred   error         // why nobody gets in although the gate is open; nil: they do
	emptied  chan struct{} // made by who waits for quiet, closed by land
	grounded chan struct{} // made by the cut, closed when nothing of the batcher runs

	accepted, rejected        uint64
	done, failed, saved, lost uint64
	unburied                  int // those of lost that the dead letter handler did not take
	flushes                   [triggers]uint64
	landed                    []Landed // the last flushes, a ring of which oldest is the first
	oldest                    int
	pausing                   int    // flushes that wait before they try again
	trouble                   string // why the last of them does

	past      past
	serial    uint64 // of the last tag
	collected bool   // Stop has taken what was inside
	left      lot[T] // left over by Stop, not settled by Save
	settled   bool   // Save has counted what was left
}

// phase is where a batcher is on its one-way road.
type phase int

const (
	built   phase = iota // takes items, flushes nothing
	running              // between Start and the end of Stop
	ended                // the cut is made: no flush begins any more
)

// New returns a batcher that accepts items at once, or with a journal after
// Start, and flushes them once it is started. The name ("orders") is what
// errors, the gate ("batch:orders") and receipts call it. The error reports
// every wrong field of cfg together.
func New[T any](name string, sink Sink[T], cfg Config, opts ...Option[T]) (*Batcher[T], error) {
	b := &Batcher[T]{
		name:    name,
		sink:    sink,
		cfg:     cfg.WithDefaults(),
		full:    &Error{Batcher: name, Op: "add", Err: ErrFull},
		wake:    make(chan struct{}, 1),
		halt:    make(chan struct{}),
		tended:  make(chan struct{}),
		hurry:   make(chan struct{}),
		stopped: make(chan struct{}),
		lines:   make(map[string]*line[T]),
	}
	b.letInLocked()
	for _, opt := range opts {
		opt(&b.opts)
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("batch %s: %w", name, err)
	}
	if err := b.hire(); err != nil {
		return nil, fmt.Errorf("batch %s: %w", name, err)
	}
	b.measures = b.opts.key != nil || b.opts.size != nil
	b.simple = b.opts.size == nil && b.cfg.MaxAge == 0
	b.gate = intake.New("batch:"+name, intake.Counted(b.ledger), intake.OnChange(b.gateChanges))
	if b.opts.key == nil {
		b.only = &line[T]{}
	}
	return b, nil
}

func (b *Batcher[T]) check() error {
	errs := []error{b.cfg.Validate()}
	if b.name == "" {
		errs = append(errs, errors.New("name: is empty; errors and receipts need one"))
	}
	if b.sink == nil {
		errs = append(errs, errors.New("sink: is nil; give the function that takes the batches"))
	}
	if b.cfg.MaxBytes > 0 && b.opts.size == nil {
		errs = append(errs, errors.New("max_bytes: needs to know the size of an item; give WithSize"))
	}
	return errors.Join(append(errs, b.checkJournal())...)
}

// Name is the name given to [New].
func (b *Batcher[T]) Name() string { return b.name }

// Gate is the gate at the batcher's entrance; its ledger is the batcher's. To
// drain the gate is to drain the batcher.
func (b *Batcher[T]) Gate() *intake.Gate { return b.gate }

// dispatch starts a flush for whatever may go now, as long as there are slots.
func (b *Batcher[T]) dispatch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.slots < b.cfg.Parallel {
		s := b.nextLocked()
		if s == nil {
			return
		}
		b.slots++
		go b.fly(b.newDelivery(s))
	}
}

// nudgeLocked wakes tend if it could start a flush.
func (b *Batcher[T]) nudgeLocked() {
	if b.slots >= b.cfg.Parallel {
		return // whoever frees a slot looks for more
	}
	b.wakeTend()
}

func (b *Batcher[T]) wakeTend() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// rearm is called when the timer has fired.
func (b *Batcher[T]) rearm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	b.armLocked(time.Now())
}

// armLocked makes the timer fire for the oldest open bundle whose linger is
// not over. Those whose linger is over wait for a slot or for their key, and
// whoever frees that finds them.
func (b *Batcher[T]) armLocked(now time.Time) {
	if b.armed || b.phase != running {
		return
	}
	for s := b.open.first; s != nil; s = s.next {
		if left := b.cfg.Linger - now.Sub(s.since); left > 0 {
			b.armed = true
			b.timer.Reset(left)
			return
		}
	}
}
