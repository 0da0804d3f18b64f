package alarm

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Sink is where messages go: a webhook, a log, or something of your own. If it
// has a method Open(ctx) error, that is called when the watch starts.
type Sink interface {
	// Send delivers one message. It should return soon after ctx has ended. An
	// error of [Permanent] is not tried again, any other is. It is called by
	// several goroutines at once only while somebody tests the receiver.
	Send(ctx context.Context, m Message) error
}

// Permanent marks an error that would come again.
func Permanent(err error) error { return backoff.Permanent(err) }

// IsPermanent reports whether err is one of [Permanent].
func IsPermanent(err error) bool {
	var permanent *backoff.PermanentError
	return errors.As(err, &permanent)
}

// The defaults of [Receiver].
const (
	DefaultTimeout  = 5 * time.Second
	DefaultAttempts = 4
	DefaultQueue    = 100
	MaxQueue        = 10_000
)

// mostNotices bounds a message: what the platforms take is bounded too.
const mostNotices = 10

// The delays between two attempts.
const (
	firstDelay = 500 * time.Millisecond
	mostDelay  = 15 * time.Second
)

// Receiver is who can be told.
type Receiver struct {
	// Sink must be given.
	Sink Sink
	// Timeout bounds one attempt. Zero: 5 s.
	Timeout time.Duration
	// Attempts is how often a message is tried. Zero: 4.
	Attempts int
	// Interval is the least time between two messages; what comes meanwhile
	// goes into the next one. Zero: none.
	Interval time.Duration
	// Queue is how many notices may wait, at most [MaxQueue]; more are given up.
	// Zero: 100.
	Queue int
}

func (r Receiver) withDefaults() Receiver {
	r.Timeout = first(r.Timeout, DefaultTimeout)
	r.Attempts = first(r.Attempts, DefaultAttempts)
	r.Queue = first(r.Queue, DefaultQueue)
	return r
}

func (r Receiver) validate() error {
	var errs []error
	if r.Sink == nil {
		errs = append(errs, errors.New("type: it has no sink; give it one"))
	}
	for _, f := range []struct {
		name  string
		value int64
		like  string
	}{{"timeout", int64(r.Timeout), "5s"}, {"attempts", int64(r.Attempts), "4"}, {"interval", int64(r.Interval), "3s"}, {"queue", int64(r.Queue), "100"}} {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("%s: is negative; give a value such as %s, or leave it out", f.name, f.like))
		}
	}
	if r.Queue > MaxQueue {
		errs = append(errs, fmt.Errorf("queue: is %d; give at most %d, and nobody reads as many", r.Queue, MaxQueue))
	}
	return errors.Join(errs...)
}

// The errors of notices that never came to be sent.
var (
	errFull   = errors.New("its queue is full: it is slow, or cannot be reached")
	errClosed = errors.New("it is closed: the process ends")
)

// receiver is one receiver with its queue.
type receiver struct {
	name string
	Receiver
	trouble func(receiver string, notices int, err error)
	queue   chan *Notice
	closing chan struct{} // closed by close: what is queued is still sent
	hurry   chan struct{} // closed by hurryUp
	testing chan struct{} // one token: whoever has it tests the receiver
	once    struct{ close, hurry sync.Once }

	mu      sync.Mutex
	pending int
	idle    chan struct{} // closed when nothing is pending; nil: nobody waits
	full    bool          // a notice found no room, and that was told
	untold  int           // those after it
	counts  ReceiverStatus
}

func newReceiver(name string, r Receiver, trouble func(string, int, error)) *receiver {
	return &receiver{
		name: name, Receiver: r, trouble: trouble,
		queue: make(chan *Notice, r.Queue), closing: make(chan struct{}), hurry: make(chan struct{}),
		testing: make(chan struct{}, 1),
	}
}

func (r *receiver) open(ctx context.Context) error {
	if s, ok := r.Sink.(interface{ Open(context.Context) error }); ok {
		return s.Open(ctx)
	}
	return nil
}

