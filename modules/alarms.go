package modules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// alarms watches the application, from before its first OnStart until after its
// receipt.
func alarms() fx.Option {
	return fx.Options(
		fx.Provide(newAlarms),
		// Nobody need ask for it.
		fx.Invoke(func(*alarm.Watch) {}),
	)
}

func alarmConfig() fx.Option { return Section("alarms", AlarmConfig{}) }

type alarmsIn struct {
	fx.In

	Lifecycle  fx.Lifecycle
	Conductor  *lifecycle.Conductor `optional:"true"`
	Config     AlarmConfig          `optional:"true"`
	Management ManagementConfig     `optional:"true"` // says what is no secret
	Logger     *zap.Logger          `optional:"true"`
}

// newAlarms is nil where nothing is to be watched, or nobody knows what there
// is.
func newAlarms(in alarmsIn) (*alarm.Watch, error) {
	if in.Conductor == nil || !in.Config.enabled() {
		return nil, nil
	}
	log := in.Logger
	if log == nil {
		log = zap.NewNop()
	}
	cfg, err := in.Config.watch(logSink{log})
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	watch, err := alarm.New(in.Conductor, cfg,
		alarm.WithEncoder(in.Management.Actuator.Masked),
		alarm.WithTrouble(func(receiver string, notices int, err error) {
			log.Warn("alarms not delivered", zap.String("receiver", receiver), zap.Int("notices", notices), zap.Error(err))
		}))
	if err != nil {
		return nil, err
	}
	watch.Mute(in.Config.Muted)
	attendAlarms(in.Lifecycle, watch, func(ctx context.Context) error {
		warnOfRules(log, watch, cfg.Rules)
		return watch.Start(ctx)
	}, log)
	return watch, nil
}

// warnOfRules: which alarms there are is known when all is constructed.
func warnOfRules(log *zap.Logger, watch *alarm.Watch, rules []alarm.Rule) {
	for _, i := range watch.UnusedRules() {
		log.Warn("alarms: a rule fits no alarm of any component, so it changes nothing; GET /actuator/alarms names all there are",
			zap.String("rule", fmt.Sprintf("alarms.rules[%d]", i)), zap.String("component", rules[i].Component), zap.String("alarm", rules[i].Alarm))
	}
}

// lastWords is how long is waited for messages when everything else is over. It
// leaves some of the time of a witness for saying what did not arrive.
const lastWords = 60 * time.Millisecond

// attendAlarms: the witness sees everything; the component has the time of a
// stop in which messages are sent.
func attendAlarms(lc fx.Lifecycle, watch *alarm.Watch, open func(context.Context) error, log *zap.Logger) {
	lifecycle.Attend(lc, lifecycle.Witness{
		Name: "alarms",
		Open: open,
		Close: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, lastWords)
			defer cancel()
			if err := watch.Stop(ctx); err != nil {
				log.Warn("alarms: they have not ended cleanly", zap.Error(err))
			}
		},
	})
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "alarms",
		Band: lifecycle.Sink,
		OnStop: func(ctx context.Context) error {
			// What is not done in this time is in the next.
			_ = watch.Flush(ctx)
			return nil
		},
		// When the stop is cut, OnStop has no time; this has some kept for it, and
		// just then there is an alarm to tell. A receiver that is dead is no fault
		// of the stop.
		PreDestroy: func(ctx context.Context) error {
			if err := watch.Flush(ctx); err != nil {
				log.Warn("alarms: not everything could be told in time", zap.Error(err))
			}
			return nil
		},
		Describe: func() []string { return describeAlarms(watch) },
		Panel:    alarmPanel(watch),
	})
}

// describeAlarms says for the receipt who was not told of something.
func describeAlarms(watch *alarm.Watch) (lines []string) {
	for _, r := range watch.Receivers() {
		if missed := r.Failed + r.Dropped + uint64(r.Pending); missed > 0 {
			lines = append(lines, fmt.Sprintf("%s has got %d notices, and not %d others; last: %s", r.Name, r.Delivered, missed, cmp.Or(r.LastError, "still on their way")))
		}
	}
	return lines
}

// mutedKnob keeps everybody from being told, for as long as a ttl says.
const mutedKnob = "muted"

