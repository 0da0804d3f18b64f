package lifecycletest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Component is what [Stress] starts and stops: a core of ours, or yours.
type Component interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Funcs makes a [Component] of two functions. One that is nil does nothing.
type Funcs struct {
	OnStart func(ctx context.Context) error
	OnStop  func(ctx context.Context) error
}

// Start calls OnStart.
func (f Funcs) Start(ctx context.Context) error { return f.call(ctx, f.OnStart) }

// Stop calls OnStop.
func (f Funcs) Stop(ctx context.Context) error { return f.call(ctx, f.OnStop) }

func (Funcs) call(ctx context.Context, fn hook) error {
	if fn == nil {
		return nil
	}
	return fn(ctx)
}

const (
	stressRounds     = 50
	stressGoroutines = 10
	// stressPatience is how long a round may take before it counts as a
	// deadlock, and stressGoodbye how long the last goroutines may take to
	// end after the last Stop has returned.
	stressPatience = 30 * time.Second
	stressGoodbye  = time.Second

	stressLabel = "lastcall.stress"
)

// Stress starts and stops a component from 10 goroutines at the same time, 50
// times, each time a new one: half of them start first, half of them stop
// first, so it meets Stop before Start, beside Start, and twice. Start and
// Stop may return errors. Stress fails the test when one of them panics, when
// a round does not end within 30 s, or when goroutines are left after the
// last Stop has returned. It needs no race detector, but is worth more with
// it.
//
// build is called by one goroutine at a time. A component that makes use of
// the network needs a port of its own each time (":0").
func Stress(t TB, build func() Component) {
	t.Helper()
	for round := range stressRounds {
		if problem := stressOnce(build()); problem != "" {
			t.Errorf("lifecycletest: round %d: %s", round+1, problem)
			return
		}
	}
}

var lastStress atomic.Int64

// stressOnce is one round. It returns what went wrong.
func stressOnce(c Component) (problem string) {
	id := strconv.FormatInt(lastStress.Add(1), 10)
	// Goroutines inherit the label: those that are left carry it.
	label := pprof.WithLabels(context.Background(), pprof.Labels(stressLabel, id))
	var mu sync.Mutex
	try := func(what string, f hook) {
		defer func() {
			if v := recover(); v != nil {
				mu.Lock()
				problem = fmt.Sprintf("%s panicked: %v\n%s", what, v, debug.Stack())
				mu.Unlock()
			}
		}()
		_ = f(context.Background()) // errors are allowed
	}

	begin, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		pprof.SetGoroutineLabels(label)
		var wg sync.WaitGroup
		for i := range stressGoroutines {
			wg.Go(func() {
				<-begin
				if i%2 == 0 {
					try("Start", c.Start)
				}
				try("Stop", c.Stop)
				if i%2 == 1 {
					try("Start", c.Start)
				}
			})
		}
		close(begin)
		wg.Wait()
		// A Start may have come last and, against the rules, succeeded.
		try("Stop", c.Stop)
	}()
	timer := time.NewTimer(stressPatience)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
		return "deadlock: Start or Stop has not returned for " + stressPatience.String() + "\n" + strings.Join(labelled(id), "\n\n")
	}
	mu.Lock()
	defer mu.Unlock()
	if problem == "" {
		problem = leftBehind(id)
	}
	return problem
}

// leftBehind waits a little for goroutines that are just ending.
func leftBehind(id string) string {
	const pause = time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		left := labelled(id)
		if len(left) == 0 {
			return ""
		}
		if waited >= stressGoodbye {
			return "goroutines are left after the last Stop has returned\n" + strings.Join(left, "\n\n")
		}
		time.Sleep(pause)
	}
}

// labelled returns the goroutines of a round as the goroutine profile prints
// them.
func labelled(id string) []string {
	var profile bytes.Buffer
	// A bytes.Buffer takes everything.
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1)
	var found []string
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(block, fmt.Sprintf("%q:%q", stressLabel, id)) {
			found = append(found, block)
		}
	}
	return found
}
