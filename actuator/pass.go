package actuator

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lastcall-go/lastcall/internal/secret"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// pass is one scrape. It looks at every metric before the registry does, since
// what the registry refuses it refuses for all of that name, in nobody's name.
type pass struct {
	prefix   string
	out      chan<- prometheus.Metric
	families map[string]family
	told     map[string]bool // series, by key
}

// family is what metrics of one name have in common. The first decides.
type family struct {
	help   string
	typ    lifecycle.MetricType
	labels string
}

func newPass(prefix string, out chan<- prometheus.Metric) *pass {
	return &pass{prefix: prefix, out: out, families: map[string]family{}, told: map[string]bool{}}
}

// gauge and counter tell our own, whose names, types and labels are right.
func (p *pass) gauge(name, help string, value float64, labels ...string) {
	p.own(name, help, lifecycle.Gauge, value, labels)
}

func (p *pass) counter(name, help string, value uint64, labels ...string) {
	p.own(name, help, lifecycle.Counter, float64(value), labels)
}

// own tells a metric of ours; labels are names and values in turn. A name of
// ours that a panel has taken before is the panel's.
func (p *pass) own(name, help string, typ lifecycle.MetricType, value float64, labels []string) {
	m := lifecycle.Metric{Help: help, Type: typ, Value: value, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		m.Labels[labels[i]] = labels[i+1]
	}
	_ = p.tell(p.prefix+"_"+name, m, m.Labels)
}

var (
	validName  = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	validLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	notInName  = regexp.MustCompile(`[^a-zA-Z0-9_]`)
)

// add tells what a panel says.
func (p *pass) add(kind, component string, m lifecycle.Metric) error {
	if !validName.MatchString(m.Name) {
		return fmt.Errorf("the name %q is none; use letters, digits and _", clip(m.Name))
	}
	labels := map[string]string{"component": component}
	for name, value := range m.Labels {
		if !validLabel.MatchString(name) || strings.HasPrefix(name, "__") || name == "component" || name == "le" {
			return fmt.Errorf("the label %q cannot be used; use letters, digits and _, and not component or le", clip(name))
		}
		labels[name] = value
	}
	name := p.prefix + "_" + inName(kind) + "_" + m.Name
	if m.Type == lifecycle.Counter && !strings.HasSuffix(name, "_total") {
		name += "_total"
	}
	if m.Help == "" {
		m.Help = fmt.Sprintf("%s of a %s.", strings.ReplaceAll(m.Name, "_", " "), kind)
	}
	return p.tell(name, m, labels)
}

// inName is a kind as a part of a metric's name: "cold-store" and "ColdStore"
// are cold_store, as promtool wants it.
func inName(kind string) string {
	return notInName.ReplaceAllString(strings.Join(secret.Words(kind), "_"), "_")
}

// tell hands one metric to the scrape, if it fits to what was told before.
func (p *pass) tell(name string, m lifecycle.Metric, labels map[string]string) error {
	names := slices.Sorted(maps.Keys(labels))
	values := make([]string, len(names))
	for i, n := range names {
		values[i] = strings.ToValidUTF8(secret.Text(labels[n]), "?")
	}
	f := family{strings.ToValidUTF8(m.Help, "?"), m.Type, strings.Join(names, ",")}
	if first, ok := p.families[name]; ok {
		f.help = first.help
		if f != first {
			return fmt.Errorf("%s was told with another type or other labels", name)
		}
	}
	series := key(name, values)
	if p.told[series] {
		return fmt.Errorf("%s was told twice", name)
	}
	metric, err := metricOf(prometheus.NewDesc(name, f.help, names, nil), m, values)
	if err != nil {
		return err
	}
	p.families[name], p.told[series] = f, true
	p.out <- metric
	return nil
}

var errBuckets = errors.New("the buckets are no distribution: bounds must be numbers, and what they hold grows with them up to the count")

func metricOf(desc *prometheus.Desc, m lifecycle.Metric, values []string) (prometheus.Metric, error) {
	switch m.Type {
	case lifecycle.Gauge:
		return prometheus.NewConstMetric(desc, prometheus.GaugeValue, m.Value, values...)
	case lifecycle.Counter:
		if !(m.Value >= 0) {
			return nil, fmt.Errorf("a counter cannot be %v", m.Value)
		}
		return prometheus.NewConstMetric(desc, prometheus.CounterValue, m.Value, values...)
	case lifecycle.Distribution:
		buckets := maps.Clone(m.Buckets)
		delete(buckets, math.Inf(1)) // it is the count, and written by itself
		if !cumulative(buckets, m.Count) {
			return nil, errBuckets
		}
		return prometheus.NewConstHistogram(desc, m.Count, m.Sum, buckets, values...)
	default:
		return nil, fmt.Errorf("%v is no type of a metric", m.Type)
	}
}

// cumulative reports whether each bucket holds at least what those below hold.
func cumulative(buckets map[float64]uint64, count uint64) bool {
	var below uint64
	for _, bound := range slices.Sorted(maps.Keys(buckets)) {
		if math.IsNaN(bound) || math.IsInf(bound, 0) || buckets[bound] < below || buckets[bound] > count {
			return false
		}
		below = buckets[bound]
	}
	return true
}
