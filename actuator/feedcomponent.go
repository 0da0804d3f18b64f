package actuator

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// feedComponent is a component in a picture. Its texts are masked before they
// come here: most of them do not change from picture to picture.
type feedComponent struct {
	Name   string                   `json:"name"`
	Kind   string                   `json:"kind"`
	Module string                   `json:"module,omitempty"`
	Band   lifecycle.Band           `json:"band"`
	State  lifecycle.ComponentState `json:"state"`
	Since  time.Time                `json:"since"`
	Moved  string                   `json:"moved,omitempty"`
	// StandsOn are the names of those that stop after it.
	StandsOn []string `json:"stands_on,omitempty"`

	Health lifecycle.Status `json:"health"`
	Reason string           `json:"reason,omitempty"`
	// Gate is its state; empty: there is none.
	Gate   string         `json:"gate"`
	Ledger *intake.Ledger `json:"ledger,omitempty"`
	// Metrics are gauges and counters, by "name" or "name{label=value}".
	Metrics json.RawMessage `json:"metrics,omitempty"`
	Dist    json.RawMessage `json:"dist,omitempty"`
	Panics  uint64          `json:"panics"`

	Start      *lifecycle.HookReport `json:"start,omitempty"`
	Stop       *lifecycle.HookReport `json:"stop,omitempty"`
	PreDestroy *lifecycle.HookReport `json:"pre_destroy,omitempty"`

	// Knobs is how many there are, Alarms are those that are raised.
	Knobs   int      `json:"knobs"`
	Actions []string `json:"actions,omitempty"`
	Alarms  []string `json:"alarms"`
}

// component asks a component for what is cheap to tell.
func (l *look) component(c lifecycle.Component, seen *looked) ([]byte, intake.Ledger) {
	mask := l.mask()
	shown := feedComponent{
		Name: seen.name, Kind: kindOf(c), Module: seen.module, Band: c.Band,
		State: c.State, Since: c.Since, Moved: mask.text(c.Moved), Panics: c.Panics,
		Start: mask.report(c.Start), Stop: mask.report(c.Stop), PreDestroy: mask.report(c.PreDestroy),
		StandsOn: l.names(c.StandsOn), Actions: seen.actions, Alarms: append([]string{}, l.raised[c.Name]...),
	}
	health := l.health(c, seen)
	shown.Health, shown.Reason = health.Status, mask.text(health.Reason)
	var ledger intake.Ledger
	if c.Gate != nil {
		shown.Gate = c.Gate.State().String()
		if read, err := c.Ledger(); err == nil {
			ledger, shown.Ledger = read, &read
		}
	}
	if c.Panel != nil && l.live() {
		shown.Knobs = l.knobs(c, seen)
		if c.Panel.Metrics != nil {
			metrics := c.Panel.Metrics()
			l.legend.add(kindOf(c), metrics, mask)
			shown.Metrics, shown.Dist = mask.numbers(metrics), distributions(metrics, mask)
		}
	}
	body, err := encode(shown)
	if err != nil { // a number that JSON has none for is null: there is nothing else that fails
		return []byte("null"), ledger
	}
	return body[:len(body)-1], ledger
}

// health never waits: until a component has answered, its last answer holds.
func (l *look) health(c lifecycle.Component, seen *looked) lifecycle.Health {
	if c.State != lifecycle.ComponentStarted || c.Panel == nil || c.Panel.Health == nil {
		return byState(c)
	}
	call := l.checks.ask(l.Actuator, c.Name, l.cfg.Health.Timeout, feedHealth, c.Panel.Health)
	switch answer, answered, late := call.look(); {
	case answered:
		seen.health = answer
		fill(&seen.health.Status, lifecycle.Unknown)
	case late:
		seen.health = lifecycle.Health{Status: lifecycle.Unknown, Reason: fmt.Sprintf("it was asked and has not answered within %v", l.cfg.Health.Timeout)}
	}
	if seen.health.Status == "" {
		l.waits = true
		return lifecycle.Health{Status: lifecycle.Unknown, Reason: "it has not answered yet"}
	}
	if !slices.Contains(worstFirst, seen.health.Status) {
		seen.health.Status = lifecycle.Unknown
	}
	return seen.health
}

// knobs is how many there are, which does not change.
func (l *look) knobs(c lifecycle.Component, seen *looked) int {
	if seen.knobs == 0 && c.Panel.Knobs != nil {
		seen.knobs = len(c.Panel.Knobs())
	}
	return seen.knobs
}

// report is a hook's, without the secrets of its error.
func (m mask) report(r *lifecycle.HookReport) *lifecycle.HookReport {
	if r == nil || r.Error == "" && r.Stack == "" {
		return r
	}
	shown := *r
	shown.Error, shown.Stack = m.text(r.Error), m.text(r.Stack)
	return &shown
}

// numbers are the gauges and counters.
func (m mask) numbers(metrics []lifecycle.Metric) json.RawMessage {
	b := []byte{'{'}
	for _, metric := range metrics {
		if metric.Type == lifecycle.Distribution {
			continue
		}
		b = appendFloat(m.appendKey(b, metric), metric.Value)
	}
	return append(b, '}')
}

// distributions are the others.
func distributions(metrics []lifecycle.Metric, m mask) json.RawMessage {
	b := []byte{'{'}
	for _, metric := range metrics {
		if metric.Type != lifecycle.Distribution {
			continue
		}
		b = append(m.appendKey(b, metric), `{"count":`...)
		b = strconv.AppendUint(b, metric.Count, 10)
		b = appendFloat(append(b, `,"sum":`...), metric.Sum)
		b = append(b, `,"buckets":[`...)
		for _, bound := range slices.Sorted(maps.Keys(metric.Buckets)) {
			if math.IsInf(bound, 0) || math.IsNaN(bound) || metric.Count == 0 {
				continue // that is the count
			}
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = appendFloat(append(b, '['), bound)
			b = strconv.AppendUint(append(b, ','), metric.Buckets[bound], 10)
			b = append(b, ']')
		}
		b = append(b, "]}"...)
	}
	if len(b) == 1 {
		return nil
	}
	return append(b, '}')
}

// appendKey begins a member of an object.
func (m mask) appendKey(b []byte, metric lifecycle.Metric) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	raw, _ := encode(m.keyOf(metric)) // a text can always be encoded
	return append(append(b, raw[:len(raw)-1]...), ':')
}

// keyOf is "name" or "name{label=value}".
func (m mask) keyOf(metric lifecycle.Metric) string {
	if len(metric.Labels) == 0 {
		return metric.Name
	}
	labels := make([]string, 0, len(metric.Labels))
	for _, label := range sortedKeys(metric.Labels) {
		value := m.text(metric.Labels[label])
		if m.secret(label) {
			value = masked
		}
		labels = append(labels, label+"="+value)
	}
	return metric.Name + "{" + strings.Join(labels, ",") + "}"
}

// appendFloat writes null for what JSON has no number for.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}
