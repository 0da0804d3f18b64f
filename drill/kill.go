package drill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"
)

// Kill is one way to end the program. [Sigkill], [Sigterm], [SigtermTwice],
// [SigkillInStop] and [SigkillInStart] are ready made.
type Kill struct {
	// Name stands in the table. Default: its signals.
	Name string
	// Runs is how many lives end by it. Zero: one.
	Runs int
	// Steps are the signals, in order.
	Steps []Step
	// FromExec counts the first moment from the start of the process and not
	// from when the program is ready: it is hit while it starts and replays.
	FromExec bool
	// Accepted counts the first moment from when this life has accepted so many
	// pieces of work, and not from when the program is ready: a machine may be
	// so slow that it has accepted nothing by then. A program that does not
	// accept so many is hit after the time Grace. Zero: from when it is ready.
	Accepted int
	// Grace is how long the program may take to end after the last signal, and
	// to accept what is Accepted.
	// Default 30 s.
	Grace time.Duration
	// Exits are the codes with which it may end; a death by a signal is
	// 128+signal. Default: 0 if a signal other than SIGKILL was sent, 137 if
	// SIGKILL was. [AnyExit]: all.
	Exits []int
	// MaxDuplicates is how many duplicates one such kill may lead to. Zero: as
	// many as there are, counted all the same. [NoDuplicates]: none. The
	// strictest of all kills bounds what comes twice within one life, the last
	// included: no kill explains that.
	MaxDuplicates int
}

// Step is one signal, sent at a random moment from From to To after the one
// before it (the first: after the program is ready, see Kill.FromExec). It is
// not sent if the program is gone by then.
type Step struct {
	Signal   syscall.Signal
	From, To time.Duration
}

// NoDuplicates is a Kill.MaxDuplicates that allows none.
const NoDuplicates = -1

// AnyExit is a Kill.Exits that allows every code.
var AnyExit = []int{-1}

const (
	defaultGrace = 30 * time.Second
	killedExit   = 128 + int(syscall.SIGKILL)
)

// The moments of the ready-made kills.
const (
	soon      = 20 * time.Millisecond
	underLoad = 200 * time.Millisecond
)

// Sigkill is death without warning, up to 200 ms after the program is ready.
func Sigkill(runs int) Kill {
	return Kill{Name: "SIGKILL", Runs: runs, Steps: []Step{{syscall.SIGKILL, 0, underLoad}}}
}

// Sigterm asks the program to stop, up to 200 ms after it is ready.
func Sigterm(runs int) Kill {
	return Kill{Name: "SIGTERM", Runs: runs, Steps: []Step{{syscall.SIGTERM, 0, underLoad}}}
}

// SigtermTwice asks again up to 20 ms later, as an impatient person does. Any
// exit code is right.
func SigtermTwice(runs int) Kill {
	return Kill{Name: "SIGTERM twice", Runs: runs, Exits: AnyExit,
		Steps: []Step{{syscall.SIGTERM, 0, underLoad}, {syscall.SIGTERM, 0, soon}}}
}

// SigkillInStop asks the program to stop and kills it up to 20 ms later, as an
// orchestrator does when its time is up.
func SigkillInStop(runs int) Kill {
	return Kill{Name: "SIGKILL in stop", Runs: runs,
		Steps: []Step{{syscall.SIGTERM, 0, underLoad}, {syscall.SIGKILL, 0, soon}}}
}

// SigkillInStart kills the program up to 20 ms after the start of its process:
// while it starts, and replays what an earlier life left.
func SigkillInStart(runs int) Kill {
	return Kill{Name: "SIGKILL in start", Runs: runs, FromExec: true,
		Steps: []Step{{syscall.SIGKILL, 0, soon}}}
}

// Between is k with another window for its first signal.
func (k Kill) Between(from, to time.Duration) Kill {
	k.Steps = slices.Clone(k.Steps)
	if len(k.Steps) > 0 {
		k.Steps[0].From, k.Steps[0].To = from, to
	}
	return k
}

