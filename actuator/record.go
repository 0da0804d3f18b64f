package actuator

import (
	"context"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Start begins to record what GET /history tells, unless that endpoint is off. It
// returns at once. The recording ends with the application, or with
// [Actuator.Stop]; after that, Start fails. A second Start has no effect.
func (a *Actuator) Start(context.Context) error {
	if !a.has(historyID) || a.recording.Swap(true) {
		return nil
	}
	if !a.work(a.record) {
		return errStopped
	}
	return nil
}

// record takes a sample at each full step, and the last when the application has
// stopped.
func (a *Actuator) record() {
	finished := a.conductor.When(lifecycle.Finished)
	for {
		last := over(finished) // asked first: the sample is of after it
		now := time.Now()
		a.recorder.take(now, a.sample())
		if last {
			return
		}
		timer := time.NewTimer(now.Truncate(historyStep).Add(historyStep).Sub(now))
		select {
		case <-timer.C:
		case <-finished:
		case <-a.life.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// sampled is a component at the time of a sample.
type sampled struct {
	name    string
	numbers []sampledNumber
}

type sampledNumber struct {
	name    string
	value   float64
	counter bool
}

// sample asks all components for their numbers. The last, which has no name, is
// the sum of all ledgers.
func (a *Actuator) sample() []sampled {
	components := a.conductor.Components()
	samples := make([]sampled, 0, len(components)+1)
	var total intake.Ledger
	for _, c := range components {
		s := sampled{name: c.Name}
		if l, err := c.Ledger(); c.Gate != nil && err == nil {
			s.addLedger(l)
			total = total.Plus(l)
		}
		if c.Panel != nil && c.Panel.Metrics != nil && a.live() {
			for _, m := range c.Panel.Metrics() {
				if m.Type != lifecycle.Distribution {
					s.numbers = append(s.numbers, sampledNumber{a.mask().keyOf(m), m.Value, m.Type == lifecycle.Counter})
				}
			}
		}
		samples = append(samples, s)
	}
	all := sampled{}
	all.addLedger(total)
	return append(samples, all)
}

func (s *sampled) addLedger(l intake.Ledger) {
	for _, column := range []struct {
		name string
		n    uint64
	}{
		{"offered", l.Offered}, {"accepted", l.Accepted}, {"rejected", l.Rejected}, {"done", l.Done},
		{"failed", l.Failed}, {"saved", l.Saved}, {"dropped", l.Dropped}, {"lost", l.Lost},
	} {
		s.numbers = append(s.numbers, sampledNumber{column.name, float64(column.n), true})
	}
	s.numbers = append(s.numbers, sampledNumber{"inside", float64(l.Inside), false})
}
