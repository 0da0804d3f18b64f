package lifecycle

import (
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"
)

// Witness is there before everything else and after it: it shows the start and
// the stop to somebody outside, as a management server does. It is no
// component: it has no place in the order, and the receipt does not know it.
type Witness struct {
	// Name is for logs and errors. Zero: the name of the constructor that
	// attends it.
	Name string
	// Open is called before the first OnStart, within the time of the start. An
	// error, a panic or a hang fails the start. Goroutines that it starts are no
	// leaks. Zero: nothing to open.
	Open func(ctx context.Context) error
	// Close is called exactly once, when the receipt is there, also when Open
	// has failed, hangs, or was not called. It has a second, together with the
	// other witnesses, but no more than is left of the stop timeout, and 100 ms
	// if nothing is left. Then it is left to itself: the Stop returns when it
	// has closed, and nothing else waits for it. Zero: nothing to close.
	Close func(ctx context.Context)
}

// What the witnesses have to close: as much as nobody notices, and of a stop
// that has time left enough for a busy machine.
const (
	witnessTime    = 100 * time.Millisecond
	maxWitnessTime = time.Second
)

// attender is what the lifecycle has become where [Module] is given.
type attender interface{ attend(Witness) }

// Attend registers a witness. Where [Module] is not given it degrades to a
// plain [fx.Hook]: first to start and last to stop only if it comes first.
//
// Call it in a constructor. Once the start has begun it is too late to open:
// only Close is called.
func Attend(lc fx.Lifecycle, w Witness) {
	if a, ok := lc.(attender); ok {
		a.attend(w)
		return
	}
	hook := fx.Hook{OnStart: w.Open}
	if w.Close != nil {
		hook.OnStop = func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, witnessTime)
			defer cancel()
			w.Close(ctx)
			return nil
		}
	}
	lc.Append(hook)
}

func (c *Conductor) attend(w Witness) {
	if w.Name == "" {
		w.Name = c.currentOwner().label()
	}
	c.mu.Lock()
	over, late := c.parting, c.state > Constructing
	if !over {
		c.witnesses = append(c.witnesses, w)
	}
	c.mu.Unlock()
	if late {
		c.say(func(log *zap.Logger) {
			log.Warn("witness came too late to be opened: attend it in the constructor, not in OnStart",
				zap.String("witness", w.Name), zap.Bool("will be closed", !over))
		})
	}
}

// openWitnesses opens all witnesses, one after another.
func (c *Conductor) openWitnesses(ctx context.Context) error {
	c.mu.Lock()
	witnesses, grace := c.witnesses, c.config.Grace
	c.mu.Unlock()
	for _, w := range witnesses {
		if w.Open == nil {
			continue
		}
		if err := c.openWitness(ctx, w, grace); err != nil {
			return fmt.Errorf("lifecycle: open witness %s: %w", w.Name, err)
		}
	}
	return nil
}

func (c *Conductor) openWitness(ctx context.Context, w Witness, grace time.Duration) error {
	began := time.Now()
	id := strconv.FormatInt(lastCall.Add(1), 10)
	done := make(chan error, 1)
	go func() {
		// Without the label of the application: what it starts lives longer than
		// the look for leaks. That of the call is for the stack, if it hangs.
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(labelCall, id)))
		runHook(ctx, w.Open, done)
	}()
	return c.await(ctx, done, func() time.Duration { return grace }, func() error {
		where, stack := stackOf(labelCall, id)
		return &HangError{After: time.Since(began), Where: where, Stack: stack, Cause: whyOver(ctx, PhaseStart)}
	})
}

// closeWitnesses closes all witnesses at the same time, and waits for them,
// but not for ever.
func (c *Conductor) closeWitnesses(left time.Duration) {
	c.mu.Lock()
	witnesses := c.witnesses
	c.parting = true
	c.mu.Unlock()
	defer close(c.parted)
	if len(witnesses) == 0 {
		return
	}
	limit := min(max(left, witnessTime), maxWitnessTime)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var closing sync.WaitGroup
	for _, w := range witnesses {
		if w.Close != nil {
			closing.Go(func() { c.closeWitness(ctx, w) })
		}
	}
	if !patiently(limit, closing.Wait) {
		c.say(func(log *zap.Logger) { log.Warn("a witness did not close in time and is left to itself") })
	}
}

func (c *Conductor) closeWitness(ctx context.Context, w Witness) {
	pprof.SetGoroutineLabels(context.Background())
	defer func() {
		if v := recover(); v != nil {
			err := &PanicError{Value: v, Stack: string(debug.Stack())}
			c.say(func(log *zap.Logger) {
				log.Error("witness not closed", zap.String("witness", w.Name), zap.Error(err), zap.String("stack", err.Stack))
			})
		}
	}()
	w.Close(ctx)
}
