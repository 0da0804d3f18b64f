package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/internal/secret"
)

var lastCall atomic.Int64

// call runs one hook in a goroutine of its own, waits for it until ctx has
// ended and the grace, which is asked for then, is over, and files the report.
// A hook that is abandoned goes on in its goroutine; its report is final all
// the same.
func (c *Conductor) call(ctx context.Context, since time.Time, grace func() time.Duration, comp *component, phase Phase, hook func(context.Context) error) error {
	began := time.Now()
	report := &HookReport{Began: began.Sub(since)}
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil {
		report.Budget = deadline.Sub(began)
	}
	c.runs(comp, phase, began, report.Budget)
	id := strconv.FormatInt(lastCall.Add(1), 10)
	done := make(chan error, 1)
	go func() {
		// What the hook starts inherits the labels; a leak is traced by them.
		// They are in the context too, for goroutines that are started later.
		own := pprof.Labels(labelApp, c.id, labelComponent, comp.name)
		ctx := pprof.WithLabels(ctx, own)
		pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels(labelCall, id)))
		runHook(ctx, c.intercepted(comp, phase, hook), done)
	}()
	err := c.await(ctx, done, grace, func() error {
		where, stack := stackOf(labelCall, id)
		return &HangError{After: time.Since(began), Where: where, Stack: stack, Cause: whyOver(ctx, phase)}
	})
	report.Took = time.Since(began)
	return c.file(comp, phase, report, err)
}

// runs shows the hook to those who ask how far the stop has come.
func (c *Conductor) runs(comp *component, phase Phase, began time.Time, budget time.Duration) {
	hook := &RunningHook{Component: comp.name, Phase: phase, Since: began}
	if budget > 0 {
		hook.Until = began.Add(budget)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	comp.running = hook
}

// whyOver says in words what a deadline only hints at.
func whyOver(ctx context.Context, phase Phase) error {
	err := context.Cause(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%s: %w", [...]string{
		PhaseStart:      "its time to start was over (Budget.Start, fx.StartTimeout)",
		PhaseStop:       "its time to stop was over (Budget, fx.StopTimeout less the reserve)",
		PhasePreDestroy: "its part of the reserve was over",
	}[phase], err)
}

// runHook sends what came of the hook, whichever way it ended.
func runHook(ctx context.Context, hook func(context.Context) error, done chan<- error) {
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: string(debug.Stack())}
		}
		done <- err
	}()
	err = looked(hook(ctx))
}

// looked looks at an error as everybody after us will: one that cannot be
// looked at (a nil pointer in an error) panics here, where it is caught.
func looked(err error) error {
	if err != nil {
		_ = err.Error()
		_ = errors.Is(err, errGoexit)
	}
	return err
}

// readable is err, or, if err cannot be looked at, an error that says so.
func readable(err error) (safe error) {
	defer func() {
		if v := recover(); v != nil {
			safe = fmt.Errorf("an error of type %T that panics when it is looked at: %v", err, v)
		}
	}()
	return looked(err)
}

// await waits for the hook: as long as ctx lives, and the grace, which a cut
// makes shorter.
func (c *Conductor) await(ctx context.Context, done <-chan error, grace func() time.Duration, abandon func() error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	left := grace()
	end := time.Now().Add(left)
	timer := time.NewTimer(left)
	defer timer.Stop()
	for cut := c.wait.Done(); ; {
		select {
		case err := <-done:
			return err
		case <-timer.C:
			return abandon()
		case <-cut:
			cut = nil
			timer.Reset(min(time.Until(end), grace()))
		}
	}
}

func (c *Conductor) file(comp *component, phase Phase, report *HookReport, err error) error {
	report.Outcome = OK
	if err != nil {
		report.Outcome = Failed
		report.err = &HookError{Component: comp.name, Module: comp.module, Phase: phase, Err: err}
		report.Error = secret.Text(report.err.Error())
		var hang *HangError
		var panicked *PanicError
		switch {
		case errors.As(err, &hang):
			report.Outcome, report.Stack = Hung, hang.Stack
		case errors.As(err, &panicked):
			report.Outcome, report.Stack = Panicked, panicked.Stack
		}
	}
	c.mu.Lock()
	comp.reports[phase], comp.running = report, nil
	c.mu.Unlock()
	c.logHook(comp, phase, report)
	return report.err
}

func (c *Conductor) logHook(comp *component, phase Phase, report *HookReport) {
	fields := []zap.Field{
		zap.String("component", comp.name),
		zap.Stringer("band", comp.Band),
		zap.Duration("took", report.Took),
	}
	if comp.module != "" && comp.module != comp.name {
		fields = append(fields, zap.String("module", comp.module))
	}
	if report.err == nil {
		level := zap.InfoLevel
		if phase == PhasePreDestroy {
			level = zap.DebugLevel // the other two say enough when all is well
		}
		c.say(func(log *zap.Logger) { log.Log(level, "component "+phase.done(), fields...) })
		return
	}
	fields = append(fields, zap.String("outcome", string(report.Outcome)), zap.Error(report.err))
	if report.Stack != "" {
		fields = append(fields, zap.String("stack", report.Stack))
	}
	c.say(func(log *zap.Logger) { log.Error("component not "+phase.done(), fields...) })
}
