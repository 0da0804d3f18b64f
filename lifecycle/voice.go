package lifecycle

import (
	"context"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

const (
	// patience is how long the end of a start, and of a stop, waits for what
	// was said to be written.
	patience = 100 * time.Millisecond
	// mostUnsaid bounds what waits for a log that is stuck.
	mostUnsaid = 10_000
)

// voice writes what the conductor has to say, in its order, and never makes it
// wait: whoever reads the log may have stopped reading (a pager, a log driver
// that is stuck), or read slowly. A goroutine writes while there is something
// to write, and ends.
type voice struct {
	logger atomic.Pointer[zap.Logger]

	mu      sync.Mutex
	unsaid  []func(*zap.Logger)
	talking chan struct{} // closed when the goroutine ends; nil: there is none
	dropped int
}

func (v *voice) say(f func(*zap.Logger)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.unsaid) >= mostUnsaid {
		v.dropped++
		return
	}
	v.unsaid = append(v.unsaid, f)
	if v.talking == nil {
		v.talking = make(chan struct{})
		go v.talk()
	}
}

func (v *voice) talk() {
	// It is nobody's hook, whoever's goroutine began it.
	pprof.SetGoroutineLabels(context.Background())
	for {
		v.mu.Lock()
		if len(v.unsaid) == 0 {
			close(v.talking)
			v.talking = nil
			v.mu.Unlock()
			return
		}
		f := v.unsaid[0]
		v.unsaid = v.unsaid[1:]
		v.mu.Unlock()
		shielded(func() { f(v.logger.Load()) })
	}
}

// awaitSaid waits until all is said, for patience at the longest, and returns
// how many lines have not been written by then.
func (v *voice) awaitSaid() (unsaid int) {
	v.mu.Lock()
	talking := v.talking
	v.mu.Unlock()
	if talking != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-talking:
		case <-timer.C:
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.unsaid) + v.dropped
}

// shielded keeps a panic of a logger or a writer from ending the process in
// the middle of a stop. There is nobody it could be told.
func shielded(f func()) {
	defer func() { _ = recover() }()
	f()
}

// patiently waits for f, for d at the longest, and reports whether it is over.
// f goes on in its goroutine if it is not.
func patiently(d time.Duration, f func()) bool {
	over := make(chan struct{})
	go func() {
		defer close(over)
		pprof.SetGoroutineLabels(context.Background())
		shielded(f)
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-over:
		return true
	case <-timer.C:
		return false
	}
}
