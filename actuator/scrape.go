package actuator

import (
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// scrape is the collector that looks at the components when it is scraped. It
// describes nothing beforehand: what there is, the panels say.
type scrape struct {
	*Actuator

	mu  sync.Mutex
	bad map[string]uint64 // metrics that could not be told, by component
}

func newScrape(a *Actuator) *scrape { return &scrape{Actuator: a, bad: map[string]uint64{}} }

// Describe implements [prometheus.Collector].
func (s *scrape) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (s *scrape) Collect(out chan<- prometheus.Metric) {
	p := newPass(s.cfg.MetricPrefix, out)
	p.gauge("ready", "Whether everything has started, no stop has begun, and nobody has drained it.", truth(s.conductor.Ready()))
	for _, c := range s.conductor.Components() {
		p.gauge("component_started", "Whether the component has started and does not stop yet.", truth(c.State == lifecycle.ComponentStarted),
			"component", c.Name, "kind", kindOf(c), "module", c.Module)
		s.addGate(p, c)
		if c.Panel != nil && c.Panel.Metrics != nil && s.live() {
			for _, m := range c.Panel.Metrics() {
				if err := p.add(kindOf(c), c.Name, m); err != nil {
					s.count(c.Name)
				}
			}
		}
	}
	s.addFailures(p)
}

func (s *scrape) count(component string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad[component]++
}

// addFailures comes last, so that it knows of what has gone wrong just now.
func (s *scrape) addFailures(p *pass) {
	for _, c := range s.conductor.Components() {
		if c.Panel == nil {
			continue
		}
		s.mu.Lock()
		bad := s.bad[c.Name]
		s.mu.Unlock()
		p.counter("panel_bad_metrics_total", "Metrics of the component that could not be told: wrong name, type or labels, or twice.", bad, "component", c.Name)
		p.counter("panel_panics_total", "Panics of functions of the component's panel.", c.Panics, "component", c.Name)
	}
}

// addGate tells the ledger: both equations can be checked in the time series.
func (s *scrape) addGate(p *pass, c lifecycle.Component) {
	l, err := c.Ledger()
	if c.Gate == nil || err != nil {
		return
	}
	labels := []string{"component", c.Name, "kind", kindOf(c), "gate", c.Gate.Name()}
	for _, column := range []struct {
		name, help string
		n          uint64
	}{
		{"offered", "Work that came to the gate.", l.Offered},
		{"accepted", "Work that was let in.", l.Accepted},
		{"rejected", "Work that was refused.", l.Rejected},
		{"done", "Accepted work that was finished.", l.Done},
		{"failed", "Accepted work that ended in a recorded error.", l.Failed},
		{"saved", "Accepted work that was put where it can be found again.", l.Saved},
		{"dropped", "Accepted work that a discard policy threw away.", l.Dropped},
		{"lost", "Accepted work of which nothing is left.", l.Lost},
	} {
		p.counter("gate_"+column.name+"_total", column.help, column.n, labels...)
	}
	p.gauge("gate_inside", "Accepted work that is in the component now.", float64(l.Inside), labels...)
	p.gauge("gate_open", "Whether the gate lets work in.", truth(c.Gate.State() == intake.Open), labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// key tells one series from another.
func key(name string, labels []string) string {
	for _, l := range labels {
		name += strconv.Quote(l)
	}
	return name
}
