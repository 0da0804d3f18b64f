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
// The same signal within echo of the last that counted is a copy of it: shells
// and timeout(1) send one to the process and one to its group.
type ladder struct {
	signals chan os.Signal
	// pipe is never read. While somebody is notified of SIGPIPE, a reader of
	// our log that has died (Ctrl-C kills the whole pipeline) is an error of
	// one write; else it is the end of the process.
	pipe  chan os.Signal
	first chan struct{} // closed by the first signal
	done  chan struct{} // closed by close
	owner sync.WaitGroup

	last   os.Signal // the last that counted, and when; of the loop alone
	lastAt time.Time

	mu     sync.Mutex
	heard  []os.Signal
	app    *App // nil while constructors run
	passed int  // how many of heard the conductor knows
}

// echo is longer than a copy of a signal takes to come, and shorter than a
// person takes to press Ctrl-C again.
const echo = 100 * time.Millisecond

var errInterrupted = errors.New("a second signal came")

// listen hears signals from now on. The caller must call close.
func listen() *ladder {
	l := &ladder{
		signals: make(chan os.Signal, 3),
		pipe:    make(chan os.Signal, 1),
		first:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	signal.Notify(l.pipe, syscall.SIGPIPE)
	signal.Notify(l.signals, os.Interrupt, syscall.SIGTERM)
	l.owner.Go(l.loop)
	return l
}

func (l *ladder) close() {
	signal.Stop(l.signals)
	signal.Stop(l.pipe)
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
	if s == l.last && time.Since(l.lastAt) < echo {
		return
	}
	l.last, l.lastAt = s, time.Now()
	l.mu.Lock()
	l.heard = append(l.heard, s)
	n := len(l.heard)
	l.mu.Unlock()
	if n == 3 {
		exitAtOnce(s)
	}
	l.pass()
	if n == 1 {
		close(l.first) // after pass, so that the stop finds its cause
	}
}

// exitAtOnce says so, unless that would take time: a pipe may be full.
func exitAtOnce(s os.Signal) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		fmt.Fprintf(os.Stderr, "third signal (%s): exiting at once; what was inside is not accounted for\n", name(s))
	}()
	select {
	case <-said:
	case <-time.After(echo):
	}
	os.Exit(128 + number(s))
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
