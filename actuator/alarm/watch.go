package alarm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Watch watches the components of one application. Make one with [New]. All
// methods are safe for concurrent use.
type Watch struct {
	conductor *lifecycle.Conductor
	cfg       Config // with defaults
	options   options
	receivers []*receiver // by name
	began     time.Time

	// life ends when Stop cuts: what still runs ends with it.
	life context.Context //nolint:containedctx // it outlives every call: it belongs to the watch
	cut  context.CancelCauseFunc
	jobs sync.WaitGroup // all goroutines but those of health checks
	// checks are the health checks, which may hang.
	checks  sync.WaitGroup
	quit    chan struct{}      // closed by the first Stop
	over    chan struct{}      // closed when nothing is evaluated any more
	news    chan struct{}      // something has happened; one token
	checked chan checked       // what health checks say
	asked   chan chan struct{} // for an evaluation at once; it closes what it gets

	// Only the goroutine that evaluates has these.
	seq     uint64           // of the last event that was looked at
	overdue <-chan time.Time // the soft deadline of the stop; nil: there is none

	mu        sync.Mutex
	started   bool
	opened    bool // all receivers are
	stopped   bool
	host      string
	flushBy   time.Time // until when Flush waits; zero: it was not called
	muted     bool
	lastID    uint64
	things    map[string]*thing // by component
	order     []*thing          // as they came
	history   []Notice          // the last ones, the oldest first
	evaluated time.Time
}

// Option gives the watch a collaborator that no file can name.
type Option func(*options)

type options struct {
	encode  func(any) (json.RawMessage, error)
	trouble func(receiver string, notices int, err error)
}

// WithEncoder makes the statistics in notices be written by f, which takes
// secrets out of them, say. It is called by one goroutine. Without it they are
// as json.Marshal writes them.
func WithEncoder(f func(stats any) (json.RawMessage, error)) Option {
	return func(o *options) { o.encode = f }
}

// WithTrouble has f told of notices that are not delivered to a receiver, and
// why. It is called by many goroutines at once.
func WithTrouble(f func(receiver string, notices int, err error)) Option {
	return func(o *options) { o.trouble = f }
}

// New returns the watch of an application. It starts nothing and touches no
// disk. The error is that of [Config.Validate].
func New(conductor *lifecycle.Conductor, cfg Config, opts ...Option) (*Watch, error) {
	if conductor == nil {
		return nil, errors.New("alarm: the conductor is nil; give the one that lifecycle.Module has made")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("alarm: %w", err)
	}
	w := &Watch{
		conductor: conductor,
		cfg:       cfg.WithDefaults(),
		options: options{
			encode:  func(v any) (json.RawMessage, error) { return json.Marshal(v) },
			trouble: func(string, int, error) {},
		},
		began:   time.Now(),
		quit:    make(chan struct{}),
		over:    make(chan struct{}),
		news:    make(chan struct{}, 1),
		checked: make(chan checked),
		asked:   make(chan chan struct{}),
		things:  map[string]*thing{},
	}
	for _, opt := range opts {
		opt(&w.options)
	}
	w.life, w.cut = context.WithCancelCause(context.Background())
	for name, r := range w.cfg.Receivers {
		w.receivers = append(w.receivers, newReceiver(name, r.withDefaults(), w.options.trouble))
	}
	slices.SortFunc(w.receivers, func(a, b *receiver) int { return compare(a.name, b.name) })
	return w, nil
}

