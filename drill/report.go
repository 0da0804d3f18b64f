package drill

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Report is what a drill found. It is complete also when the drill was cut
// short; Settled tells.
type Report struct {
	Program string
	Seed    uint64
	Took    time.Duration
	// Kinds are the kills in the order of Config.Kills, then the life that
	// settles.
	Kinds []Kind
	// Total is the sum of all lives.
	Total Kind
	// Lost are the ids of all lost work, in the order of the lives.
	Lost []string
	// Strangers counts ids in the sources that the drill has not made, of
	// which Stranger is one.
	Strangers int
	Stranger  string
	// Settled: the program was left until it had worked off everything. If
	// not, what is called lost may still be saved.
	Settled bool
	// Lives are all lives, in order.
	Lives []Life

	errs []error
}

// Kind is what is known of all lives that ended by the same kill.
type Kind struct {
	Name string
	Runs int
	Tally
	// MostDuplicated is the greatest Duplicated of one life.
	MostDuplicated int
	// MaxDuplicates is that of the kill; of the life that settles, the
	// strictest of all.
	MaxDuplicates int
	// Restarts are the times from exec to ready of the starts that followed
	// such a kill, shortest first; a start that was killed before it was ready
	// has none.
	Restarts []time.Duration
	// Exits are the exit codes, the smallest first.
	Exits []ExitCount
	// Receipts counts receipts that were read, Unbalanced those of them in
	// which a ledger does not balance.
	Receipts, Unbalanced int
}

// ExitCount says how often the program ended with a code.
type ExitCount struct{ Code, Runs int }

// RestartMedian is zero if there were no restarts.
func (k Kind) RestartMedian() time.Duration {
	if len(k.Restarts) == 0 {
		return 0
	}
	return k.Restarts[len(k.Restarts)/2]
}

// RestartMax is zero if there were no restarts.
func (k Kind) RestartMax() time.Duration {
	if len(k.Restarts) == 0 {
		return 0
	}
	return k.Restarts[len(k.Restarts)-1]
}

// report judges; cut is what kept the drill from its end.
func (d *drill) report(cut error) *Report {
	r := &Report{
		Program: filepath.Base(d.cfg.Program.Path),
		Seed:    d.cfg.Seed,
		Took:    time.Since(d.began),
		Settled: d.settled && cut == nil,

		Strangers: d.book.strangers,
		Stranger:  d.book.stranger,
	}
	for _, k := range d.cfg.Kills {
		r.Kinds = append(r.Kinds, Kind{Name: k.Name, MaxDuplicates: k.MaxDuplicates})
	}
	r.Kinds = append(r.Kinds, Kind{Name: "settling", MaxDuplicates: strictest(d.cfg.Kills).MaxDuplicates})
	r.Total.Name = "total"
	for i, l := range d.lives {
		l.Tally = d.book.pages[i].tally(func(id string) { r.Lost = append(r.Lost, id) })
		d.judge(l)
		for _, k := range []*Kind{r.kind(l), &r.Total} {
			k.add(l)
			if i+1 < len(d.lives) && d.lives[i+1].Ready > 0 {
				k.Restarts = append(k.Restarts, d.lives[i+1].Ready)
			}
		}
		r.Lives = append(r.Lives, *l)
	}
	for i := range r.Kinds {
		r.Kinds[i].sort()
	}
	r.Total.sort()
	r.errs = r.errors(cut)
	return r
}

// judge adds to the errors of a life what is known only at the end.
func (d *drill) judge(l *Life) {
	if n := l.Tally.RefusedDelivered; n > 0 {
		l.fail(nil, fmt.Errorf("%w: %d", ErrRefusedDelivered, n))
	}
	if bound, ok := strictest(d.cfg.Kills).bound(); ok && l.Tally.Repeated > bound {
		l.fail(nil, fmt.Errorf("%w: %d duplicates within the life, where no kill explains them; at most %d were expected",
			ErrDuplicated, l.Tally.Repeated, bound))
	}
	if l.kind == settling {
		return // all of its duplicates came within it
	}
	if bound, ok := d.cfg.Kills[l.kind].bound(); ok && l.Tally.Duplicated > bound {
		l.fail(nil, fmt.Errorf("%w: %d duplicates, at most %d were expected", ErrDuplicated, l.Tally.Duplicated, bound))
	}
}

// kind is the row of a life.
func (r *Report) kind(l *Life) *Kind {
	if l.kind == settling {
		return &r.Kinds[len(r.Kinds)-1]
	}
	return &r.Kinds[l.kind]
}

func (k *Kind) add(l *Life) {
	k.Runs++
	k.Tally = k.Tally.plus(l.Tally)
	k.MostDuplicated = max(k.MostDuplicated, l.Tally.Duplicated)
	if l.Receipt != nil {
		k.Receipts++
		k.Unbalanced += btoi(!l.Receipt.balanced())
	}
	i := slices.IndexFunc(k.Exits, func(e ExitCount) bool { return e.Code == l.Exit })
	if i < 0 {
		i = len(k.Exits)
		k.Exits = append(k.Exits, ExitCount{Code: l.Exit})
	}
	k.Exits[i].Runs++
}

func (k *Kind) sort() {
	slices.Sort(k.Restarts)
	slices.SortFunc(k.Exits, func(a, b ExitCount) int { return a.Code - b.Code })
}

// What Err shows of things that are many; the report has them all.
const (
	shownIDs    = 10
	shownErrors = 5
)

// errors is everything that is wrong, the worst first.
func (r *Report) errors(cut error) []error {
	var errs []error
	if n := len(r.Lost); n > 0 {
		ids := strings.Join(r.Lost[:min(n, shownIDs)], " ")
		if n > shownIDs {
			ids += " …"
		}
		if r.Settled {
			errs = append(errs, fmt.Errorf("%w: %d of %d: %s", ErrLost, n, r.Total.Accepted, ids))
		} else {
			errs = append(errs, fmt.Errorf("%w: %d of %d accepted have left no trace yet: %s", ErrUnsettled, n, r.Total.Accepted, ids))
		}
	}
	if cut != nil {
		errs = append(errs, cut)
	} else if r.Total.Accepted == 0 {
		errs = append(errs, fmt.Errorf("%w: %d were offered, %d refused, %d without an answer; is the load speaking to the program?",
			ErrNoWork, r.Total.Offered, r.Total.Refused, r.Total.Unknown))
	}
	return append(errs, r.lifeErrors()...)
}

// lifeErrors are the errors of the lives, the first few of each sort.
func (r *Report) lifeErrors() []error {
	var errs []error
	sorts := []error{ErrDied, ErrNotReady, ErrHung, ErrExit, ErrRefusedDelivered, ErrDuplicated, ErrReceipt, ErrUnsettled, nil}
	count := make([]int, len(sorts))
	for _, l := range r.Lives {
		for _, err := range l.Errs {
			i := slices.IndexFunc(sorts, func(s error) bool { return s == nil || errors.Is(err, s) })
			count[i]++
			if count[i] <= shownErrors {
				errs = append(errs, err)
			}
		}
	}
	for i, n := range count {
		if n > shownErrors {
			errs = append(errs, fmt.Errorf("%w: %d times more", orElse(sorts[i], errOther), n-shownErrors))
		}
	}
	return errs
}

var errOther = errors.New("other errors")

// Err is everything that should not have happened, nil if there is nothing.
// Each error matches one of the sentinels; where there are many of a sort it
// shows the first and counts the rest.
func (r *Report) Err() error { return errors.Join(r.errs...) }
