package actuator

import (
	"os"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// hello is what a viewer is told before the first picture.
type hello struct {
	// Process is that of the ids of events: another one is another process.
	Process  string     `json:"process"`
	Name     string     `json:"name"`
	Version  string     `json:"version"`
	Go       string     `json:"go"`
	PID      int        `json:"pid"`
	Began    time.Time  `json:"began"`
	EveryMS  int64      `json:"every_ms"`
	ReadOnly bool       `json:"read_only"`
	BasePath string     `json:"base_path"`
	Has      []Endpoint `json:"endpoints"`
	Legend   legend     `json:"legend"`
}

// legend says what metrics mean, by kind and name.
type legend map[string]map[string]meaning

type meaning struct {
	Help string `json:"help"`
	Type string `json:"type"`
}

// add takes in what is new. What a metric means does not change.
func (l legend) add(kind string, metrics []lifecycle.Metric, m mask) {
	for _, metric := range metrics {
		if _, known := l[kind][metric.Name]; known {
			continue
		}
		if l[kind] == nil {
			l[kind] = map[string]meaning{}
		}
		l[kind][metric.Name] = meaning{m.text(metric.Help), metric.Type.String()}
	}
}

func (l legend) size() (n int) {
	for _, metrics := range l {
		n += len(metrics)
	}
	return n
}

// hello is its JSON, when there is something new in it; nil: there is not.
func (l *look) hello() []byte {
	size := l.legend.size()
	if size == l.known {
		return nil
	}
	l.known = size
	own := l.ownInfo()
	body, err := encode(hello{
		Process: l.process(), Name: l.serviceName(own), Version: own.Build.Version, Go: own.Go.Version,
		PID: os.Getpid(), Began: l.began, EveryMS: feedEvery.Milliseconds(), ReadOnly: l.cfg.ReadOnly,
		BasePath: l.cfg.BasePath, Has: l.Endpoints(), Legend: l.legend,
	})
	if err != nil {
		return nil
	}
	return body[:len(body)-1]
}

// serviceName is what /info tells as build.name.
func (a *Actuator) serviceName(own info) string {
	if build, ok := a.cfg.Info["build"].(map[string]any); ok {
		if name, ok := build["name"].(string); ok {
			return a.mask().text(name)
		}
	}
	return own.Build.Name
}
