package alarm_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// inbox is a sink that keeps what it gets.
type inbox struct {
	mu       sync.Mutex
	messages []alarm.Message
	failing  error
	tries    int
}

func (i *inbox) Send(_ context.Context, m alarm.Message) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tries++
	if i.failing != nil {
		return i.failing
	}
	i.messages = append(i.messages, m)
	return nil
}

func (i *inbox) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failing = err
}

func (i *inbox) notices() (all []alarm.Notice) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, m := range i.messages {
		all = append(all, m.Notices...)
	}
	return all
}

// told is "state alarm" of each notice.
func (i *inbox) told() (all []string) {
	for _, n := range i.notices() {
		all = append(all, string(n.State)+" "+n.Alarm)
	}
	return all
}

// tank is a component of one's own, of which this package knows nothing.
type tank struct {
	level, spilt atomic.Int64
	looks        atomic.Int64
}

type tankStats struct {
	Level int64 `json:"level"`
	Spilt int64 `json:"spilt"`
}

func (k *tank) hook(name string) lifecycle.Hook {
	return lifecycle.Hook{Name: name, Panel: &lifecycle.Panel{
		Kind: "tank",
		Stats: func() any {
			k.looks.Add(1)
			return tankStats{k.level.Load(), k.spilt.Load()}
		},
		Alarms: []lifecycle.Alarm{
			{Name: "level", Help: "Open the valve.", Unit: "%", Threshold: 80, Of: func(s any) float64 { return float64(s.(tankStats).Level) }},
			{Name: "spill", Help: "Mop.", Threshold: 3, Grows: true, Of: func(s any) float64 { return float64(s.(tankStats).Spilt) }},
		},
	}}
}

// scene is an application with components, watched.
type scene struct {
	*fxtest.App
	t         *testing.T
	conductor *lifecycle.Conductor
	watch     *alarm.Watch
	inbox     *inbox
}

// stage starts an application with these hooks; the inbox is its receiver "ops".
func stage(t *testing.T, cfg alarm.Config, hooks ...lifecycle.Hook) *scene {
	t.Helper()
	s := &scene{t: t, inbox: &inbox{}}
	if cfg.Receivers == nil {
		cfg.Receivers = map[string]alarm.Receiver{}
	}
	cfg.Service = "shop"
	cfg.Receivers["ops"] = alarm.Receiver{Sink: s.inbox}
	s.App = fxtest.New(t, fx.NopLogger, lifecycle.Module(), fx.Populate(&s.conductor),
		fx.Invoke(func(lc fx.Lifecycle, c *lifecycle.Conductor) error {
			watch, err := alarm.New(c, cfg)
			if err != nil {
				return err
			}
			s.watch = watch
			lifecycle.Attend(lc, lifecycle.Witness{Name: "alarms", Open: watch.Start, Close: func(ctx context.Context) { _ = watch.Stop(ctx) }})
			lifecycle.Append(lc, lifecycle.Hook{Name: "alarms", Band: lifecycle.Sink, OnStop: watch.Flush, PreDestroy: watch.Flush})
			for _, h := range hooks {
				lifecycle.Append(lc, h)
			}
			return nil
		}))
	s.RequireStart()
	return s
}

// status is that of one alarm.
func (s *scene) status(component, name string) alarm.AlarmStatus {
	s.t.Helper()
	for _, a := range s.watch.Status(component).Alarms {
		if a.Alarm == name {
			return a
		}
	}
	require.Fail(s.t, "no such alarm", "%s of %s", name, component)
	return alarm.AlarmStatus{}
}

// every is a rule that counts once and remembers for a minute.
func every(fields alarm.Rule) alarm.Config {
	if fields.Count == 0 {
		fields.Count = 1
	}
	return alarm.Config{Every: 5 * time.Second, Rules: []alarm.Rule{fields}}
}

func ptr[T any](v T) *T { return &v }
