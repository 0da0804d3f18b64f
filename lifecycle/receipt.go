package lifecycle

import (
	"errors"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

// Receipt is the report of a stop. It is decoded from the JSON that it makes;
// durations are texts there, such as "1.2s".
type Receipt struct {
	Cause Cause `json:"cause"`
	// AlsoAsked are those who asked for the stop and are not its Cause: the
	// first was another, or the start failed.
	AlsoAsked []Cause `json:"also_asked,omitempty"`
	// UpSince is when the last OnStart had succeeded; zero: that never came.
	UpSince time.Time `json:"up_since,omitzero"`
	Began   time.Time `json:"began"`
	// Took is how long the stop lasted; Timeout and Reserve are what it had.
	// A zero Timeout is none.
	Took    time.Duration `json:"took"`
	Timeout time.Duration `json:"timeout"`
	Reserve time.Duration `json:"reserve"`
	// Cut: waiting was over before everything had been stopped, because the
	// soft deadline passed or somebody cut it.
	Cut string `json:"cut,omitempty"`

	Stages     []StageReport     `json:"stages"`
	Components []ComponentReport `json:"components"` // in the order of the plan; ingress closes at once
	Gates      []GateReport      `json:"gates"`
	// Total is the sum of all gates. Every piece of work is counted by one
	// gate only.
	Total intake.Ledger `json:"total"`
	Leaks []Leak        `json:"leaks,omitempty"`
	Notes []string      `json:"notes,omitempty"`
	// Previous is the run before, where this one was never up and there is a
	// [Config].ReceiptFile: a start that fails takes the place of its receipt,
	// or of its marker, but not of what they say.
	Previous *LastRun `json:"previous,omitempty"`

	errs []error
}

// StageReport is one moment of the stop.
type StageReport struct {
	Name string `json:"name"`
	// At is when the stage ended, counted from the beginning.
	At time.Duration `json:"at"`
	// Reached is false when the stop went on without it.
	Reached bool `json:"reached"`
	// Inside is what was in which gate when waiting for quiet was over;
	// empty when it was reached.
	Inside string `json:"inside,omitempty"`
}

// ComponentReport is what became of one component.
type ComponentReport struct {
	Name    string `json:"name"`
	Module  string `json:"module,omitempty"`
	Band    Band   `json:"band"`
	Started bool   `json:"started"`
	// Moved says why the component stopped in another band than its own.
	Moved string `json:"moved,omitempty"`
	// Start, Stop and PreDestroy are what became of the hooks; nil: there is
	// none, or it was not called.
	Start      *HookReport `json:"start,omitempty"`
	Stop       *HookReport `json:"stop,omitempty"`
	PreDestroy *HookReport `json:"pre_destroy,omitempty"`
	// Details is what the component has to say (Hook.Describe).
	Details []string `json:"details,omitempty"`
}

// Outcome is what came of one hook.
type Outcome string

// The outcomes of a hook.
const (
	OK       Outcome = "ok"
	Failed   Outcome = "failed"
	Panicked Outcome = "panicked"
	Hung     Outcome = "hung"
)

// HookReport is what a receipt says of one hook.
type HookReport struct {
	// Began is counted from the beginning of the stop (of the start, for an
	// OnStart).
	Began time.Duration `json:"began"`
	Took  time.Duration `json:"took"`
	// Budget is what the hook was given; zero: no limit, or waiting was over.
	Budget  time.Duration `json:"budget,omitempty"`
	Outcome Outcome       `json:"outcome"`
	Error   string        `json:"error,omitempty"`
	// Stack is where the hook panicked or hung.
	Stack string `json:"stack,omitempty"`

	err error
}

// GateReport is the ledger of one gate at the end.
type GateReport struct {
	Name   string        `json:"name"`
	Ledger intake.Ledger `json:"ledger"`
	// Balanced is false also when the ledger could not be read, because the
	// component's function (intake.Counted) panicked; a note says so.
	Balanced bool `json:"balanced"`
}

// WorkLost is how much accepted work is neither done, nor failed and
// recorded, nor saved: what was lost, and what was inside at the end.
func (r *Receipt) WorkLost() uint64 { return r.Total.Lost + r.Total.Inside }

// Clean reports whether the exit code is [ExitClean]: the stop was asked for
// and not made necessary by a failure, every hook of it was well, nothing was
// lost and every ledger balances. Saved work is clean.
func (r *Receipt) Clean() bool { return r.ExitCode() == ExitClean }

// Err joins what went wrong in the stop: a [HookError] for each hook of the stop that
// failed, panicked or hung, and an error that matches [ErrWorkLost].
func (r *Receipt) Err() error {
	if r == nil {
		return nil
	}
	return errors.Join(r.errs...)
}

// Exit codes of an application; 128+n is a death by signal n.
const (
	ExitClean       = 0
	ExitStartFailed = 1
	ExitHookFailed  = 3
	ExitWorkLost    = 4
)

// ExitCode is the code with which the application should exit, an
// fx.ExitCode(n) aside.
func (r *Receipt) ExitCode() int {
	switch {
	case r.Cause.Kind == CauseStartFailed, r.Cause.Kind == CauseNewFailed:
		return ExitStartFailed
	case errors.Is(r.Err(), ErrWorkLost):
		return ExitWorkLost
	case r.Err() != nil, r.Cause.Err != nil:
		return ExitHookFailed
	default:
		return ExitClean
	}
}
