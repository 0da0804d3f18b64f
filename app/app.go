package app

import (
	"context"
	"io"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// App is an [fx.App] whose stop skips nothing. Make one with [New].
type App struct {
	*fx.App

	conductor *lifecycle.Conductor
	log       *eventLog
	// receiptPrinted: PrintReceipt has said where.
	receiptPrinted bool
}

// New builds the application from the options, as [fx.New] does: constructors
// run, nothing starts. It adds [lifecycle.Module] (unless the options have
// one), [fx.RecoverFromPanics], and an event log through the *zap.Logger of
// the graph, or, where there is none, to the standard error.
//
// Options come after ours, so an fx.WithLogger among them takes the place of
// the event log; see [lifecycle.Conductor.Tap] for what it then should do.
func New(opts ...fx.Option) *App {
	a := &App{log: newEventLog()}
	ours := []fx.Option{
		fx.RecoverFromPanics(),
		fx.WithLogger(func(c *lifecycle.Conductor) fxevent.Logger {
			a.conductor = c
			return c.Tap(a.log)
		}),
		fx.Invoke(a.collect),
	}
	if !lifecycle.Given(opts...) {
		ours = append([]fx.Option{lifecycle.Module()}, ours...)
	}
	a.App = fx.New(append(ours, opts...)...)
	if a.Err() != nil && a.conductor != nil {
		// Fx's error hook has done it, unless the error came before.
		a.conductor.Undo(a.Err())
	}
	return a
}

// receiptWriter is how PrintReceipt travels through the graph.
type receiptWriter struct{ io.Writer }

// PrintReceipt makes the application print the receipt of its stop to w in the
// form for a person; the last log line then carries only its sum. Without it
// [App.Run] does so when the standard error is a terminal.
func PrintReceipt(w io.Writer) fx.Option { return fx.Supply(receiptWriter{w}) }

type collectIn struct {
	fx.In

	Conductor *lifecycle.Conductor
	Logger    *zap.Logger   `optional:"true"`
	ReceiptTo receiptWriter `optional:"true"`
}

// collect takes from the graph what the application needs for itself.
func (a *App) collect(in collectIn) {
	a.conductor = in.Conductor // also when an option has replaced the event log
	if w := in.ReceiptTo.Writer; w != nil {
		a.receiptPrinted = true
		a.conductor.PrintReceipt(w)
	}
	if in.Logger != nil {
		a.log.use(in.Logger)
		return
	}
	a.conductor.LogTo(a.log.useFallback())
}

// StartTimeout is the total of a start that [App.Run] makes: start_timeout of
// [lifecycle.Config], or, where that is zero, fx.StartTimeout.
func (a *App) StartTimeout() time.Duration {
	if a.conductor != nil {
		if start, _ := a.conductor.Timeouts(); start > 0 {
			return start
		}
	}
	return a.App.StartTimeout()
}

// StopTimeout is the total of a stop that [App.Run] makes, and of the rollback
// of a start: stop_timeout of [lifecycle.Config], or, where that is zero,
// fx.StopTimeout.
func (a *App) StopTimeout() time.Duration {
	if a.conductor != nil {
		if _, stop := a.conductor.Timeouts(); stop > 0 {
			return stop
		}
	}
	return a.App.StopTimeout()
}

// Start starts the components, who is stood upon first. ctx bounds it; a
// start that fails is rolled back in a time of its own, the stop timeout, and
// Start returns when that is over.
func (a *App) Start(ctx context.Context) error {
	if err := a.Err(); err != nil {
		return err
	}
	if err := a.conductor.Start(ctx, a.StopTimeout()); err != nil {
		return err
	}
	// Brings Fx's own state along; its one hook finds the work done.
	return a.App.Start(context.WithoutCancel(ctx))
}

// Stop stops the components; the deadline of ctx is the total. See
// [lifecycle.Conductor.Stop]. It may be called at any time, also when the
// application was never started.
func (a *App) Stop(ctx context.Context) error {
	if a.conductor == nil {
		return a.Err() // the graph was refused before there was anything
	}
	err := a.conductor.Stop(ctx)
	if a.Receipt() == nil {
		return err // ctx has ended while another caller's stop goes on
	}
	// Brings Fx's own state along; its error is the same, if it has one.
	if fxErr := a.App.Stop(context.WithoutCancel(ctx)); err == nil {
		return fxErr
	}
	return err
}

// Conductor is the application's conductor: its state, the signals one can
// wait for, the plan. Nil if the graph was refused before there was one.
func (a *App) Conductor() *lifecycle.Conductor { return a.conductor }

// Receipt is the report of the stop, or nil before it has finished.
func (a *App) Receipt() *lifecycle.Receipt {
	if a.conductor == nil {
		return nil
	}
	return a.conductor.Receipt()
}
