package actuator

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	rehearsalTime  = time.Second
	shortRehearsal = 100 * time.Millisecond
	longRehearsal  = 10 * time.Second
)

const unknown = "unknown"

// rehearsal says how long a drain would take now.
type rehearsal struct {
	// Over is how long was looked.
	Over  string          `json:"over"`
	Gates []gateRehearsal `json:"gates"`
	// Estimate is the longest of the gates', or "unknown" if one of those is.
	Estimate string `json:"estimate"`
	// AtMost is the longest with what components hand on: see gateRehearsal.
	AtMost string `json:"at_most"`
	// PreStopDelay is what a stop waits before it refuses anything; a drain that
	// is none does not.
	PreStopDelay string `json:"pre_stop_delay"`
	// StopTimeout is what the whole stop has, WaitTime the part of it in which
	// work is waited for; "unknown" before the start.
	StopTimeout string `json:"stop_timeout"`
	WaitTime    string `json:"wait_time"`
	// Fits says whether a stop has the time: "yes" if PreStopDelay and AtMost are
	// within WaitTime, "no" if not even PreStopDelay and Estimate are, "perhaps" in
	// between, or "unknown".
	Fits string `json:"fits"`
	// Notes are what it does not know.
	Notes []string `json:"notes"`
}

type gateRehearsal struct {
	Component     string  `json:"component"`
	Gate          string  `json:"gate"`
	Inside        uint64  `json:"inside"`
	DonePerSecond float64 `json:"done_per_second"`
	CamePerSecond float64 `json:"came_per_second"`
	Estimate      string  `json:"estimate"`
	// AtMost is Estimate, if all that came while looking was handed on by those
	// that are stopped before, and goes on coming until the last of them is done.
	AtMost string `json:"at_most"`
	Why    string `json:"why,omitempty"`
}

// rehearse looks twice at every ledger. What is inside, divided by what was
// finished per second, is how long what is inside now takes to leave (Little's
// law): for a queue that is worked off at full speed as well as for a few
// requests that come and go.
func (a *Actuator) rehearse(w http.ResponseWriter, r *http.Request) error {
	looks, err := spanOf(r, "over", rehearsalTime, shortRehearsal, longRehearsal)
	if err != nil {
		return err
	}
	began := time.Now()
	before := a.ledgers()
	timer := time.NewTimer(looks)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		return problemf(http.StatusServiceUnavailable, "the rehearsal was not finished: %v", r.Context().Err())
	case <-a.life.Done():
		return problemf(http.StatusServiceUnavailable, "the rehearsal was not finished: the server stops")
	}
	took := time.Since(began)
	answer := rehearsal{Over: took.Round(time.Millisecond).String(), Gates: []gateRehearsal{}}
	var all bounds
	known := true
	for _, c := range a.gated() {
		now, err := c.Ledger()
		g := gateRehearsal{Component: c.Name, Gate: c.Gate.Name(), Inside: now.Inside}
		if err != nil {
			g.Estimate, g.AtMost, g.Why = unknown, unknown, err.Error()
		} else {
			least := g.estimate(before[c.Gate], now, took)
			all.least = max(all.least, least)
			all.most = max(all.most, g.handedOn(least, before[c.Gate], now, took, all.most))
		}
		known = known && g.Estimate != unknown
		answer.Gates = append(answer.Gates, g)
	}
	answer.conclude(all, known)
	a.compare(&answer, all, known)
	return a.replyMasked(w, r, http.StatusOK, answer)
}

// bounds are of what a drain takes.
type bounds struct{ least, most time.Duration }

func (a *Actuator) ledgers() map[*intake.Gate]intake.Ledger {
	all := map[*intake.Gate]intake.Ledger{}
	for _, c := range a.gated() {
		all[c.Gate], _ = c.Ledger() // who cannot be asked now cannot be later
	}
	return all
}

// estimate fills in how long this gate would take.
func (g *gateRehearsal) estimate(before, now intake.Ledger, took time.Duration) time.Duration {
	done := now.Finished() - min(before.Finished(), now.Finished())
	g.DonePerSecond = perSecond(done, took)
	switch {
	case now.Inside == 0:
		g.Estimate = "0s"
		return 0
	case done == 0:
		g.Estimate, g.Why = unknown, fmt.Sprintf("nothing was finished in %v; look longer (?over=10s)", took.Round(time.Millisecond))
		return 0
	}
	seconds := float64(now.Inside) / float64(done) * took.Seconds()
	if seconds > math.MaxInt64/float64(time.Second)/2 {
		g.Estimate, g.Why = unknown, "it is beyond all measure"
		return 0
	}
	d := time.Duration(seconds * float64(time.Second))
	g.Estimate = rough(d).String()
	return d
}

// rough takes away digits that nobody knows.
func rough(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// handedOn fills in how long this gate would take, if what came to it goes on
// coming until those before it are done.
func (g *gateRehearsal) handedOn(least time.Duration, before, now intake.Ledger, took, until time.Duration) time.Duration {
	came := now.Accepted - min(before.Accepted, now.Accepted)
	g.CamePerSecond = perSecond(came, took)
	done := now.Finished() - min(before.Finished(), now.Finished())
	most := least
	if done > 0 && came > 0 {
		// As long as the gate needs for what is inside, and for what is to come.
		most += time.Duration(min(float64(until)*float64(came)/float64(done), math.MaxInt64/4))
		most = max(most, until) // nothing is done before it has come
	}
	g.AtMost = rough(most).String()
	if g.Estimate == unknown {
		g.AtMost = unknown
	}
	return most
}

func perSecond(n uint64, took time.Duration) float64 {
	return math.Round(100*float64(n)/took.Seconds()) / 100
}

func (a *rehearsal) conclude(all bounds, known bool) {
	a.Estimate, a.AtMost = rough(all.least).String(), rough(all.most).String()
	if !known {
		a.Estimate, a.AtMost = unknown, unknown
	}
	a.Notes = []string{
		"it is reckoned from what was finished while looking, and from nothing before",
		"a single piece of work may take longer than the mean",
	}
	if len(a.Gates) > 1 {
		a.Notes = append(a.Notes, "at_most takes all that came to a component for handed on by those that are stopped before it")
	}
}

// compare holds the estimate against the time that a stop has.
func (a *Actuator) compare(answer *rehearsal, all bounds, known bool) {
	times := a.conductor.Times()
	answer.PreStopDelay = times.Delay.String()
	answer.StopTimeout, answer.WaitTime, answer.Fits = unknown, unknown, unknown
	if times.Stop == 0 {
		return
	}
	answer.StopTimeout, answer.WaitTime = times.Stop.String(), times.Wait.String()
	switch {
	case !known:
	case times.Delay+all.most <= times.Wait:
		answer.Fits = "yes"
	case times.Delay+all.least <= times.Wait:
		answer.Fits = "perhaps"
	default:
		answer.Fits = "no"
	}
}
