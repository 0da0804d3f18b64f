package poolmodule

import (
	"fmt"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// From what on somebody is told, by default.
const (
	alarmingShare = 80 // % of the queue
	alarmingCrew  = 95 // % of the workers
	alarmingWait  = 30 // s in the queue
	alarmingRun   = 60 // s of one task
)

// alarms are read off Stats. A pool knows no time limit of a task: that it runs
// or waits too long is seen from the one that does so for longest.
func (p poolPanel) alarms() []lifecycle.Alarm {
	of := func(read func(pool.Stats) float64) func(any) float64 {
		return func(stats any) float64 { return read(stats.(pool.Stats)) }
	}
	refused := lifecycle.Refusals(func() (lifecycle.Health, bool) { return lifecycle.GateHealth(p.Gate()) })
	return []lifecycle.Alarm{
		{
			Name: "capacity", Unit: "%", Threshold: alarmingShare,
			Help: fmt.Sprintf("So much of the queue is taken, and soon %s; raise %s or %s, or slow down who submits.", p.fateSoon(), p.key("workers"), p.key("queue")),
			Of: of(func(s pool.Stats) float64 {
				return share(s.Queued+s.Retrying+s.Entering, s.Capacity)
			}),
		},
		{
			Name: "liveness", Unit: "%", Threshold: alarmingCrew,
			Help: fmt.Sprintf("So many of the workers that there may be are busy; raise %s, or look at what the tasks wait for.", p.key("workers")),
			Of:   of(func(s pool.Stats) float64 { return share(s.Busy, s.Limits.Workers) }),
		},
		{
			Name: "reject", Threshold: 1, Grows: true,
			Help: fmt.Sprintf("So many tasks were refused or thrown away; raise %s or %s, or choose another %s.", p.key("workers"), p.key("queue"), p.key("policy")),
			Of:   of(func(s pool.Stats) float64 { return refused(s.Ledger.Rejected + s.Ledger.Dropped) }),
		},
		{
			Name: "run_timeout", Unit: "s", Threshold: alarmingRun,
			Help: "So long a task has been running; see which one, and where, by inspecting the pool.",
			Of:   of(func(s pool.Stats) float64 { return s.LongestRun.Seconds() }),
		},
		{
			Name: "queue_timeout", Unit: "s", Threshold: alarmingWait,
			Help: fmt.Sprintf("So long the oldest has been waiting for a worker; raise %s, or look at what the tasks wait for.", p.key("workers")),
			Of:   of(func(s pool.Stats) float64 { return s.OldestWait.Seconds() }),
		},
	}
}

func (p poolPanel) fateSoon() string {
	if p.cfg.Policy == pool.Block {
		return "submitters will wait"
	}
	return p.fate(0)
}

// alarms are those of the items; where they wait and run is the pool's matter.
func (l lanePanel) alarms() []lifecycle.Alarm {
	of := func(read func(pool.LaneStats) float64) func(any) float64 {
		return func(stats any) float64 { return read(stats.(pool.LaneStats)) }
	}
	refused := lifecycle.Refusals(l.open)
	return []lifecycle.Alarm{
		{
			Name: "reject", Threshold: 1, Grows: true,
			Help: "So many items were refused or thrown away; see the alarms of its pool.",
			Of:   of(func(s pool.LaneStats) float64 { return refused(s.Ledger.Rejected + s.Ledger.Dropped) }),
		},
		{
			Name: "failed", Threshold: 1, Grows: true,
			Help: "So many items failed for good, a time limit or an age among the reasons; see why in the log, or in the dead letters.",
			Of:   of(func(s pool.LaneStats) float64 { return float64(s.Ledger.Failed) }),
		},
		{
			Name: "burying", Threshold: 1,
			Help: "So many items failed for good and the dead letters do not take them; look at the journal's health.",
			Of:   of(func(s pool.LaneStats) float64 { return float64(s.Burying) }),
		},
	}
}

// share is a part of the whole in percent. Of nothing, nothing is taken.
func share(part, whole int) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
