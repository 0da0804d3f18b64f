package alarm_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// inBubble runs a subtest in a bubble of its own.
func inBubble(t *testing.T) func(name string, test func(*testing.T)) {
	t.Helper()
	return func(name string, test func(*testing.T)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, test)
		})
	}
}

// pass lets time pass, and all that it brings happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestWatch(t *testing.T) {
	t.Parallel()
	run := inBubble(t)

	run("ComponentOfOnesOwnIsRaisedAndResolved", func(t *testing.T) {
		k := &tank{}
		s := stage(t, alarm.Config{}, k.hook("tank:north"))
		k.level.Store(92)
		pass(6 * time.Second)
		assert.Empty(t, s.inbox.notices(), "once is not yet an alarm")
		pass(5 * time.Second)
		notices := s.inbox.notices()
		require.Len(t, notices, 1)
		n := notices[0]
		assert.Equal(t, alarm.Raised, n.State)
		assert.Equal(t, "tank:north: level 92%, threshold 80%: Open the valve.", n.Text)
		assert.Equal(t, "tank", n.Kind)
		assert.JSONEq(t, `{"level": 92, "spilt": 0}`, string(n.Stats))
		assert.Equal(t, []string{"ops"}, n.Receivers)

		k.level.Store(10)
		pass(50 * time.Second)
		assert.True(t, s.status("tank:north", "level").Raised, "it was over within the period")
		assert.Equal(t, map[string][]string{"tank:north": {"level"}}, s.watch.Raised())
		pass(10 * time.Second)
		notices = s.inbox.notices()
		require.Len(t, notices, 2)
		assert.Equal(t, alarm.Resolved, notices[1].State)
		assert.Contains(t, notices[1].Text, "tank:north: level 10%, threshold 80%: resolved after 1m")
		assert.False(t, s.status("tank:north", "level").Raised)
		assert.Empty(t, s.watch.Raised())
		s.RequireStop()
	})

	run("CountsWithinThePeriodOnly", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{Count: 3, Period: 20 * time.Second}), k.hook("tank"))
		for range 4 { // over, then well for four evaluations
			k.level.Store(90)
			pass(5 * time.Second)
			k.level.Store(0)
			pass(20 * time.Second)
		}
		assert.Empty(t, s.inbox.notices())
		k.level.Store(90)
		pass(16 * time.Second)
		assert.Equal(t, []string{"raised level"}, s.inbox.told())
		s.RequireStop()
	})

	run("GrowthIsThatWithinThePeriod", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{Period: 30 * time.Second}), k.hook("tank"))
		for range 20 { // two in 30 s
			k.spilt.Add(1)
			pass(15 * time.Second)
		}
		assert.Empty(t, s.inbox.notices(), "slowly is no alarm, however much it comes to")
		k.spilt.Add(3)
		pass(6 * time.Second)
		require.Equal(t, []string{"raised spill"}, s.inbox.told())
		n := s.inbox.notices()[0]
		assert.GreaterOrEqual(t, n.Value, 3.0)
		assert.JSONEq(t, `{"level": 0, "spilt": 23}`, string(n.Stats))
		pass(40 * time.Second)
		assert.Equal(t, []string{"raised spill", "resolved spill"}, s.inbox.told())
		s.RequireStop()
	})

	run("WhatComesBeforeTheFirstLookHasGrownToo", func(t *testing.T) {
		k := &tank{}
		k.spilt.Store(3)
		s := stage(t, every(alarm.Rule{}), k.hook("tank"))
		pass(6 * time.Second)
		assert.Equal(t, []string{"raised spill"}, s.inbox.told())
		s.RequireStop()
	})

	run("SilenceKeepsItFromBeingRepeated", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{Period: 10 * time.Second, Silence: 5 * time.Minute}), k.hook("tank"))
		k.level.Store(90)
		pass(4 * time.Minute)
		assert.Equal(t, []string{"raised level"}, s.inbox.told())
		pass(90 * time.Second)
		require.Equal(t, []string{"raised level", "raised level"}, s.inbox.told())
		again := s.inbox.notices()[1]
		assert.Equal(t, 1, again.Repeats)
		assert.Contains(t, again.Text, "for 5m0s now")
		s.RequireStop()
	})

	run("WhatFlapsInTheSilenceIsCountedAndToldWhenItLasts", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{Period: 10 * time.Second, Silence: 5 * time.Minute}), k.hook("tank"))
		flap := func() {
			k.level.Store(90)
			pass(6 * time.Second)
			k.level.Store(0)
			pass(24 * time.Second)
		}
		for range 4 {
			flap()
		}
		assert.Equal(t, []string{"raised level", "resolved level"}, s.inbox.told(), "the others were not told, and so not their end")
		k.level.Store(90)
		pass(10 * time.Minute)
		notices := s.inbox.notices()
		require.GreaterOrEqual(t, len(notices), 3)
		assert.Equal(t, alarm.Raised, notices[2].State)
		assert.Equal(t, 3, notices[2].Silenced, "those that were never told; not this one")
		assert.Zero(t, notices[2].Repeats)
		s.RequireStop()
	})

	run("SnapshotIsThatWhichTriggeredIt", func(t *testing.T) {
		gate := intake.New("tank")
		k := &tank{}
		hook := k.hook("tank")
		hook.Gate = gate
		s := stage(t, every(alarm.Rule{}), hook)
		visit, err := gate.Enter(t.Context())
		require.NoError(t, err)
		s.inbox.fail(errors.New("not now"))
		k.level.Store(85)
		pass(6 * time.Second) // raised, and not delivered
		k.level.Store(12)
		visit.Done()
		s.inbox.fail(nil)
		pass(4 * time.Second)
		notices := s.inbox.notices()
		require.NotEmpty(t, notices)
		assert.InDelta(t, 85, notices[0].Value, 0)
		assert.JSONEq(t, `{"level": 85, "spilt": 0}`, string(notices[0].Stats))
		require.NotNil(t, notices[0].Ledger)
		assert.EqualValues(t, 1, notices[0].Ledger.Inside)
		s.RequireStop()
	})

	run("StatsAreAskedOnceForAllAlarms", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{}), k.hook("tank"))
		k.level.Store(95)
		k.spilt.Store(50)
		before := k.looks.Load()
		pass(5*time.Second + time.Millisecond)
		assert.EqualValues(t, 1, k.looks.Load()-before)
		assert.Len(t, s.inbox.notices(), 2)
		s.RequireStop()
	})

	run("RulesAreJoinedFieldByField", func(t *testing.T) {
		k := &tank{}
		other := &inbox{}
		s := stage(t, alarm.Config{
			Receivers: map[string]alarm.Receiver{"night": {Sink: other}},
			Rules: []alarm.Rule{
				{Component: "tank:a/*", Alarm: "level", Threshold: ptr(95.0)},
				{Component: "tank:*", Receivers: []string{"night"}, Count: 1},
				{Alarm: "spill", Enabled: ptr(false)},
			},
		}, k.hook("tank:a/b/c"), k.hook("tank:z"), k.hook("well"))
		k.level.Store(90)
		k.spilt.Store(1000)
		pass(6 * time.Second)
		require.Equal(t, []string{"raised level"}, other.told())
		assert.Equal(t, "tank:z", other.notices()[0].Component)
		assert.InDelta(t, 95, s.status("tank:a/b/c", "level").Threshold, 0)
		assert.False(t, s.status("well", "spill").Enabled)
		assert.Equal(t, []string{"night", "ops"}, s.status("well", "level").Receivers)
		s.RequireStop()
	})

	run("PanicsAndNoNumbersSayNothing", func(t *testing.T) {
		var on atomic.Bool
		s := stage(t, every(alarm.Rule{}), lifecycle.Hook{Name: "odd", Panel: &lifecycle.Panel{
			Stats: func() any { return math.NaN() }, // no JSON
			Alarms: []lifecycle.Alarm{
				{Name: "panics", Threshold: 1, Value: func() float64 { panic("no") }},
				{Name: "nan", Threshold: 1, Value: math.NaN},
				{Name: "infinite", Threshold: 1, Value: func() float64 { return math.Inf(1) }},
				{Name: "good", Threshold: 1, Value: func() float64 {
					if on.Load() {
						return 2
					}
					return 0
				}},
			},
		}})
		on.Store(true)
		pass(6 * time.Second)
		require.Equal(t, []string{"raised good"}, s.inbox.told())
		text, err := json.Marshal(s.watch.Status(""))
		require.NoError(t, err)
		assert.Contains(t, string(text), "the statistics cannot be written as JSON")
		assert.Nil(t, s.status("odd", "panics").Value)
		s.RequireStop()
	})

	run("MuteTellsNobodyUntilItEnds", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{}), k.hook("tank"))
		s.watch.Mute(true)
		k.level.Store(90)
		pass(time.Minute)
		assert.Empty(t, s.inbox.notices())
		assert.True(t, s.status("tank", "level").Raised, "it is shown")
		assert.Len(t, s.watch.Status("tank").Raised, 1)
		s.watch.Mute(false)
		pass(6 * time.Second)
		assert.Equal(t, []string{"raised level"}, s.inbox.told())
		s.RequireStop()
	})

	run("EventsTellOfIt", func(t *testing.T) {
		k := &tank{}
		s := stage(t, every(alarm.Rule{}), k.hook("tank"))
		k.level.Store(90)
		pass(6 * time.Second)
		events, _ := s.conductor.Events().Since(0)
		last := events[len(events)-1]
		assert.Equal(t, alarm.EventAlarm, last.Kind)
		assert.Equal(t, "tank", last.Component)
		assert.Equal(t, "raised: tank: level 90%, threshold 80%: Open the valve.", last.Text)
		assert.Equal(t, s.watch.Status("").History[0], last.Data)
		s.RequireStop()
	})

	run("HistoryIsBounded", func(t *testing.T) {
		k := &tank{}
		cfg := every(alarm.Rule{Period: 5 * time.Second})
		cfg.History = 3
		s := stage(t, cfg, k.hook("tank"))
		for range 5 {
			k.level.Store(90)
			pass(5 * time.Second)
			k.level.Store(0)
			pass(10 * time.Second)
		}
		history := s.watch.Status("").History
		require.Len(t, history, 3)
		assert.EqualValues(t, 10, history[0].ID, "the latest first")
		s.RequireStop()
	})
}

