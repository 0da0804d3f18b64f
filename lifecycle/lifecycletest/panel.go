package lifecycletest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// AssertPanel asserts that whatever reads panels can read that of the component:
// what it shows can be written as JSON, its metrics keep the rules of Prometheus
// for names, help and buckets, and its knobs have values of their types, within
// their bounds. Metrics that are there only when something has happened are seen
// only if it has.
func AssertPanel(t TB, c lifecycle.Component) bool {
	t.Helper()
	if c.Panel == nil {
		t.Errorf("lifecycletest: %q has no panel", c.Name)
		return false
	}
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	p := c.Panel
	if !word.MatchString(p.Kind) {
		say("kind: %q is not of lower case letters, digits and _", p.Kind)
	}
	encodes := func(what string, v any) {
		if err, failed := v.(error); failed {
			say("%s: %v", what, err)
		} else if _, err := json.Marshal(v); err != nil {
			say("%s: %v", what, err)
		}
	}
	if p.Stats != nil {
		encodes("stats", p.Stats())
	}
	if p.Inspect != nil {
		encodes("inspect", p.Inspect(context.Background()))
	}
	if p.Health != nil {
		encodes("health", p.Health(context.Background()).Details)
	}
	if p.Metrics != nil {
		checkMetrics(p.Metrics(), say)
	}
	if p.Knobs != nil {
		checkKnobs(p.Knobs(), say)
	}
	for _, w := range wrong {
		t.Errorf("lifecycletest: the panel of %q: %s", c.Name, w)
	}
	return len(wrong) == 0
}

type sayer func(format string, args ...any)

var (
	word = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	// What comes behind a name is put there by whoever writes it out.
	suffix = regexp.MustCompile(`_(total|count|sum|bucket|info)$`)
	// What a unit must not be: abbreviated, or a multiple of another.
	oddUnit = regexp.MustCompile(`(^|_)(ms|us|ns|secs?|milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|kb|mb|gb|kilobytes?|megabytes?|kib|mib|percent)($|_)`)
	unit    = regexp.MustCompile(`(^|_)(seconds|bytes)_`)
	// What the ledger of its gate is written out as.
	columns = []string{"offered", "accepted", "rejected", "done", "failed", "saved", "dropped", "lost", "inside"}
)

func checkMetrics(metrics []lifecycle.Metric, say sayer) {
	first, series := map[string]lifecycle.Metric{}, map[string]bool{}
	for _, m := range metrics {
		switch {
		case !word.MatchString(m.Name):
			say("metric %q: its name is not of lower case words joined by _", m.Name)
		case suffix.MatchString(m.Name):
			say("metric %q: its name ends as that of another type would", m.Name)
		case oddUnit.MatchString(m.Name), unit.MatchString(m.Name):
			say("metric %q: give seconds or bytes, as the last word", m.Name)
		case slices.Contains(columns, m.Name):
			say("metric %q: the ledger has a column of that name", m.Name)
		case !strings.HasSuffix(m.Help, "."):
			say("metric %q: its help %q is no sentence", m.Name, m.Help)
		}
		if f, ok := first[m.Name]; ok && (f.Help != m.Help || f.Type != m.Type) {
			say("metric %q: it is there with two types or help texts", m.Name)
		}
		first[m.Name] = m
		key := m.Name
		for _, label := range slices.Sorted(maps.Keys(m.Labels)) {
			if !word.MatchString(label) || label == "component" || label == "le" {
				say("metric %q: label %q cannot be used", m.Name, label)
			}
			key += "\xff" + label + "\xff" + m.Labels[label]
		}
		if series[key] {
			say("metric %q: it is there twice with the same labels %v", m.Name, m.Labels)
		}
		series[key] = true
		checkValue(m, say)
	}
}

func checkValue(m lifecycle.Metric, say sayer) {
	if m.Type == lifecycle.Counter && m.Value < 0 {
		say("metric %q: a counter of %v", m.Name, m.Value)
	}
	if (m.Type == lifecycle.Distribution) != (m.Buckets != nil) {
		say("metric %q: a distribution has buckets, and nothing else has", m.Name)
	}
	below := uint64(0)
	for _, bound := range slices.Sorted(maps.Keys(m.Buckets)) {
		if m.Buckets[bound] < below {
			say("metric %q: fewer samples up to %v than up to the bound before: buckets hold those of all lower ones too", m.Name, bound)
		}
		below = m.Buckets[bound]
	}
	if below > m.Count {
		say("metric %q: %d samples in buckets, and %d in all", m.Name, below, m.Count)
	}
}

func checkKnobs(knobs []lifecycle.Knob, say sayer) {
	names := map[string]bool{}
	for _, k := range knobs {
		if names[k.Name] || k.Name == "" {
			say("knob %q: there are two of that name, or it has none", k.Name)
		}
		names[k.Name] = true
		if !strings.HasSuffix(k.Help, ".") {
			say("knob %q: its help %q is no sentence", k.Name, k.Help)
		}
		if _, err := json.Marshal(k); err != nil {
			say("knob %q: %v", k.Name, err)
		}
		ok := false
		switch v := k.Value.(type) {
		case int64:
			ok = k.Type == lifecycle.IntKnob && within(k, v)
		case float64:
			ok = k.Type == lifecycle.FloatKnob && within(k, v)
		case time.Duration:
			ok = k.Type == lifecycle.DurationKnob && within(k, v)
		case bool:
			ok = k.Type == lifecycle.BoolKnob
		case string:
			ok = k.Type == lifecycle.ChoiceKnob && slices.Contains(k.Choices, v)
		}
		if !ok {
			say("knob %q: its value %v (%T) is not of its type %s, or not within its bounds", k.Name, k.Value, k.Value, k.Type)
		}
	}
}

// within reports whether v is within the bounds, and these are of its type.
func within[T int64 | float64 | time.Duration](k lifecycle.Knob, v T) bool {
	ok := true
	if k.Min != nil {
		least, is := k.Min.(T)
		ok = is && v >= least
	}
	if k.Max != nil {
		most, is := k.Max.(T)
		ok = ok && is && v <= most
	}
	return ok
}
