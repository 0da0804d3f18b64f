package harness

import (
	"fmt"
	"math"
)

// Target is what a row is to show.
type Target struct {
	Metric Metric
	// Limit bounds the value of Who: from above, or with AtLeast from below.
	Limit   float64
	AtLeast bool
	// Who is bound. Empty: lastcall.
	Who string
	// Over is whose value counts as 1. Empty: the baseline.
	Over string
	// Absolute says that Limit is in the metric's unit, not a ratio.
	Absolute bool
}

func (t Target) who() string {
	if t.Who == "" {
		return Ours
	}
	return t.Who
}

func (t Target) over(r Row) string {
	if t.Over != "" || len(r.Contestants) == 0 {
		return t.Over
	}
	return r.Contestants[0].Name
}

// Text is the target in words, such as "lastcall: wall at most 0.5 × channel".
func (t Target) Text(r Row) string {
	bound := "at most"
	if t.AtLeast {
		bound = "at least"
	}
	if t.Absolute {
		return fmt.Sprintf("%s: %s %s %s", t.who(), t.Metric.Name, bound, t.Metric.Unit.Format(t.Limit))
	}
	return fmt.Sprintf("%s: %s %s %s %s", t.who(), t.Metric.Name, bound, ratio(t.Limit), t.over(r))
}

// Verdict is what came of the target: whether it is met, and the number.
func (t Target) Verdict(r *Result) (met bool, got string) {
	v := r.Ratio(t.who(), t.over(r.Row), t.Metric)
	unit := Times
	if t.Absolute {
		v = r.Median(t.who(), t.Metric)
		unit = t.Metric.Unit
	}
	if math.IsNaN(v) {
		return false, "not measured"
	}
	met = asPrinted(v) <= t.Limit
	if t.AtLeast {
		met = asPrinted(v) >= t.Limit
	}
	return met, unit.Format(v)
}

// asPrinted rounds to the two decimals that a reader sees.
func asPrinted(v float64) float64 { return math.Round(v*100) / 100 }
