package alarm_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// stdout is a sink of one's own.
type stdout struct{ told chan struct{} }

func (s stdout) Send(_ context.Context, m alarm.Message) error {
	for _, n := range m.Notices {
		fmt.Println(n.State, n.Text)
		s.told <- struct{}{}
	}
	return nil
}

// A component of one's own names what a person may want to be woken for, and is
// watched.
func Example() {
	var level atomic.Int64
	tank := lifecycle.Hook{Name: "tank", Panel: &lifecycle.Panel{
		Kind: "tank",
		Alarms: []lifecycle.Alarm{{
			Name: "level", Help: "Open the valve.", Unit: "%", Threshold: 80,
			Value: func() float64 { return float64(level.Load()) },
		}},
	}}
	out := stdout{make(chan struct{}, 1)}
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Invoke(func(lc fx.Lifecycle, c *lifecycle.Conductor) error {
		watch, err := alarm.New(c, alarm.Config{
			Every:     20 * time.Millisecond,
			Rules:     []alarm.Rule{{Component: "tank*", Count: 1}},
			Receivers: map[string]alarm.Receiver{"out": {Sink: out}},
		})
		if err != nil {
			return err
		}
		lifecycle.Attend(lc, lifecycle.Witness{Name: "alarms", Open: watch.Start, Close: func(ctx context.Context) { _ = watch.Stop(ctx) }})
		lifecycle.Append(lc, lifecycle.Hook{Name: "alarms", Band: lifecycle.Sink, OnStop: watch.Flush})
		lifecycle.Append(lc, tank)
		return nil
	}))
	ctx := context.Background()
	_ = app.Start(ctx)
	level.Store(92)
	<-out.told
	_ = app.Stop(ctx)
	// Output: raised tank: level 92%, threshold 80%: Open the valve.
}
