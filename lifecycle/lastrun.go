package lifecycle

import (
	"fmt"
	"strings"
	"time"
)

// LastRun is what [Config].ReceiptFile said, at the start, of the run before
// this one. The file holds a receipt when that run was stopped, and a marker,
// which is a LastRun in the state [RunUp], when it was not.
type LastRun struct {
	// State is empty as long as nobody has looked: before the start, where
	// there is no file, and where the application does something else than to
	// start ([Conductor.Instead]).
	State RunState `json:"state"`
	// Receipt is that of [RunStopped] and [RunNotUp]; else it is nil.
	Receipt *Receipt `json:"receipt,omitempty"`
	// PID and Host are the process, and Since is when its start began, for
	// [RunKilled] and [RunUp].
	PID   int       `json:"pid,omitempty"`
	Host  string    `json:"host,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Problem is why nothing is known, for [RunUnknown].
	Problem string `json:"problem,omitempty"`
	// Previous is the run before that one, starts that failed left out; nil:
	// nothing is known of it. It has no Previous of its own.
	Previous *LastRun `json:"previous,omitempty"`
}

// RunState says how a run ended.
type RunState string

// The states of a [LastRun].
const (
	// RunNone: there was no file; this is the first run, or the file was
	// taken away.
	RunNone RunState = "none"
	// RunStopped: the run was up and was stopped. Its receipt says how that
	// went.
	RunStopped RunState = "stopped"
	// RunNotUp: its start failed or was cancelled, or it was built and never
	// started. Previous is the run before it.
	RunNotUp RunState = "not up"
	// RunKilled: it ended without a stop, or in the middle of one: kill -9,
	// power loss, the third signal, a panic, os.Exit.
	RunKilled RunState = "killed"
	// RunUp: it has not ended. Its process lives, and has the same file: the
	// two will write over each other's receipts.
	RunUp RunState = "running"
	// RunUnknown: the file is empty, torn, somebody else's, or cannot be read.
	RunUnknown RunState = "unknown"
)

// Killed reports whether the last run that got beyond its constructors was
// killed. Starts that have failed since then do not count.
func (l LastRun) Killed() bool {
	if l.State == RunNotUp && l.Previous != nil {
		return l.Previous.Killed()
	}
	return l.State == RunKilled
}

// wantsAttention: what it says is more than that all is well.
func (l LastRun) wantsAttention() bool {
	switch l.State {
	case RunNone:
		return false
	case RunStopped:
		return !l.Receipt.Clean()
	default:
		return true
	}
}

// String is the sentence for the log: "last stop: SIGTERM, 1.2s, 37 saved,
// 0 lost", or "last run: killed (pid 4711, running since …)".
func (l LastRun) String() string {
	switch l.State {
	case "":
		return "last run: nobody has looked"
	case RunStopped:
		return "last stop: " + l.ending()
	case RunUp:
		return "another process runs with this receipt file" + l.process() + "; give each its own, or one receipt takes the place of the other"
	default:
		return "last run: " + l.ending()
	}
}

func (l LastRun) ending() string {
	switch l.State {
	case RunNone:
		return "none is known, the receipt file is new"
	case RunStopped:
		return l.Receipt.ending()
	case RunNotUp:
		text := "was never up: " + l.Receipt.ending()
		if l.Previous != nil {
			text += "; the run before: " + l.Previous.ending()
		}
		return text
	case RunUnknown:
		return "unknown: " + l.Problem
	default:
		return string(l.State) + l.process()
	}
}

func (l LastRun) process() string {
	return fmt.Sprintf(" (pid %d, running since %s)", l.PID, l.Since.Format(time.RFC3339))
}

// ending is the receipt in one line. One that somebody has cut out of the file
// is nil.
func (r *Receipt) ending() string {
	if r == nil {
		return "without a receipt"
	}
	cause, more, _ := strings.Cut(r.Cause.String(), "\n")
	if more != "" {
		cause += " …"
	}
	text := fmt.Sprintf("%s, %s, %d saved, %d lost", cause, round(r.Took), r.Total.Saved, r.WorkLost())
	if !r.Clean() {
		text += fmt.Sprintf(", exit code %d", r.ExitCode())
	}
	return text
}

// carried is what is kept of the runs before while the file is another's: the
// last that was up. One is enough, so the file does not grow.
func (l LastRun) carried() *LastRun {
	switch l.State {
	case "", RunNone:
		return nil
	case RunNotUp:
		return l.Previous
	}
	l.Previous = nil
	return &l
}