func alarmPanel(watch *alarm.Watch) *lifecycle.Panel {
	return &lifecycle.Panel{
		Kind:    "notifier",
		Stats:   func() any { return alarmStatsOf(watch) },
		Metrics: func() []lifecycle.Metric { return alarmStatsOf(watch).metrics() },
		Health:  func(context.Context) lifecycle.Health { return alarmStatsOf(watch).health() },
		Knobs: func() []lifecycle.Knob {
			return []lifecycle.Knob{{
				Name: mutedKnob, Key: "alarms.muted", Type: lifecycle.BoolKnob, Value: watch.Muted(),
				Help: "Nobody is told of alarms; what is raised is shown, and told later if it lasts.",
			}}
		},
		Turn: func(_ context.Context, values map[string]any) error {
			if muted, ok := values[mutedKnob].(bool); ok {
				watch.Mute(muted)
			}
			return nil
		},
	}
}

// alarmStats is what the component shows; /alarms shows all.
type alarmStats struct {
	Watched   int                    `json:"watched"`
	Raised    int                    `json:"raised"`
	Muted     bool                   `json:"muted"`
	Receivers []alarm.ReceiverStatus `json:"receivers"`
}

func alarmStatsOf(watch *alarm.Watch) alarmStats {
	s := alarmStats{Muted: watch.Muted(), Receivers: watch.Receivers()}
	s.Watched, s.Raised = watch.Counts()
	return s
}

func (s alarmStats) metrics() []lifecycle.Metric {
	metrics := []lifecycle.Metric{
		{Name: "watched_alarms", Help: "Alarms that are looked at.", Value: float64(s.Watched)},
		{Name: "raised_alarms", Help: "Those of them that are raised.", Value: float64(s.Raised)},
		{Name: "muted", Help: "1: nobody is told.", Value: float64(number(s.Muted))},
	}
	for _, r := range s.Receivers {
		add := func(name, help string, n uint64) {
			metrics = append(metrics, lifecycle.Metric{Name: name, Help: help, Type: lifecycle.Counter, Value: float64(n), Labels: map[string]string{"receiver": r.Name}})
		}
		add("delivered_notices", "Notices of alarms that have arrived.", r.Delivered)
		add("missed_notices", "Notices that could not be delivered, or for which there was no room.", r.Failed+r.Dropped)
		metrics = append(metrics, lifecycle.Metric{
			Name: "pending_notices", Help: "Notices that wait or are on their way.", Value: float64(r.Pending), Labels: map[string]string{"receiver": r.Name},
		})
	}
	return metrics
}

// health is a warning where somebody is not told.
func (s alarmStats) health() lifecycle.Health {
	for _, r := range s.Receivers {
		if r.LastError != "" {
			return lifecycle.Health{Status: lifecycle.Warning, Reason: fmt.Sprintf("%s was not told of the last alarm: %s; mend it, and try it with POST /actuator/alarms/%s/test", r.Name, r.LastError, r.Name)}
		}
	}
	return lifecycle.Health{Status: lifecycle.Up}
}

// raisedBy is what a dashboard asks for every second.
func raisedBy(watch *alarm.Watch) func() map[string][]string {
	if watch == nil {
		return nil
	}
	return watch.Raised
}

// alarmEndpoints show the alarms and try their receivers.
func alarmEndpoints(watch *alarm.Watch) []actuator.Custom {
	if watch == nil {
		return nil
	}
	return []actuator.Custom{
		{
			Endpoint: actuator.Endpoint{
				ID: "alarms", Method: http.MethodGet, Path: "/alarms", Answer: alarm.Status{},
				Query:   map[string]string{"component": "a name: only the alarms of that component"},
				Summary: "The alarms: those that are raised, all that are watched with what holds for them and their values, the last notices, who is told.",
			},
			Serve: func(r *http.Request) (any, error) { return watch.Status(r.URL.Query().Get("component")), nil },
		},
		{
			Endpoint: actuator.Endpoint{
				ID: "alarms", Method: http.MethodPost, Path: "/alarms/{receiver}/test", Answer: alarm.Trial{}, Write: true,
				Summary: "Sends a test to a receiver of alarms, and says whether it has arrived.",
			},
			Serve: func(r *http.Request) (any, error) { return testReceiver(watch, r) },
		},
	}
}

func testReceiver(watch *alarm.Watch, r *http.Request) (any, error) {
	by, from := asker(r)
	trial, err := watch.Test(r.Context(), r.PathValue("receiver"), by+" ("+from+")")
	switch {
	case err == nil:
		return trial, nil
	case errors.Is(err, alarm.ErrNoReceiver):
		return nil, actuator.Refusal(http.StatusNotFound, "%v", err)
	case errors.Is(err, alarm.ErrTesting), errors.Is(err, alarm.ErrNotOpen):
		return nil, actuator.Refusal(http.StatusConflict, "%v", err)
	default:
		return nil, actuator.Refusal(http.StatusBadGateway, "%v", err)
	}
}
