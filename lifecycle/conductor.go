package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/internal/secretlog"
)

// Conductor starts and stops the components of one application. [Module]
// puts it into the graph; whoever wants to know or wait asks for a
// *Conductor. All methods are safe for concurrent use.
type Conductor struct {
	id     string // tells this application's goroutines apart
	moment [signals]chan struct{}
	asked  chan struct{} // closed by the first use of fx.Shutdowner
	voice
	events  Events
	changes *changes
	drains  drains
	parted  chan struct{} // closed when the last witness has closed

	// wait ends, with ErrCut, when nobody wants to wait any more.
	wait context.Context //nolint:containedctx // it outlives every call: it belongs to the application
	cut  context.CancelCauseFunc

	mu           sync.Mutex
	state        State
	config       Config
	interceptors []Interceptor
	keeper       Keeper // nil: nobody keeps changes for the next start
	constructors constructors
	dot          fx.DotGraph
	graph        *graph // parsed from dot when it is first needed
	ordered      *order // of the components that there were when it was made
	orderErr     error
	components   []*component
	taken        map[string]int // how often each name was asked for
	closed       bool           // the stop is over: nobody can append
	notes        []string       // for the receipt
	requests     []Cause        // who asked for the stop, the first first
	cancelStart  context.CancelCauseFunc
	startBegan   time.Time
	stopTime     time.Duration // what a stop is expected to have; zero: no start has begun
	upSince      time.Time     // zero: not every OnStart has succeeded
	lastRun      LastRun
	earlier      []LastRun // runs before this one, the latest first
	byFx         bool      // Fx has called Start, not app.App
	instead      func(io.Writer) error
	receiptTo    io.Writer // nil: the log
	receipt      *Receipt
	stopping     *stop // nil: no stop has begun
	witnesses    []Witness
	parting      bool // the witnesses are being closed: none comes after them
}

var lastID atomic.Int64

func newConductor(cfg Config) *Conductor {
	c := &Conductor{
		id:           strconv.FormatInt(lastID.Add(1), 10),
		config:       cfg.WithDefaults(),
		taken:        map[string]int{},
		constructors: constructors{outputs: map[string][][]string{}},
	}
	c.asked, c.parted = make(chan struct{}), make(chan struct{})
	c.changes = newChanges()
	for i := range c.moment {
		c.moment[i] = make(chan struct{})
	}
	c.wait, c.cut = context.WithCancelCause(context.Background())
	c.logger.Store(zap.NewNop())
	return c
}

// appendHook registers a component.
func (c *Conductor) appendHook(h Hook) {
	o := c.currentOwner()
	if h.Name == "" {
		h.Name = o.label()
	}
	c.mu.Lock()
	name := secret.Text(h.Name) // whoever names a client by its URL
	if name == "" {
		name = "hook"
	}
	name = c.uniqueLocked(name)
	if c.closed {
		c.mu.Unlock()
		c.say(func(log *zap.Logger) {
			log.Warn("hook appended when everything had been stopped: nothing of it runs", zap.String("component", name))
		})
		return
	}
	h.Band = min(max(h.Band, Ingress), Sink)
	comp := &component{Hook: h, name: name, module: o.module, owner: o, index: len(c.components), late: c.state > Constructing}
	comp.state, comp.since = ComponentConstructed, time.Now()
	comp.tuning = newTuning(c.id, name, h.Panel)
	if h.Panel != nil {
		comp.Panel = h.Panel.shielded(&comp.tuning.panics, func(ctx context.Context, values map[string]any) error {
			_, err := c.Turn(ctx, name, Change{Values: values})
			return err
		}, func(ctx context.Context, a Act) (any, error) {
			answer, _, err := c.Act(ctx, name, a)
			return answer, err
		})
	}
	c.components = append(c.components, comp)
	if comp.late {
		c.notes = append(c.notes, name+" was appended when the start had begun: it was not started, only its PreDestroy runs")
	}
	c.mu.Unlock()
	if comp.late {
		c.say(func(log *zap.Logger) {
			log.Warn("hook appended too late to run: append it in the constructor, not in OnStart",
				zap.String("component", name), zap.String("module", o.module))
		})
	}
}

