package actuator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Logger is a logger whose level can be read and set at /loggers. Its level is
// a knob of a component ([lifecycle.ChoiceKnob]), so that a change goes through
// the one door for changes, stands in the audit, and can hold for a time only.
type Logger struct {
	// Name is what it is called: "ROOT" for the one that all others hang from.
	Name string
	// Component and Knob say what is turned.
	Component, Knob string
	// Configured is the level that it was started with, and that a reset goes
	// back to: one of the knob's choices.
	Configured string
}

// WithLoggers shows loggers at /loggers. One whose component or knob is not
// there is left out. Without any the list is empty.
func WithLoggers(loggers ...Logger) Option {
	return func(o *options) { o.loggers = append(o.loggers, loggers...) }
}

func (a *Actuator) loggerEndpoints() []endpoint {
	return []endpoint{
		{Endpoint{
			ID: "loggers", Method: http.MethodGet, Path: "/loggers", Answer: loggers{},
			Summary: "The loggers with their levels, and the levels there are.",
		}, a.loggers},
		{Endpoint{
			ID: "loggers", Method: http.MethodGet, Path: "/loggers/{name}", Answer: logger{},
			Summary: "The level of one logger.",
		}, a.logger},
		{Endpoint{
			ID: "loggers", Method: http.MethodPost, Path: "/loggers/{name}", Write: true, Body: levelChange{},
			Query:   map[string]string{"ttl": "1s to 168h: how long it holds, then it is taken back"},
			Summary: "Sets the level of a logger; without a level, or with null, to what is configured.",
		}, a.setLogger},
	}
}

// loggers is Spring's.
type loggers struct {
	Levels  []string          `json:"levels"`
	Loggers map[string]logger `json:"loggers"`
	Groups  map[string]logger `json:"groups"`
}

type logger struct {
	ConfiguredLevel string `json:"configuredLevel,omitempty"`
	EffectiveLevel  string `json:"effectiveLevel"`
}

// levelChange is the body of a change.
type levelChange struct {
	ConfiguredLevel *string `json:"configuredLevel"`
}

func (a *Actuator) loggers(w http.ResponseWriter, r *http.Request) error {
	answer := loggers{Levels: []string{}, Loggers: map[string]logger{}, Groups: map[string]logger{}}
	seen := map[string]bool{}
	for _, l := range a.options.loggers {
		k, ok := a.levelKnob(l)
		if !ok {
			continue
		}
		answer.Loggers[l.Name] = levelOf(k)
		for _, choice := range k.Choices {
			if level := strings.ToUpper(choice); !seen[level] {
				seen[level] = true
				answer.Levels = append(answer.Levels, level)
			}
		}
	}
	return reply(w, r, http.StatusOK, answer)
}

func (a *Actuator) logger(w http.ResponseWriter, r *http.Request) error {
	_, k, err := a.findLogger(r.PathValue("name"))
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, levelOf(k))
}

func (a *Actuator) setLogger(w http.ResponseWriter, r *http.Request) error {
	if err := onlyKeys(r, "ttl"); err != nil {
		return err
	}
	ttl, err := spanOf(r, "ttl", 0, time.Second, maxTTL)
	if err != nil {
		return err
	}
	if err := wantJSON(r); err != nil {
		return err
	}
	var body levelChange
	if err := decode(r, &body); err != nil {
		return err
	}
	l, k, err := a.findLogger(r.PathValue("name"))
	if err != nil {
		return err
	}
	level := l.Configured
	if body.ConfiguredLevel != nil {
		if level, err = chosen(k, *body.ConfiguredLevel); err != nil {
			return err
		}
	}
	change := lifecycle.Change{Values: map[string]any{l.Knob: level}, For: ttl}
	change.By, change.From = a.asker(r)
	if _, err := a.turn(r, l.Component, change); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// chosen finds Spring's "DEBUG" among the choices of a knob.
func chosen(k lifecycle.Knob, level string) (string, error) {
	for _, choice := range k.Choices {
		if strings.EqualFold(choice, level) {
			return choice, nil
		}
	}
	return "", problemf(http.StatusBadRequest, "there is no level %s; use one of %s", quoted(level), strings.ToUpper(strings.Join(k.Choices, ", ")))
}

func quoted(s string) string {
	text, _ := json.Marshal(clip(s)) // a string does not fail
	return string(text)
}

func (a *Actuator) findLogger(name string) (Logger, lifecycle.Knob, error) {
	for _, l := range a.options.loggers {
		if l.Name != name {
			continue
		}
		if k, ok := a.levelKnob(l); ok {
			return l, k, nil
		}
	}
	return Logger{}, lifecycle.Knob{}, problemf(http.StatusNotFound, "there is no logger %s; %s/loggers lists those there are", quoted(name), a.cfg.BasePath)
}

func (a *Actuator) levelKnob(l Logger) (lifecycle.Knob, bool) {
	list, _, err := a.conductor.Knobs(l.Component)
	if err != nil {
		return lifecycle.Knob{}, false
	}
	for _, k := range list {
		if k.Name == l.Knob && k.Type == lifecycle.ChoiceKnob {
			return k, true
		}
	}
	return lifecycle.Knob{}, false
}

func levelOf(k lifecycle.Knob) logger {
	level, _ := k.Value.(string)
	level = strings.ToUpper(level)
	return logger{level, level}
}