// Under is k with n as its Accepted: it comes under load, however slow the
// machine is.
func (k Kill) Under(n int) Kill {
	k.Accepted = n
	return k
}

// AtMost is k with n as its MaxDuplicates; zero means none.
func (k Kill) AtMost(n int) Kill {
	k.MaxDuplicates = n
	if n == 0 {
		k.MaxDuplicates = NoDuplicates
	}
	return k
}

func (k Kill) withDefaults() Kill {
	k.Runs = orElse(k.Runs, 1)
	k.Grace = orElse(k.Grace, defaultGrace)
	if k.Name == "" {
		for i, s := range k.Steps {
			if i > 0 {
				k.Name += ", "
			}
			k.Name += s.Signal.String()
		}
	}
	return k
}

// wrong is every wrong field of k.
func (k Kill) wrong() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if k.Runs < 0 {
		wrong("runs: is %d, must be positive, or 0 for one", k.Runs)
	}
	switch {
	case k.Accepted < 0:
		wrong("accepted: is %d, must be positive, or 0 for none", k.Accepted)
	case k.Accepted > 0 && k.FromExec:
		wrong("accepted: is %d, must be 0 with from_exec: nothing is accepted before the program is ready", k.Accepted)
	}
	if k.Grace < 0 {
		wrong("grace: is %s, must be positive, or 0 for the default of %s", k.Grace, defaultGrace)
	}
	if k.MaxDuplicates < NoDuplicates {
		wrong("max_duplicates: is %d, must be positive, 0 for no bound, or -1 for none", k.MaxDuplicates)
	}
	if len(k.Steps) == 0 {
		wrong("steps: are empty, must be at least one signal")
	}
	for i, s := range k.Steps {
		if s.Signal <= 0 {
			wrong("steps[%d].signal: is %d, must be a signal", i, s.Signal)
		}
		if s.From < 0 || s.To < s.From {
			wrong("steps[%d]: is from %s to %s, must be a time from 0 on", i, s.From, s.To)
		}
	}
	return errs
}

// bound is how many duplicates may follow; false: any number.
func (k Kill) bound() (int, bool) {
	return max(k.MaxDuplicates, 0), k.MaxDuplicates != 0
}

// strictest is the kill with the smallest bound, one without if none has any.
// It holds for duplicates that come within a life.
func strictest(kills []Kill) (k Kill) {
	for _, other := range kills {
		now, bounded := k.bound()
		if bound, ok := other.bound(); ok && (!bounded || bound < now) {
			k = other
		}
	}
	return k
}

// allows reports whether the program may end so, having been sent the first
// steps of k.
func (k Kill) allows(exit, steps int) bool {
	if k.Exits != nil {
		return slices.Contains(k.Exits, exit) || slices.Equal(k.Exits, AnyExit)
	}
	for _, s := range k.Steps[:steps] {
		if s.Signal == syscall.SIGKILL && exit == killedExit || s.Signal != syscall.SIGKILL && exit == 0 {
			return true
		}
	}
	return false
}

// planned is one kill at its moments.
type planned struct {
	Kill
	kind    int             // its index among the kills
	moments []time.Duration // of its steps
}

// plan is every kill in the order and with the moments that the seed decides.
func plan(kills []Kill, seed uint64) []planned {
	random := rand.New(rand.NewPCG(seed, 0))
	var lives []planned
	for kind, k := range kills {
		for range k.Runs {
			lives = append(lives, planned{Kill: k, kind: kind})
		}
	}
	random.Shuffle(len(lives), func(i, j int) { lives[i], lives[j] = lives[j], lives[i] })
	for i := range lives {
		for _, s := range lives[i].Steps {
			lives[i].moments = append(lives[i].moments, s.From+time.Duration(random.Int64N(int64(s.To-s.From)+1)))
		}
	}
	return lives
}
