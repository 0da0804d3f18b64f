package pool

import (
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

// LaneStats is a picture of a lane at one moment. All but InJournal and
// Unreadable was read under one lock.
type LaneStats struct {
	Name string `json:"name"`
	Pool string `json:"pool"`
	// Queued, Running, Retrying and Leftover are what is inside: waiting for
	// a worker, in the hands of a handler, the dead letters or a hook, waiting
	// for the next try, handed back and not settled.
	Queued   int `json:"queued"`
	Running  int `json:"running"`
	Retrying int `json:"retrying"`
	Leftover int `json:"leftover"`
	// Burying is how many of Retrying failed for good, and wait until the dead
	// letters take them.
	Burying int           `json:"burying"`
	Ledger  intake.Ledger `json:"ledger"`

	// Journal is when items are written down, as it was chosen.
	Journal journal.Mode `json:"journal"`
	// DeadLetters is what becomes of items that failed for good: keep or off.
	DeadLetters DeadLetters `json:"dead_letters"`
	// InJournal is how many entries are in the journal and not crossed out;
	// what is to be replayed is among them.
	InJournal int `json:"in_journal"`
	// Writing is how many submitters are at the journal, with an item that is
	// not inside yet or any more.
	Writing int `json:"writing"`
	// Submitters is how many wait for the end of the replay.
	Submitters int `json:"submitters"`
	// Replayed is how many items of an earlier life have entered, ReplayLeft
	// how many are still to come, and Unreadable how many no codec could read.
	Replayed   int `json:"replayed"`
	ReplayLeft int `json:"replay_left"`
	Unreadable int `json:"unreadable"`
}

// Stats takes the picture. It looks at every item that is inside.
func (l *laneCore) Stats() LaneStats {
	s, isOpen := l.statsNow()
	if isOpen && l.mode != journal.Off {
		s.InJournal, s.Unreadable = l.book.Len(), l.book.Unreadable()
	}
	s.ReplayLeft = max(0, s.ReplayLeft-s.Unreadable)
	return s
}

func (l *laneCore) statsNow() (s LaneStats, isOpen bool) {
	l.pool.lock()
	defer l.pool.unlock()
	s = LaneStats{
		Name: l.name, Pool: l.pool.name, Ledger: l.ledgerLocked(),
		Journal: l.mode, Writing: l.atJournal, Replayed: int(l.replay.entered.Load()),
		Submitters: l.waiting.len(),
	}
	s.ReplayLeft = l.replay.total - s.Replayed
	s.DeadLetters = NoLetters
	if l.buries {
		s.DeadLetters = KeepLetters
	}
	for j := l.jobs.first; j != nil; j = j.next {
		switch j.state {
		case jobRunning, jobBurying, jobEnding:
			s.Running++
		case jobRetrying:
			s.Retrying++
			if j.rec != nil && j.rec.doomed() != nil {
				s.Burying++
			}
		case jobLeftover:
			s.Leftover++
		default:
			s.Queued++
		}
	}
	return s, l.door != doorUnstarted
}
