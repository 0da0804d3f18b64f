package alarm_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// deaf is a sink that never answers, and looks at its context or not.
type deaf struct {
	ignores bool
	release chan struct{}
}

func (d deaf) Send(ctx context.Context, _ alarm.Message) error {
	if d.ignores {
		<-d.release
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// opening is a sink that takes its time to open.
type opening struct{ release chan struct{} }

func (o opening) Open(context.Context) error                { <-o.release; return nil }
func (o opening) Send(context.Context, alarm.Message) error { return nil }

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestStop(t *testing.T) {
	t.Parallel()
	run := inBubble(t)

	run("AlarmsAreLookedAtThroughTheDrain", func(t *testing.T) {
		gate := intake.New("tank")
		k := &tank{}
		hook := k.hook("tank")
		hook.Gate = gate
		s := stage(t, every(alarm.Rule{}), hook)
		visit, err := gate.Enter(t.Context())
		require.NoError(t, err)
		stopped := make(chan error)
		go func() { stopped <- s.Stop(within(t, 15*time.Second)) }()
		pass(time.Second)
		k.level.Store(99)
		pass(5 * time.Second)
		assert.Equal(t, lifecycle.Stopping, s.conductor.State())
		assert.Equal(t, []string{"raised level"}, s.inbox.told())
		visit.Done()
		require.NoError(t, <-stopped)
	})

	run("TheLastEvaluationIsInTheSinkBandAndIsDelivered", func(t *testing.T) {
		k := &tank{}
		hook := k.hook("tank")
		hook.OnStop = func(context.Context) error { k.spilt.Store(7); return nil }
		s := stage(t, every(alarm.Rule{}), hook)
		began := time.Now()
		require.NoError(t, s.Stop(within(t, 15*time.Second)))
		assert.Equal(t, []string{"raised spill"}, s.inbox.told())
		assert.Zero(t, time.Since(began), "nothing was waited for")
		assert.True(t, s.conductor.Receipt().Clean())
	})

	run("HookThatOverranIsTold", func(t *testing.T) {
		release := make(chan struct{})
		s := stage(t, alarm.Config{}, lifecycle.Hook{
			Name: "slow", Budget: lifecycle.Budget{Stop: time.Second},
			OnStop: func(context.Context) error { <-release; return nil },
		}, lifecycle.Hook{
			Name: "late", Budget: lifecycle.Budget{Stop: time.Second},
			OnStop: func(ctx context.Context) error { <-ctx.Done(); time.Sleep(10 * time.Millisecond); return nil },
		})
		require.Error(t, s.Stop(within(t, 15*time.Second)))
		close(release)
		texts := map[string]string{}
		for _, n := range s.inbox.notices() {
			assert.Equal(t, alarm.StopOverBudget, n.Alarm)
			assert.Equal(t, alarm.Raised, n.State)
			texts[n.Component] = n.Text
		}
		assert.Contains(t, texts["slow"], "hung")
		assert.Contains(t, texts["late"], "OnStop took 1.01 s of 1 s: ok")
		assert.Len(t, texts, 2)
	})

	run("StopPastItsSoftDeadlineIsToldAndStillDelivered", func(t *testing.T) {
		release := make(chan struct{})
		var stuck []lifecycle.Hook
		for range 3 {
			stuck = append(stuck, lifecycle.Hook{
				Name:       "stuck",
				OnStop:     func(context.Context) error { <-release; return nil },
				PreDestroy: func(context.Context) error { <-release; return nil },
			})
		}
		s := stage(t, alarm.Config{}, stuck...)
		require.Error(t, s.Stop(within(t, 10*time.Second)))
		close(release)
		require.NotEmpty(t, s.conductor.Receipt().Cut)
		var whole []alarm.Notice
		for _, n := range s.inbox.notices() {
			if n.Component == alarm.Application {
				whole = append(whole, n)
			}
		}
		require.Len(t, whole, 1, "once")
		assert.Contains(t, whole[0].Text, "application: the stop is cut after ")
		assert.Contains(t, whole[0].Text, "soft deadline")
	})

	run("CutIsTold", func(t *testing.T) {
		s := stage(t, alarm.Config{}, lifecycle.Hook{
			Name: "stuck", OnStop: func(ctx context.Context) error { <-ctx.Done(); return nil },
		})
		stopped := make(chan struct{})
		go func() { defer close(stopped); _ = s.Stop(within(t, 15*time.Second)) }()
		pass(time.Second)
		s.conductor.Cut(nil)
		<-stopped
		assert.Contains(t, s.inbox.told(), "raised stop_over_budget")
	})

	for name, dead := range map[string]deaf{"DeadReceiverDoesNotHoldTheStop": {}, "ReceiverThatIgnoresItsContextDoesNotEither": {ignores: true}} {
		run(name, func(t *testing.T) {
			dead := dead
			dead.release = make(chan struct{})
			k := &tank{}
			cfg := every(alarm.Rule{})
			cfg.FlushTimeout = 2 * time.Second
			cfg.Receivers = map[string]alarm.Receiver{"dead": {Sink: dead, Timeout: time.Hour}}
			s := stage(t, cfg, k.hook("tank"))
			k.level.Store(90)
			pass(6 * time.Second)
			assert.Equal(t, []string{"raised level"}, s.inbox.told(), "the other one has it at once")
			began := time.Now()
			err := s.Stop(within(t, 15*time.Second))
			assert.Less(t, time.Since(began), 4*time.Second, "the flush and the time of a witness, in the bubble")
			require.ErrorContains(t, err, "1 notices are still on their way to dead")
			close(dead.release)
			synctest.Wait()
		})
	}

	run("NeverStartedTwiceAndWithoutAStart", func(t *testing.T) {
		s := stage(t, alarm.Config{})
		w, err := alarm.New(s.conductor, alarm.Config{})
		require.NoError(t, err)
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Stop(t.Context()))
		require.NoError(t, w.Stop(t.Context()))
		require.ErrorContains(t, w.Start(t.Context()), "after Stop")
		require.NoError(t, w.Stop(within(t, time.Second)), "what was not started has nothing to wait for")
		require.ErrorContains(t, s.watch.Start(t.Context()), "called twice")
		s.RequireStop()
		require.NoError(t, s.watch.Stop(t.Context()))
		require.NoError(t, s.watch.Flush(t.Context()), "and nothing waits for who is gone")
	})

	run("StopDuringTheStartLeavesNothingRunning", func(t *testing.T) {
		s := stage(t, alarm.Config{})
		slow := opening{make(chan struct{})}
		w, err := alarm.New(s.conductor, alarm.Config{Receivers: map[string]alarm.Receiver{"slow": {Sink: slow}}})
		require.NoError(t, err)
		started := make(chan error)
		go func() { started <- w.Start(t.Context()) }()
		synctest.Wait()
		require.Error(t, w.Stop(within(t, time.Second)))
		close(slow.release)
		require.ErrorContains(t, <-started, "Stop was called meanwhile")
		require.NoError(t, w.Stop(t.Context()))
		s.RequireStop()
	})

	run("ValueThatHangsIsLeftToItself", func(t *testing.T) {
		release := make(chan struct{})
		s := stage(t, alarm.Config{}, lifecycle.Hook{Name: "hung", Panel: &lifecycle.Panel{Alarms: []lifecycle.Alarm{
			{Name: "x", Threshold: 1, Value: func() float64 { <-release; return 0 }},
		}}})
		pass(6 * time.Second)
		require.ErrorContains(t, s.Stop(within(t, 15*time.Second)), "no time for a last evaluation")
		require.ErrorContains(t, s.watch.Stop(within(t, 0)), "does not come back")
		close(release)
		synctest.Wait()
	})
}
