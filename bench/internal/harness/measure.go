package harness

import (
	"errors"
	"fmt"
	"math"
)

// Options say how to measure.
type Options struct {
	// Rounds is how often each contestant runs. Zero: 5.
	Rounds int
	// Short does the little work of Row.ShortN, once.
	Short bool
}

var nan = math.NaN()

// Result is what a row has shown.
type Result struct {
	Row    Row
	Rounds int

	samples [][]sample // by contestant, then by round
}

// Measure lets the contestants of a row work in turns. It fails when one of
// them does, or does not do all its work.
func Measure(row Row, opts Options) (*Result, error) {
	if err := row.check(); err != nil {
		return nil, err
	}
	res := &Result{Row: row, Rounds: opts.rounds(row), samples: make([][]sample, len(row.Contestants))}
	if !opts.Short { // the first trial of each pays for what all others find ready
		if _, err := row.round(true); err != nil {
			return nil, err
		}
	}
	for range res.Rounds {
		round, err := row.round(opts.Short)
		if err != nil {
			return nil, err
		}
		for i, s := range round {
			res.samples[i] = append(res.samples[i], s)
		}
	}
	return res, nil
}

func (o Options) rounds(row Row) int {
	switch {
	case o.Short:
		return 1
	case o.Rounds == 0:
		o.Rounds = 5
	}
	if row.Rounds > 0 {
		return min(row.Rounds, o.Rounds)
	}
	return o.Rounds
}

// round lets each contestant work once.
func (r Row) round(short bool) ([]sample, error) {
	var round []sample
	for _, c := range r.Contestants {
		t := &Trial{N: r.N, Short: short, values: make(sample)}
		if short {
			t.N = r.ShortN
		}
		if err := c.Run(t); err != nil {
			return nil, fmt.Errorf("row %s: %s: %w", r.ID, c.Name, err)
		}
		s, err := t.finish()
		if err != nil {
			return nil, fmt.Errorf("row %s: %s: %w", r.ID, c.Name, err)
		}
		round = append(round, s)
	}
	return round, nil
}

// check finds slips of the pen before an hour is spent on them.
func (r Row) check() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("row %s: "+format, append([]any{r.ID}, args...)...))
	}
	if r.N <= 0 || r.ShortN <= 0 {
		wrong("N is %d and ShortN %d, both must be positive", r.N, r.ShortN)
	}
	if len(r.Contestants) == 0 {
		wrong("it has no contestants")
	}
	for i, c := range r.Contestants {
		if r.contestant(c.Name) != i {
			wrong("two contestants are called %s", c.Name)
		}
	}
	for _, t := range r.Targets {
		for _, name := range []string{t.who(), t.over(r)} {
			if r.contestant(name) < 0 {
				wrong("a target speaks of %s, which is no contestant", name)
			}
		}
	}
	return errors.Join(errs...)
}

// Median is the median of the rounds. It is NaN if the contestant did not
// give this value.
func (r *Result) Median(name string, m Metric) float64 {
	return r.median(name, name, func(s, _ sample) (float64, bool) {
		v, ok := s[m]
		return v, ok
	})
}

// Ratio is the median of the ratios within each round of one contestant's
// value to that of another. It is NaN if one did not give it, or gave zero.
func (r *Result) Ratio(name, over string, m Metric) float64 {
	return r.median(name, over, func(s, o sample) (float64, bool) {
		v, ok := s[m]
		return v / o[m], ok && o[m] != 0
	})
}

func (r *Result) median(name, over string, value func(s, o sample) (float64, bool)) float64 {
	i, k := r.Row.contestant(name), r.Row.contestant(over)
	if i < 0 || k < 0 {
		return nan
	}
	var all []float64
	for round := range r.samples[i] {
		v, ok := value(r.samples[i][round], r.samples[k][round])
		if !ok {
			return nan
		}
		all = append(all, v)
	}
	return Median(all)
}
