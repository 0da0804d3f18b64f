package modules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/config"
)

// AlarmConfig is the section "alarms". The zero value tells the log of every
// alarm, at the thresholds of the components.
type AlarmConfig struct {
	// Enabled is whether anything is watched. Zero: it is.
	Enabled *bool `yaml:"enabled"`
	// Muted keeps everybody from being told; what is raised is still shown. It
	// is a knob of the component "alarms". Zero: they are told.
	Muted bool `yaml:"muted"`
	// Service is the name by which messages call this program. Zero: the name of
	// the executable.
	Service string `yaml:"service"`
	// Every is the time between two evaluations. Zero: 5 s.
	Every time.Duration `yaml:"every"`
	// FlushTimeout is how long a stop waits for messages on their way. Zero: 3 s.
	FlushTimeout time.Duration `yaml:"flush_timeout"`
	// History is how many notices are kept to be shown. Zero: 200.
	History int `yaml:"history"`
	// Receivers are who is told, by name. "log" is always there.
	Receivers map[string]AlarmReceiver `yaml:"receivers"`
	// Rules say what is done about which alarm; of several that fit, each field
	// is that of the first that gives it. Zero: everybody is told of everything.
	Rules []alarm.Rule `yaml:"rules"`
}

// AlarmReceiver is one who is told of alarms.
type AlarmReceiver struct {
	// Type is slack, lark (Feishu too), dingtalk, wecom, webhook for plain JSON,
	// or log. It must be given.
	Type string `yaml:"type"`
	// URL is the address of the webhook. Whoever has it can write there.
	URL config.Secret `yaml:"url"`
	// Secret signs what is sent (lark, dingtalk, webhook). Zero: nothing is
	// signed.
	Secret config.Secret `yaml:"secret"`
	// Method is POST, PUT or PATCH. Zero: POST.
	Method string `yaml:"method"`
	// Headers are added to the request. Zero: none.
	Headers map[string]config.Secret `yaml:"headers"`
	// Template is the path of a template of one's own for the body, see package
	// alarm. Zero: that of the type.
	Template string `yaml:"template"`
	// Timeout bounds one attempt. Zero: 5 s.
	Timeout time.Duration `yaml:"timeout"`
	// Attempts is how often a message is tried. Zero: 4.
	Attempts int `yaml:"attempts"`
	// Interval is the least time between two messages; what comes meanwhile goes
	// into the next. Zero: 3 s, as several platforms take 20 a minute; none for
	// webhook and log.
	Interval time.Duration `yaml:"interval"`
	// Queue is how many notices may wait, at most alarm.MaxQueue. Zero: 100; as
	// many as may be for log.
	Queue int `yaml:"queue"`
}

// Validate reports every wrong field, without their secrets.
func (c AlarmConfig) Validate() error {
	_, err := c.watch(nil)
	return err
}

func (c AlarmConfig) enabled() bool { return c.Enabled == nil || *c.Enabled }

// watch makes of the section what package alarm wants. log is the sink of the
// log; nil where it only matters what is wrong.
func (c AlarmConfig) watch(log alarm.Sink) (alarm.Config, error) {
	if log == nil {
		log = logSink{}
	}
	made := alarm.Config{
		Service: c.Service, Every: c.Every, FlushTimeout: c.FlushTimeout, History: c.History, Rules: c.Rules,
		Receivers: map[string]alarm.Receiver{alarm.Log: {Sink: log, Queue: alarm.MaxQueue}},
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Receivers)) {
		r := c.Receivers[name]
		receiver, wrong := r.receiver(name, log)
		made.Receivers[name] = receiver
		for _, err := range wrong {
			errs = append(errs, fmt.Errorf("receivers.%s.%w", name, err))
		}
	}
	return made, errors.Join(append(errs, made.Validate())...)
}

func (r AlarmReceiver) receiver(name string, log alarm.Sink) (made alarm.Receiver, wrong []error) {
	made = alarm.Receiver{Sink: log, Timeout: r.Timeout, Attempts: r.Attempts, Interval: r.Interval, Queue: r.Queue}
	switch {
	case r.Type == alarm.Log:
		for _, f := range []struct {
			name  string
			given bool
		}{
			{"url", r.URL.Reveal() != ""}, {"secret", r.Secret.Reveal() != ""}, {"method", r.Method != ""},
			{"headers", len(r.Headers) > 0}, {"template", r.Template != ""},
		} {
			if f.given {
				wrong = append(wrong, fmt.Errorf("%s: the log has none; leave it out", f.name))
			}
		}
		if r.Queue == 0 {
			made.Queue = alarm.MaxQueue // a line is soon written, whatever needs somebody at once
		}
		return made, wrong
	case name == alarm.Log:
		return made, []error{fmt.Errorf("type: the receiver %q is of the type log; give another one another name", name)}
	}
	hook, err := alarm.NewWebhook(r.webhook())
	if err != nil {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			return made, joined.Unwrap()
		}
		return made, []error{err}
	}
	made.Sink = hook
	if r.Interval == 0 && alarm.Platform(r.Type) != alarm.Plain {
		made.Interval = alarm.WebhookInterval
	}
	return made, nil
}

func (r AlarmReceiver) webhook() alarm.WebhookConfig {
	headers := map[string]string{}
	for name, value := range r.Headers {
		headers[name] = value.Reveal()
	}
	return alarm.WebhookConfig{
		Platform: alarm.Platform(r.Type), URL: r.URL.Reveal(), Method: r.Method,
		Headers: headers, Secret: r.Secret.Reveal(), Template: r.Template,
	}
}