func TestHealthIsAnAlarm(t *testing.T) {
	t.Parallel()
	run := inBubble(t)

	run("DownIsRaisedWithItsReason", func(t *testing.T) {
		health := make(chan lifecycle.Health, 100)
		now := lifecycle.Health{Status: lifecycle.Up}
		s := stage(t, every(alarm.Rule{}), lifecycle.Hook{Name: "db", Panel: &lifecycle.Panel{
			Health: func(context.Context) lifecycle.Health {
				select {
				case now = <-health:
				default:
				}
				return now
			},
		}})
		health <- lifecycle.Health{Status: lifecycle.Warning, Reason: "slow"}
		pass(6 * time.Second)
		assert.Empty(t, s.inbox.notices(), "a warning is none, by default")
		health <- lifecycle.Health{Status: lifecycle.Down, Reason: "connection refused"}
		pass(6 * time.Second)
		require.Equal(t, []string{"raised health"}, s.inbox.told())
		assert.Contains(t, s.inbox.notices()[0].Text, "DOWN: connection refused")
		s.RequireStop()
	})

	run("CheckThatHangsHoldsUpNobody", func(t *testing.T) {
		k := &tank{}
		release := make(chan struct{})
		var calls atomic.Int32
		s := stage(t, every(alarm.Rule{}), k.hook("tank"), lifecycle.Hook{Name: "hung", Panel: &lifecycle.Panel{
			Health: func(context.Context) lifecycle.Health {
				calls.Add(1)
				<-release
				return lifecycle.Health{Status: lifecycle.Down}
			},
		}})
		pass(time.Minute)
		k.level.Store(90)
		pass(6 * time.Second)
		assert.Equal(t, []string{"raised level"}, s.inbox.told())
		assert.EqualValues(t, 1, calls.Load(), "it is not asked again until it has returned")
		close(release)
		pass(6 * time.Second)
		assert.Equal(t, []string{"raised level", "raised health"}, s.inbox.told())
		s.RequireStop()
	})
}

