package batchmodule

import (
	"fmt"
	"time"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// From what on somebody is told, by default.
const (
	alarmingShare = 80 // % of the buffer
	alarmingAge   = 30 * time.Second
)

// alarms are read off Stats.
func (p panel) alarms() []lifecycle.Alarm {
	of := func(read func(batch.Stats) float64) func(any) float64 {
		return func(stats any) float64 { return read(stats.(batch.Stats)) }
	}
	refused := lifecycle.Refusals(p.open)
	return []lifecycle.Alarm{
		{
			Name: "capacity", Unit: "%", Threshold: alarmingShare,
			Help: fmt.Sprintf("So much of the buffer is taken; raise %s or %s, or make the sink faster.", p.key("parallel"), p.key("buffer")),
			Of: of(func(s batch.Stats) float64 {
				return 100 * float64(s.Inside) / float64(max(1, s.Limits.Buffer))
			}),
		},
		{
			Name: "reject", Threshold: 1, Grows: true,
			Help: fmt.Sprintf("So many items were refused; raise %s, or make the sink faster.", p.key("buffer")),
			Of:   of(func(s batch.Stats) float64 { return refused(s.Ledger.Rejected) }),
		},
		{
			// A batch may lie as long as it is told to, and its flush takes time.
			Name: "oldest", Unit: "s", Threshold: max(alarmingAge, 2*p.cfg.Linger).Seconds(),
			Help: "So old is the oldest batch; look at what the sink calls.",
			Of:   of(func(s batch.Stats) float64 { return s.Oldest.Seconds() }),
		},
		{
			Name: "failed_flushes", Threshold: 1,
			Help: "So many flushes failed and wait before they try again; look at what the sink calls, or at the dead letters' journal.",
			Of:   of(func(s batch.Stats) float64 { return float64(s.Pausing) }),
		},
		{
			Name: "failed", Threshold: 1, Grows: true,
			Help: "So many items failed for good; see why in the log, or in the dead letters.",
			Of:   of(func(s batch.Stats) float64 { return float64(s.Ledger.Failed) }),
		},
	}
}
