package actuator

import (
	"sync"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

const (
	// paceLeast is how much time has to pass between two looks at the ledgers
	// before they say something.
	paceLeast = 100 * time.Millisecond
	// paceGood is the time from which on a look takes the place of the one
	// before, so that who asks often does not shorten what is looked at.
	paceGood = 2 * time.Second
	// paceOld is when a look says nothing about now any more.
	paceOld = time.Minute
)

// pace remembers what was inside when somebody asked how far a drain has come,
// so that a later answer can say how fast it goes. Where nobody asks it costs
// nothing.
type pace struct {
	mu           sync.Mutex
	before, last counted // before is the older; at is zero: there is none
}

// counted is all ledgers at one moment.
type counted struct {
	at      time.Time
	ledgers map[*intake.Gate]intake.Ledger
}

// estimate is how long the slowest gate will take, or "unknown"; empty: there
// is nothing yet to compare with.
func (p *pace) estimate(at time.Time, ledgers map[*intake.Gate]intake.Ledger) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Sub(p.last.at) > paceOld {
		p.before, p.last = counted{}, counted{at, ledgers}
		return ""
	}
	base := p.before
	if at.Sub(base.at) > paceOld {
		base = p.last
	}
	if at.Sub(p.last.at) >= paceGood {
		p.before, p.last = p.last, counted{at, ledgers}
	}
	took := at.Sub(base.at)
	if took < paceLeast {
		return ""
	}
	var longest time.Duration
	for gate, now := range ledgers {
		g := gateRehearsal{Inside: now.Inside}
		longest = max(longest, g.estimate(base.ledgers[gate], now, took))
		if g.Estimate == unknown {
			return unknown
		}
	}
	return rough(longest).String()
}
