package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"golang.org/x/term"

	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Run builds an application and runs it: New(opts...).Run(), but signals are
// heard from the first line on, while constructors still run.
func Run(opts ...fx.Option) {
	s := listen()
	exit(s.run(func() *App { return New(opts...) }))
}

// Run starts the application, waits for a signal or for fx.Shutdowner, stops
// it, and exits the process with the code that [lifecycle.Receipt.ExitCode]
// gives, or that fx.ExitCode asked for. Like [fx.App.Run] it returns only
// when the code is 0.
//
// The first SIGINT or SIGTERM stops, or cancels a start; the second cuts the
// waiting, but still every hook is called; the third exits at once with
// 128+signal.
func (a *App) Run() {
	s := listen()
	exit(s.run(func() *App { return a }))
}

func exit(code int) {
	if code != lifecycle.ExitClean {
		os.Exit(code)
	}
}

func (l *ladder) run(build func() *App) (code int) {
	defer l.close()
	a := build()
	if err := a.Err(); err != nil {
		fmt.Fprintln(os.Stderr, secret.Text(buildError(err)))
		return lifecycle.ExitStartFailed
	}
	if f := a.conductor.Replacement(); f != nil {
		return a.runInstead(f)
	}
	if !a.receiptPrinted && term.IsTerminal(int(os.Stderr.Fd())) {
		a.conductor.PrintReceipt(os.Stderr)
	}
	// The rest of the ladder goes to the conductor from here on.
	l.conduct(a)

	start, cancel := context.WithTimeout(context.Background(), a.StartTimeout())
	err := a.Start(start)
	cancel()
	if err != nil {
		return a.codeOfFailedStart()
	}
	l.await(a)
	return a.stopAndReport()
}

// codeOfFailedStart waits for the rollback, or for a stop that somebody began
// in the same moment as the start ended.
func (a *App) codeOfFailedStart() int {
	if a.conductor.State() < lifecycle.Stopping {
		return lifecycle.ExitStartFailed
	}
	// It waits for that stop, and until the witnesses have closed.
	_ = a.conductor.Stop(context.Background())
	return a.Receipt().ExitCode()
}

// errorFrom finds, in what Fx says, the constructor that returned the error.
var errorFrom = regexp.MustCompile(`received non-nil error from function (\S+ \([^)]*\))`)

// buildError says what went wrong. The way on which Fx came there is left out
// but for its end: it says little, and that at length.
func buildError(err error) string {
	root := dig.RootCause(err)
	text := fmt.Sprintf("cannot build the application: %v", root)
	if from := errorFrom.FindStringSubmatch(err.Error()); from != nil {
		text += "\nreturned by " + from[1]
	}
	return text
}

// runInstead does what an option asked for in place of a start, and destroys
// what was constructed.
func (a *App) runInstead(f func(io.Writer) error) int {
	// The answer is what was asked for, not how we end.
	a.conductor.LogTo(zap.NewNop())
	a.conductor.PrintReceipt(io.Discard)
	stop, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
	defer cancel()
	if err := errors.Join(f(os.Stdout), a.Stop(stop)); err != nil {
		fmt.Fprintln(os.Stderr, secret.Text(err.Error()))
		return lifecycle.ExitStartFailed
	}
	return lifecycle.ExitClean
}

// await waits until somebody wants the stop.
func (l *ladder) await(a *App) {
	select {
	case <-l.first:
	case <-a.conductor.Asked():
	case <-a.conductor.When(lifecycle.NotReady): // somebody called App.Stop
	}
}

func (a *App) stopAndReport() int {
	asked := a.askedCode()
	stop, cancel := context.WithTimeout(context.Background(), a.StopTimeout())
	defer cancel()
	// The error is in the receipt.
	_ = a.Stop(stop)
	<-a.conductor.When(lifecycle.Finished)
	if a.Receipt().Cause.Kind == lifecycle.CauseShutdown && asked != 0 {
		return asked
	}
	return a.Receipt().ExitCode()
}

// askedCode is what fx.ExitCode asked for, if fx.Shutdowner was used. Fx's
// Wait has the answer then; before, it must not be called, since it listens to
// signals, which are ours.
func (a *App) askedCode() int {
	select {
	case <-a.conductor.Asked():
		return (<-a.App.Wait()).ExitCode
	default:
		return 0
	}
}
