package lifecycle

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// patience is how long the conductor waits for its log and its receipt to be
// written.
const patience = 100 * time.Millisecond

// voice writes what the conductor has to say. Whoever reads it may have
// stopped reading (a pager, a log driver that is stuck): then a write never
// returns. So each is made in a goroutine of its own and waited for with
// patience; when that is over, nothing more is said, and the stop goes on.
type voice struct {
	logger atomic.Pointer[zap.Logger]
	mute   atomic.Bool
}

// say calls f with the logger, one call after another while all is well.
func (v *voice) say(f func(*zap.Logger)) {
	if v.mute.Load() {
		return
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		f(v.logger.Load())
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-said:
	case <-timer.C:
		v.mute.Store(true)
	}
}