// Start opens the receivers and begins to watch. It returns when all are open;
// an error says which cannot be. Called again, or after Stop, it is an error,
// and nothing is watched.
func (w *Watch) Start(ctx context.Context) error {
	host, _ := os.Hostname() // without it messages have none
	w.mu.Lock()
	late := w.started || w.stopped
	if !late {
		w.started, w.host = true, host
	}
	w.mu.Unlock()
	if late {
		return errors.New("alarm: Start was called twice, or after Stop")
	}
	var errs []error
	for _, r := range w.receivers {
		if err := r.open(ctx); err != nil {
			errs = append(errs, fmt.Errorf("alarm: receiver %s: %w", r.name, err))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		errs = append(errs, errors.New("alarm: Stop was called meanwhile"))
	}
	if len(errs) > 0 {
		close(w.over)
		return errors.Join(errs...)
	}
	w.opened = true
	for _, r := range w.receivers {
		w.jobs.Go(func() { r.run(w.life, w.message) })
	}
	listening, deaf := context.WithCancel(w.life)
	w.jobs.Go(func() { w.listen(listening) })
	w.jobs.Go(func() {
		defer close(w.over)
		defer deaf()
		w.run()
	})
	return nil
}

// listen wakes the evaluation when something happens.
func (w *Watch) listen(ctx context.Context) {
	for seq := uint64(0); ; {
		events, err := w.conductor.Events().Next(ctx, seq)
		if err != nil {
			return
		}
		seq = events[len(events)-1].Seq
		select {
		case w.news <- struct{}{}:
		default: // it knows already
		}
	}
}

// run evaluates until Stop is called. What has happened until then is looked at
// to the last.
func (w *Watch) run() {
	ticker := time.NewTicker(w.cfg.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.evaluate()
			w.checkHealth()
		case <-w.news:
			w.hear()
		case c := <-w.checked:
			w.hearHealth(c)
		case <-w.overdue:
			w.overdue = nil
			w.hearStop()
		case done := <-w.asked:
			w.hear()
			w.hearStop()
			w.evaluate()
			close(done)
		case <-w.quit:
			w.hear()
			return
		}
	}
}

// Flush evaluates once more and waits until everything is delivered or given
// up: within ctx, and no longer than [Config].FlushTimeout for all calls
// together. It belongs into a hook of the Sink band; watching goes on. The
// error says to whom notices are still on their way, or that nothing is
// watched.
func (w *Watch) Flush(ctx context.Context) error {
	w.mu.Lock()
	if w.flushBy.IsZero() {
		w.flushBy = time.Now().Add(w.cfg.FlushTimeout)
	}
	by, started := w.flushBy, w.started
	w.mu.Unlock()
	if !started {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	for _, r := range w.receivers {
		r.hurryUp()
	}
	done := make(chan struct{})
	select {
	case w.asked <- done:
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("alarm: flush: the last evaluation takes too long, a component does not answer: %w", context.Cause(ctx))
		}
	case <-w.over:
	case <-ctx.Done():
		return fmt.Errorf("alarm: flush: there was no time for a last evaluation: %w", context.Cause(ctx))
	}
	var errs []error
	for _, r := range w.receivers {
		if err := r.wait(ctx); err != nil {
			errs = append(errs, fmt.Errorf("alarm: flush: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Stop ends the watch: what has happened until now is still told and delivered
// as long as ctx lasts, then it cuts, and what is left is given up. It returns
// soon after ctx has ended, with an error if something is still running then.
// It may be called when nothing was started, and again.
func (w *Watch) Stop(ctx context.Context) error {
	w.mu.Lock()
	first, started := !w.stopped, w.started
	w.stopped = true
	w.mu.Unlock()
	if !started {
		w.cut(context.Canceled)
		return nil
	}
	if first {
		close(w.quit)
	}
	for _, r := range w.receivers {
		r.hurryUp()
	}
	ended := make(chan struct{})
	go func() { // it ends with those that it waits for
		<-w.over
		for _, r := range w.receivers {
			r.close()
		}
		w.jobs.Wait()
		w.cut(context.Canceled) // a health check that asks a database
		w.checks.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	w.cut(context.Cause(ctx))
	select {
	case <-ended:
		return nil
	case <-time.After(cutGrace):
		return fmt.Errorf("alarm: stop: a component or a receiver does not come back, and is left to itself: %w", context.Cause(ctx))
	}
}

// cutGrace is for those that look at their context.
const cutGrace = 20 * time.Millisecond

// Mute keeps everybody from being told; what is raised is still shown. What
// is still raised when Mute(false) is called is told then.
func (w *Watch) Mute(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = on
}

// Muted reports whether [Watch.Mute] is on.
func (w *Watch) Muted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.muted
}

// message makes a message of notices.
func (w *Watch) message(notices []Notice) Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Message{Service: w.cfg.Service, Host: w.host, PID: os.Getpid(), Notices: notices}
}