// add queues a notice. It never waits.
func (r *receiver) add(n *Notice) {
	select {
	case <-r.closing:
		r.drop(errClosed)
		return
	default:
	}
	r.mu.Lock()
	r.pending++
	r.mu.Unlock()
	select {
	case r.queue <- n:
	default:
		r.settled(1)
		r.drop(errFull)
	}
}

// drop counts a notice that is not sent. When a thousand components need
// somebody at once, that there is no room is told once, and after the next
// message how often that was.
func (r *receiver) drop(err error) {
	r.mu.Lock()
	r.counts.Dropped++
	r.counts.LastError = err.Error()
	full := errors.Is(err, errFull)
	first := !full || !r.full
	if first {
		r.full = full
	} else {
		r.untold++
	}
	r.mu.Unlock()
	if first {
		r.trouble(r.name, 1, err)
	}
}

// tellDropped tells of those that have found no room since that was told.
func (r *receiver) tellDropped() {
	r.mu.Lock()
	n := r.untold
	r.full, r.untold = false, 0
	r.mu.Unlock()
	if n > 0 {
		r.trouble(r.name, n, errFull)
	}
}

// run delivers until the receiver is closed and its queue is empty.
func (r *receiver) run(life context.Context, message func([]Notice) Message) {
	for {
		select {
		case n := <-r.queue:
			r.send(life, message, n)
			r.pause(life)
		case <-r.closing:
			select {
			case n := <-r.queue:
				r.send(life, message, n)
			default:
				return
			}
		}
	}
}

// send delivers a notice, with those that wait behind it.
func (r *receiver) send(life context.Context, message func([]Notice) Message, n *Notice) {
	notices := []Notice{*n}
	for len(notices) < mostNotices {
		select {
		case n := <-r.queue:
			notices = append(notices, *n)
			continue
		default:
		}
		break
	}
	err := r.deliver(life, message(notices))
	r.mu.Lock()
	if err == nil {
		r.counts.Delivered += uint64(len(notices))
		r.counts.LastError = ""
	} else {
		r.counts.Failed += uint64(len(notices))
		r.counts.LastError = err.Error()
	}
	r.mu.Unlock()
	if err != nil {
		r.trouble(r.name, len(notices), err)
	}
	r.tellDropped()
	r.settled(len(notices))
}

// deliver tries until it succeeds, the attempts are used up, or life ends.
func (r *receiver) deliver(life context.Context, m Message) error {
	if life.Err() != nil {
		return fmt.Errorf("%w: %w", errClosed, context.Cause(life))
	}
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval = firstDelay, mostDelay
	var last error
	_, err := backoff.Retry(life, func() (struct{}, error) {
		last = r.attempt(life, m)
		return struct{}{}, last
	}, backoff.WithBackOff(delays), backoff.WithMaxTries(uint(r.Attempts)), backoff.WithMaxElapsedTime(0))
	var later *backoff.RetryAfterError
	if err != nil && life.Err() != nil && !errors.As(last, &later) {
		return last // it says more than that the end has come
	}
	return err
}

// attempt calls the sink once. A panic of it is not tried again.
func (r *receiver) attempt(ctx context.Context, m Message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = Permanent(fmt.Errorf("it panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	return r.Sink.Send(ctx, m)
}

// pause keeps the interval, unless there is a hurry.
func (r *receiver) pause(life context.Context) {
	if r.Interval == 0 {
		return
	}
	timer := time.NewTimer(r.Interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.hurry:
	case <-r.closing:
	case <-life.Done():
	}
}

func (r *receiver) settled(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending -= n; r.pending == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// wait waits until nothing is pending.
func (r *receiver) wait(ctx context.Context) error {
	r.mu.Lock()
	pending := r.pending
	if pending > 0 && r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	if pending == 0 {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d notices are still on their way to %s: %w", pending, r.name, context.Cause(ctx))
	}
}

func (r *receiver) hurryUp() { r.once.hurry.Do(func() { close(r.hurry) }) }
func (r *receiver) close()   { r.once.close.Do(func() { close(r.closing) }) }
