package alarm

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// The defaults of [Rule].
const (
	DefaultCount   = 2 // of a value that grows: 1
	DefaultPeriod  = time.Minute
	DefaultSilence = 10 * time.Minute
)

// The alarms that every component has, whatever its panel says.
const (
	Health         = "health"
	Change         = "change"
	StopOverBudget = "stop_over_budget"
)

// Application stands for the component in what is about the whole of it.
const Application = "application"

// Log is the receiver that is not told of changes unless a rule says so: the
// log has a line of each already.
const Log = "log"

// maxCount bounds what is remembered of one alarm.
const maxCount = 1000

// Rule says what is done about some alarms.
type Rule struct {
	// Component is a pattern for names of components: "pool:*". "*" stands for
	// any characters, "?" for one, "[a-z]" for one of these. Zero: all.
	Component string `yaml:"component"`
	// Alarm is a pattern for names of alarms: "capacity". Zero: all.
	Alarm string `yaml:"alarm"`
	// Enabled is whether it is looked at. Zero: it is.
	Enabled *bool `yaml:"enabled"`
	// Threshold is from what value on it counts, in the unit of the alarm.
	// Zero: that of the panel. It does not matter for change and
	// stop_over_budget.
	Threshold *float64 `yaml:"threshold"`
	// Count is in how many evaluations within the period it must have been at
	// or above the threshold. Zero: 2; 1 for what grows.
	Count int `yaml:"count"`
	// Period is that time, and how long all must have been well until it is
	// resolved. Of what grows it is the time in which it has grown. One that is
	// too short for Count evaluations is as long as these take. Zero: 1 m.
	Period time.Duration `yaml:"period"`
	// Silence is how long it is not told again. Zero: 10 m; for change there is
	// none.
	Silence time.Duration `yaml:"silence"`
	// Receivers are who is told. Empty but not nil: nobody, it is only shown.
	// Zero: all there are, but for "log" of a change.
	Receivers []string `yaml:"receivers"`
}

func (r Rule) validate(receivers []string, every time.Duration) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, p := range []struct{ field, pattern string }{{"component", r.Component}, {"alarm", r.Alarm}} {
		if _, err := path.Match(p.pattern, ""); err != nil {
			wrong("%s: %q is no pattern; write it like pool:*, and [ as \\[", p.field, p.pattern)
		}
	}
	if r.Threshold != nil && (math.IsNaN(*r.Threshold) || math.IsInf(*r.Threshold, 0)) {
		wrong("threshold: %v is no value; to switch the alarm off set enabled: false", *r.Threshold)
	}
	if r.Count < 0 || r.Count > maxCount {
		wrong("count: is %d; give 1 to %d, or leave it out", r.Count, maxCount)
	}
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"period", r.Period}, {"silence", r.Silence}} {
		if d.value < 0 {
			wrong("%s: %v is negative; give a duration such as 30s, or leave it out", d.field, d.value)
		}
	}
	if need := time.Duration(r.Count) * every; r.Period > 0 && r.Count > 1 && r.Count <= maxCount && r.Period < need {
		wrong("period: is %v, in which there are no %d evaluations, as there is one every %v; give at least %v", r.Period, r.Count, every, need)
	}
	for _, name := range r.Receivers {
		if !slices.Contains(receivers, name) {
			wrong("receivers: there is no %q; %s", name, known(receivers))
		}
	}
	return errors.Join(errs...)
}

func known(names []string) string {
	if len(names) == 0 {
		return "there are no receivers"
	}
	return "there are " + strings.Join(names, ", ")
}

// fits reports whether the rule is about an alarm. The names of constructors,
// which components have by default, contain "/": it is a character as any.
func (r Rule) fits(component, alarm string) bool {
	match := func(pattern, name string) bool {
		if pattern == "" {
			return true
		}
		flat := strings.NewReplacer("/", "\x00")
		ok, _ := path.Match(flat.Replace(pattern), flat.Replace(name)) // validate has looked at it
		return ok
	}
	return match(r.Component, component) && match(r.Alarm, alarm)
}

// UnusedRules are the numbers, from 0, of the rules in [Config].Rules that fit no
// alarm of any component there is: most likely a name is misspelt. Of every
// component count the alarms of its panel and those that all have.
func (w *Watch) UnusedRules() []int {
	var unused []int
	components := append(w.conductor.Components(), lifecycle.Component{Name: Application})
	for i, rule := range w.cfg.Rules {
		if !slices.ContainsFunc(components, rule.fitsAny) {
			unused = append(unused, i)
		}
	}
	return unused
}

func (r Rule) fitsAny(c lifecycle.Component) bool {
	if r.fits(c.Name, Health) || r.fits(c.Name, Change) || r.fits(c.Name, StopOverBudget) {
		return true
	}
	return c.Panel != nil && slices.ContainsFunc(c.Panel.Alarms, func(a lifecycle.Alarm) bool { return r.fits(c.Name, a.Name) })
}

// terms are what holds for one alarm of one component, after all rules.
type terms struct {
	enabled         bool
	threshold       float64
	count           int
	period, silence time.Duration
	receivers       []string
}

// termsOf joins the rules that fit, the first first, and the defaults.
func (c Config) termsOf(component, alarm string, threshold float64, grows bool) terms {
	var r Rule
	for _, rule := range c.Rules {
		if !rule.fits(component, alarm) {
			continue
		}
		if r.Enabled == nil {
			r.Enabled = rule.Enabled
		}
		if r.Threshold == nil {
			r.Threshold = rule.Threshold
		}
		if r.Receivers == nil {
			r.Receivers = rule.Receivers
		}
		r.Count, r.Period, r.Silence = first(r.Count, rule.Count), first(r.Period, rule.Period), first(r.Silence, rule.Silence)
	}
	t := terms{enabled: r.Enabled == nil || *r.Enabled, threshold: threshold, receivers: r.Receivers}
	if r.Threshold != nil {
		t.threshold = *r.Threshold
	}
	t.count = first(r.Count, DefaultCount)
	if r.Count == 0 && grows {
		t.count = 1
	}
	t.period = max(first(r.Period, DefaultPeriod), time.Duration(t.count)*c.Every)
	if t.silence = r.Silence; alarm != Change {
		t.silence = first(r.Silence, DefaultSilence)
	}
	if r.Receivers == nil {
		t.receivers = c.everybody(alarm)
	}
	return t
}

// everybody is who is told where no rule says it.
func (c Config) everybody(alarm string) (names []string) {
	for name := range c.Receivers {
		if alarm != Change || name != Log {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// first is a, unless it is zero.
func first[T int | time.Duration](a, b T) T {
	if a != 0 {
		return a
	}
	return b
}
