package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// Start runs every OnStart, who is stood upon first, each within its budget
// and all within ctx. When one fails, or ctx ends, or a stop is asked for,
// what was started is stopped again and every PreDestroy runs; that has its
// own time, rollback, and Start returns when it is over, with the error that
// began it joined with those of the stop. It can be called once.
//
// app.App calls it, and Fx where there is none.
func (c *Conductor) Start(ctx context.Context, rollback time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	release := context.AfterFunc(c.wait, func() { cancel(context.Cause(c.wait)) })
	defer release()

	if err := c.beginStart(cancel, rollback); err != nil {
		return err
	}
	err := c.startAll(ctx, rollback)
	if err == nil && c.becomeRunning() {
		c.reached(Started)
		took := time.Since(c.startBegan)
		c.say(func(log *zap.Logger) { log.Info("started", zap.Duration("took", took)) })
		c.awaitSaid()
		return nil
	}
	if err == nil {
		err = context.Cause(ctx) // a stop came while the last hook was starting
	}
	c.say(func(log *zap.Logger) { log.Error("start failed, rolling back", zap.Error(err)) })
	c.mu.Lock()
	c.state = Stopping
	c.mu.Unlock()
	undo, cancelUndo := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancelUndo()
	receipt := c.conduct(undo, reason{cause: Cause{Kind: CauseStartFailed, Err: err}})
	return errors.Join(err, receipt.Err())
}

// Undo runs the PreDestroy of what was constructed when the application
// could not even be built. It does nothing once a start or stop has begun.
func (c *Conductor) Undo(cause error) {
	c.mu.Lock()
	if c.state != Constructing {
		c.mu.Unlock()
		return
	}
	c.state = Stopping
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), c.rollbackTime())
	defer cancel()
	c.conduct(ctx, reason{cause: Cause{Kind: CauseNewFailed, Err: cause}})
}

func (c *Conductor) beginStart(cancel context.CancelCauseFunc, stopTime time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Constructing {
		return fmt.Errorf("lifecycle: cannot start: the application is %s; build a new one to start again", c.state)
	}
	c.enterLocked(Starting)
	c.cancelStart = cancel
	c.startBegan, c.stopTime = time.Now(), stopTime
	// It may have come while constructors ran. (A Shutdowner called in a
	// constructor is another matter: as in Fx, the start goes on.)
	signalled := slices.IndexFunc(c.requests, func(r Cause) bool { return r.Kind == CauseSignal })
	if signalled >= 0 {
		cancel(&stopRequestError{c.requests[signalled]})
		c.cancelStart = nil
	}
	return nil
}

func (c *Conductor) becomeRunning() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancelStart == nil { // a stop took it
		return false
	}
	c.upSince = time.Now()
	c.enterLocked(Running)
	return true
}

func (c *Conductor) startAll(ctx context.Context, stopTimeout time.Duration) error {
	o, err := c.order()
	if err != nil {
		return err
	}
	if err := c.refuse(o); err != nil {
		return err
	}
	if err := c.mark(); err != nil {
		return err
	}
	c.lint(ctx, o, stopTimeout)
	if err := c.openWitnesses(ctx); err != nil {
		return err
	}
	for _, comp := range o.startOrder() {
		if ctx.Err() != nil {
			return fmt.Errorf("lifecycle: before start of %s: %w", comp.name, startOver(ctx))
		}
		if err := c.startOne(ctx, comp); err != nil {
			return err
		}
	}
	return nil
}

// refuse finds what would make the stop fail, while it can still be told.
func (c *Conductor) refuse(o *order) error {
	c.mu.Lock()
	file := c.config.ReceiptFile
	c.mu.Unlock()
	errs := []error{checkReceiptFile(file)}
	for _, comp := range o.components {
		if err := comp.Budget.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("lifecycle: budget of %s: %w", comp.name, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Conductor) startOne(ctx context.Context, comp *component) error {
	c.move(comp, ComponentStarting)
	if comp.OnStart != nil {
		if comp.Budget.Start > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, comp.Budget.Start)
			defer cancel()
		}
		c.mu.Lock()
		grace := c.config.Grace
		c.mu.Unlock()
		if err := c.call(ctx, c.startBegan, func() time.Duration { return grace }, comp, PhaseStart, comp.OnStart); err != nil {
			c.move(comp, ComponentFailed, PhaseStart)
			return err
		}
	}
	c.mu.Lock()
	comp.started = true
	c.mu.Unlock()
	c.move(comp, ComponentStarted, PhaseStart)
	return nil
}

func startOver(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the start timeout was over (fx.StartTimeout): %w", err)
	}
	return err
}
