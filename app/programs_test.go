package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// programs are what the children run. They speak on the standard output.
var programs = map[string]func() fx.Option{
	"idle":          idleProgram,
	"panics":        panicsProgram,
	"slowStart":     slowStartProgram,
	"slowStop":      slowStopProgram,
	"patientStop":   patientStopProgram,
	"stubbornStop":  stubbornStopProgram,
	"exit42":        exit42Program,
	"manyShutdowns": manyShutdownsProgram,
	"failingStop":   failingStopProgram,
	"failingStart":  failingStartProgram,
	"failingNew":    failingNewProgram,
	"slowNew":       slowNewProgram,
	"losesWork":     losesWorkProgram,
	"savesWork":     savesWorkProgram,
	"serveError":    serveErrorProgram,
	"instead":       insteadProgram,
}

func say(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

// saying is a hook that says what it does.
func saying(lc fx.Lifecycle, name string) {
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       name,
		OnStart:    func(context.Context) error { say("%s started", name); return nil },
		OnStop:     func(context.Context) error { say("%s stopped", name); return nil },
		PreDestroy: func(context.Context) error { say("%s destroyed", name); return nil },
	})
}

func first(lc fx.Lifecycle) { saying(lc, "first") }
func last(lc fx.Lifecycle)  { saying(lc, "last") }

func idleProgram() fx.Option { return fx.Invoke(first, last) }

// stopSoon asks for the stop as soon as everything has started.
func stopSoon(opts ...fx.ShutdownOption) fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, sd fx.Shutdowner) {
		lc.Append(fx.StartHook(func() error { return sd.Shutdown(opts...) }))
	})
}

func panicsProgram() fx.Option {
	return fx.Options(fx.Invoke(first, func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "panics", OnStop: func(context.Context) error { panic("the stop hook is broken") }})
	}), stopSoon())
}

func slowStartProgram() fx.Option {
	return fx.Invoke(first, func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "slow", OnStart: func(ctx context.Context) error {
			say("slow is starting")
			<-ctx.Done()
			say("slow was cancelled: %v", context.Cause(ctx))
			return context.Cause(ctx)
		}})
	})
}

// slowStopProgram takes all the time there is, patientStopProgram more than
// it takes anybody to send a second signal.
func slowStopProgram() fx.Option    { return stopsIn(2 * time.Second) }
func patientStopProgram() fx.Option { return stopsIn(time.Minute) }

func stopsIn(timeout time.Duration) fx.Option {
	return fx.Options(fx.StopTimeout(timeout), fx.Invoke(first, func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "slow",
			OnStop: func(ctx context.Context) error {
				say("slow is stopping")
				deadline, _ := ctx.Deadline()
				<-ctx.Done()
				say("cut early: %t", time.Until(deadline) > timeout/4)
				return nil
			}})
	}))
}

func stubbornStopProgram() fx.Option {
	return fx.Options(fx.StopTimeout(time.Minute), fx.Invoke(first, func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "stubborn", Budget: lifecycle.Budget{Stop: time.Minute},
			OnStop: func(context.Context) error { say("stubborn is stopping"); select {} },
			PreDestroy: func(context.Context) error {
				say("destroying")
				select {}
			}})
	}))
}

var errStop = errors.New("the stop hook has failed")

func failStop(lc fx.Lifecycle) {
	lifecycle.Append(lc, lifecycle.Hook{Name: "fails", OnStop: func(context.Context) error { return errStop }})
}

func exit42Program() fx.Option {
	return fx.Options(fx.Invoke(failStop), stopSoon(fx.ExitCode(42)))
}

func failingStopProgram() fx.Option { return fx.Options(fx.Invoke(failStop), stopSoon()) }

func manyShutdownsProgram() fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, sd fx.Shutdowner) {
		lc.Append(fx.StartHook(func() {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { _ = sd.Shutdown(fx.ExitCode(7)) })
			}
			wg.Wait()
		}))
	})
}

func failingStartProgram() fx.Option {
	return fx.Invoke(first, func(lc fx.Lifecycle) {
		lc.Append(fx.StartHook(func() error { return errors.New("no database") }))
	})
}

func failingNewProgram() fx.Option {
	return fx.Invoke(first, func() error { return errors.New("no configuration") })
}

func slowNewProgram() fx.Option {
	return fx.Invoke(first, func(lc fx.Lifecycle) {
		// Whether the signal was heard by now or a moment later: it must not
		// be lost, nor kill.
		lc.Append(fx.StartHook(func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }))
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, syscall.SIGTERM)
		defer signal.Stop(heard)
		say("constructing")
		<-heard
	})
}

// The work stays inside until PreDestroy, so the drain takes what it is given.
func losesWorkProgram() fx.Option {
	return fx.Options(fx.StopTimeout(time.Second), fx.Invoke(lose), stopSoon())
}

func savesWorkProgram() fx.Option {
	return fx.Options(fx.StopTimeout(time.Second), fx.Invoke(save), stopSoon())
}

func serveErrorProgram() fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, sd fx.Shutdowner) {
		lc.Append(fx.StartHook(func() error {
			return lifecycle.Shutdown(sd, errors.New("the listener broke"))
		}))
	})
}

func insteadProgram() fx.Option {
	return fx.Invoke(first, func(c *lifecycle.Conductor) {
		c.Instead(writeConfig)
	})
}

func writeConfig(w io.Writer) error {
	_, err := fmt.Fprintln(w, "the configuration")
	return err
}

// lose accepts a piece of work and forgets it; save puts it away.
func lose(lc fx.Lifecycle) { acceptOne(lc, (*intake.Visit).Lose) }
func save(lc fx.Lifecycle) { acceptOne(lc, (*intake.Visit).Save) }

func acceptOne(lc fx.Lifecycle, end func(*intake.Visit)) {
	gate := intake.New("inbox")
	var work *intake.Visit
	lifecycle.Append(lc, lifecycle.Hook{Name: "inbox", Gate: gate,
		OnStart:    func(ctx context.Context) (err error) { work, err = gate.Enter(ctx); return err },
		PreDestroy: func(context.Context) error { end(work); return nil },
	})
}
