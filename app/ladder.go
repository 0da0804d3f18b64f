package app

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// ladder hears the signals of one run:
//
//	1st  a graceful stop; during the start, its cancellation and a rollback
//	2nd  the waiting is cut, every hook is still called
//	3rd  the process exits at once with 128+signal
//
// A signal that comes within [Echo] of the one before is the same one: shells
// and timeout(1) send one to the process and one to its group.
type ladder struct {
	signals chan os.Signal
	first   chan struct{} // closed by the first signal
	done    chan struct{} // closed by close
	owner   sync.WaitGroup

	lastHeard time.Time // of the loop alone

	mu     sync.Mutex
	heard  []os.Signal
	app    *App // nil while constructors run
	passed int  // how many of heard the conductor knows
}

// Echo is how long after a signal another one is taken for a copy of it:
// longer than a copy takes to come, shorter than a person takes to press
// Ctrl-C again.
const Echo = 100 * time.Millisecond

var errInterrupted = errors.New("second signal: not waiting any longer")

// listen hears signals from now on. The caller must call close.
func listen() *ladder {
	l := &ladder{
		signals: make(chan os.Signal, 3),
		first:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	signal.Notify(l.signals, os.Interrupt, syscall.SIGTERM)
	l.owner.Go(l.loop)
	return l
}

func (l *ladder) close() {
	signal.Stop(l.signals)
	close(l.done)
	l.owner.Wait()
}

func (l *ladder) loop() {
	for {
		select {
		case s := <-l.signals:
			l.hear(s)
		case <-l.done:
			return
		}
	}
}

func (l *ladder) hear(s os.Signal) {
	again := time.Since(l.lastHeard) < Echo
	l.lastHeard = time.Now()
	if again {
		return
	}
	l.mu.Lock()
	l.heard = append(l.heard, s)
	n := len(l.heard)
	l.mu.Unlock()
	if n == 3 {
		fmt.Fprintf(os.Stderr, "third signal (%s): exiting at once; what was inside is not accounted for\n", name(s))
		os.Exit(128 + number(s))
	}
	l.pass()
	if n == 1 {
		close(l.first) // after pass, so that the stop finds its cause
	}
}

// conduct hands the signals on to the application, those too that came while
// it was being built.
func (l *ladder) conduct(a *App) {
	l.mu.Lock()
	l.app = a
	l.mu.Unlock()
	l.pass()
}

// pass tells the conductor what it does not know yet.
func (l *ladder) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.app == nil {
		return
	}
	c := l.app.conductor
	for ; l.passed < len(l.heard); l.passed++ {
		switch l.passed {
		case 0:
			c.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: name(l.heard[0])})
			c.CancelStart()
		case 1:
			c.Cut(errInterrupted)
		}
	}
}

func name(s os.Signal) string {
	switch s {
	case os.Interrupt:
		return "SIGINT"
	case syscall.SIGTERM:
		return "SIGTERM"
	default:
		return s.String()
	}
}

func number(s os.Signal) int {
	n, _ := s.(syscall.Signal)
	return int(n)
}