func TestChangeIsAnAlarm(t *testing.T) {
	t.Parallel()
	run := inBubble(t)
	run("SaysWhoBeforeAndAfter", func(t *testing.T) {
		var workers atomic.Int64
		workers.Store(4)
		log := &inbox{}
		s := stage(t, alarm.Config{Receivers: map[string]alarm.Receiver{alarm.Log: {Sink: log}}},
			lifecycle.Hook{Name: "crew", Panel: &lifecycle.Panel{
				Kind: "crew",
				Knobs: func() []lifecycle.Knob {
					return []lifecycle.Knob{{Name: "workers", Help: "How many.", Type: lifecycle.IntKnob, Value: workers.Load(), Min: int64(1)}}
				},
				Turn: func(_ context.Context, values map[string]any) error {
					workers.Store(values["workers"].(int64))
					return nil
				},
			}})
		for _, to := range []int64{8, 16} { // no silence: each is told
			_, err := s.conductor.Turn(t.Context(), "crew", lifecycle.Change{Values: map[string]any{"workers": to}, By: "alice", From: "10.0.0.7"})
			require.NoError(t, err)
		}
		_, err := s.conductor.Turn(t.Context(), "crew", lifecycle.Change{Values: map[string]any{"workers": int64(0)}, By: "mallory"})
		require.Error(t, err)
		synctest.Wait()
		require.Equal(t, []string{"noted change", "noted change"}, s.inbox.told(), "at once, and what was refused is not told")
		n := s.inbox.notices()[0]
		assert.Equal(t, "crew: workers 4 → 8, by alice", n.Text)
		require.NotNil(t, n.Change)
		assert.Equal(t, "alice", n.Change.By)
		assert.Equal(t, map[string]any{"workers": int64(4)}, n.Change.Before)
		assert.Equal(t, map[string]any{"workers": int64(8)}, n.Change.After)
		assert.Empty(t, log.notices(), "the log has it already")
		s.RequireStop()
	})

	run("SecretKnobsAreNotSent", func(t *testing.T) {
		s := stage(t, alarm.Config{}, lifecycle.Hook{Name: "db", Panel: &lifecycle.Panel{
			Knobs: func() []lifecycle.Knob {
				return []lifecycle.Knob{
					{Name: "password", Help: "Of the database.", Type: lifecycle.TextKnob, Value: "canary-old"},
					{Name: "address", Help: "Where it is.", Type: lifecycle.TextKnob, Value: "db:5432"},
				}
			},
			Turn: func(context.Context, map[string]any) error { return nil },
		}})
		_, err := s.conductor.Turn(t.Context(), "db", lifecycle.Change{Values: map[string]any{"password": "canary-new", "address": "tcp://shop:canary@db:5432"}})
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, s.inbox.notices(), 1)
		text, err := json.Marshal(s.inbox.notices()[0])
		require.NoError(t, err)
		assert.NotContains(t, string(text), "canary")
		assert.Contains(t, string(text), `"password"`, "that it was turned is no secret")
		s.RequireStop()
	})
}