// uniqueLocked numbers names that were given before.
func (c *Conductor) uniqueLocked(name string) string {
	unique := name
	for c.taken[unique] > 0 {
		c.taken[name]++
		unique = fmt.Sprintf("%s#%d", name, c.taken[name])
	}
	c.taken[unique] = 1
	return unique
}

// appendedSince returns the components after the first n. When there are
// none, none can be appended from now on.
func (c *Conductor) appendedSince(n int) []*component {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = len(c.components) == n
	return slices.Clone(c.components[n:])
}

// LogTo sends what the conductor has to say to l. Without it nothing is
// logged; [Module] calls it with the *zap.Logger of the graph if there is one.
func (c *Conductor) LogTo(l *zap.Logger) {
	// Its lines are about components, not about a place in this package, and
	// have what those say of their errors.
	c.logger.Store(l.WithOptions(zap.WithCaller(false), secretlog.Hide()))
}

// State is the state at this moment.
func (c *Conductor) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Ready reports whether everything has started, no stop has begun and nobody has
// drained it: readiness, as an orchestrator asks for it.
func (c *Conductor) Ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == Running && c.drains.by == nil
}

// When returns a channel that is closed when the moment has come.
func (c *Conductor) When(s Signal) <-chan struct{} { return c.moment[s] }

// enterLocked brings the application into its next state and tells of it. Of
// a stop conduct tells, which knows why.
func (c *Conductor) enterLocked(s State) {
	c.state = s
	if s == Starting || s == Running {
		c.events.add(Event{Kind: EventState, Text: s.String(), Data: StateChange{State: s}})
	}
}

func (c *Conductor) reached(s Signal) { close(c.moment[s]) }

// Asked returns a channel that is closed when a component has asked for the
// stop through fx.Shutdowner or [Shutdown]. Fx's own Wait then has the answer
// ready, with the exit code.
func (c *Conductor) Asked() <-chan struct{} { return c.asked }

// Because records why a stop is about to come. The first cause is the
// receipt's; the others are kept beside it.
func (c *Conductor) Because(cause Cause) {
	cause.Err = readable(cause.Err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, cause)
}

// Cut ends all waiting: of the start, which is rolled back, and of the stop,
// of which every hook still to come is called with a context that has ended
// and a short grace. Those contexts' cause matches [ErrCut] and the cause
// given here, if it is not nil. It does not begin a stop. The first call
// decides.
func (c *Conductor) Cut(cause error) {
	switch {
	case cause == nil:
		cause = ErrCut
	case !errors.Is(cause, ErrCut):
		cause = fmt.Errorf("%w: %w", ErrCut, cause)
	}
	c.cut(cause)
}

// Timeouts are the totals that the [Config] gives in place of those of Fx;
// zero: those of Fx hold.
func (c *Conductor) Timeouts() (start, stop time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config.StartTimeout, c.config.StopTimeout
}

// Instead makes [app.App.Run] call f with the standard output and exit, in
// place of starting anything: what --print-config and --help do. The last
// call holds. The stop that tidies up after it is not a stop that anybody
// wants to hear of: its receipt is neither logged nor written.
//
// [app.App.Run]: https://pkg.go.dev/github.com/lastcall-go/lastcall/app#App.Run
func (c *Conductor) Instead(f func(io.Writer) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead = f
}

// Replacement is what [Conductor.Instead] was given, or nil.
func (c *Conductor) Replacement() func(io.Writer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instead
}

// PrintReceipt makes the conductor print the receipt to w in the form for a
// person, and leave it out of the last log line, which else carries it whole.
func (c *Conductor) PrintReceipt(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receiptTo = w
}

// Receipt is the report of the stop, or nil before it has finished. The
// receipt must not be changed.
func (c *Conductor) Receipt() *Receipt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.receipt
}

// order is the order of the components that are registered now.
func (c *Conductor) order() (*order, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ordered == nil || len(c.ordered.components) != len(c.components) {
		c.needGraphLocked()
		c.ordered, c.orderErr = newOrder(slices.Clone(c.components), c.graph)
	}
	return c.ordered, c.orderErr
}
