package alarm_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// thing is a component with one alarm that is raised from the first look on.
func raisedThing(name string) lifecycle.Hook {
	return lifecycle.Hook{Name: name, Panel: &lifecycle.Panel{Alarms: []lifecycle.Alarm{
		{Name: "on", Help: "It is on.", Threshold: 1, Value: func() float64 { return 1 }},
	}}}
}

func things(n int) (hooks []lifecycle.Hook) {
	for range n {
		hooks = append(hooks, raisedThing("thing")) // the conductor numbers them
	}
	return hooks
}

func TestReceiver(t *testing.T) {
	t.Parallel()
	run := inBubble(t)

	run("WhatWaitsComesInOneMessage", func(t *testing.T) {
		slow := &inbox{}
		cfg := every(alarm.Rule{})
		cfg.Receivers = map[string]alarm.Receiver{"slow": {Sink: slow, Interval: 30 * time.Second}}
		s := stage(t, cfg, things(25)...)
		pass(2 * time.Minute)
		slow.mu.Lock()
		messages := slow.messages
		slow.mu.Unlock()
		require.LessOrEqual(t, len(messages), 4, "25 notices, ten in a message, the first perhaps alone")
		seen := 0
		for _, m := range messages {
			seen += len(m.Notices)
			assert.LessOrEqual(t, len(m.Notices), 10)
			assert.Equal(t, "shop", m.Service)
		}
		assert.Equal(t, 25, seen)
		s.RequireStop()
	})

	run("TriesAgainWithDelays", func(t *testing.T) {
		s := stage(t, every(alarm.Rule{}), raisedThing("a"))
		s.inbox.fail(errors.New("no route to host"))
		pass(6 * time.Second)
		assert.Contains(t, s.watch.Receivers()[0].Name, "ops")
		assert.Equal(t, 1, s.watch.Receivers()[0].Pending)
		s.inbox.fail(nil)
		pass(10 * time.Second)
		assert.Equal(t, []string{"raised on"}, s.inbox.told())
		assert.Equal(t, alarm.ReceiverStatus{Name: "ops", Delivered: 1}, s.watch.Receivers()[0])
		s.RequireStop()
	})

	run("WhatIsGivenUpIsCountedAndTold", func(t *testing.T) {
		type lost struct {
			receiver string
			n        int
			err      string
		}
		var mu sync.Mutex
		var told []lost
		s := stage(t, alarm.Config{}) // for its conductor
		bad, panics, full := &inbox{}, &inbox{}, deaf{}
		bad.fail(alarm.Permanent(errors.New("no such channel")))
		w, err := alarm.New(s.conductor, alarm.Config{
			Rules: []alarm.Rule{{Count: 1}},
			Receivers: map[string]alarm.Receiver{
				"bad": {Sink: bad}, "panics": {Sink: panicking{}}, "full": {Sink: full, Queue: 1, Timeout: time.Hour, Attempts: 1}, "good": {Sink: panics},
			},
		}, alarm.WithTrouble(func(receiver string, n int, err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, lost{receiver, n, err.Error()})
		}))
		require.NoError(t, err)
		require.NoError(t, w.Start(t.Context()))
		for i := range 3 { // one with the sink, one in the queue, one too many
			_, err := s.conductor.Turn(t.Context(), "nobody", lifecycle.Change{})
			require.Error(t, err)
			s.conductor.Events().Add(lifecycle.Event{Kind: lifecycle.EventKnobs, Component: "x", Text: "turned", Data: lifecycle.Turned{Seq: uint64(i + 1)}})
			synctest.Wait()
		}
		mu.Lock()
		byReceiver := map[string][]lost{}
		for _, l := range told {
			byReceiver[l.receiver] = append(byReceiver[l.receiver], l)
		}
		mu.Unlock()
		assert.Len(t, byReceiver["bad"], 3)
		assert.Equal(t, "no such channel", byReceiver["bad"][0].err)
		assert.Equal(t, 3, bad.tries, "a permanent error is not tried again")
		assert.Len(t, byReceiver["panics"], 3)
		assert.Contains(t, byReceiver["panics"][0].err, "it panicked: boom")
		require.Len(t, byReceiver["full"], 1)
		assert.Contains(t, byReceiver["full"][0].err, "queue is full")
		assert.Len(t, panics.notices(), 3, "the others are not delayed")
		status := map[string]alarm.ReceiverStatus{}
		for _, r := range w.Receivers() {
			status[r.Name] = r
		}
		assert.EqualValues(t, 1, status["full"].Dropped)
		assert.Equal(t, 2, status["full"].Pending)
		assert.EqualValues(t, 3, status["bad"].Failed)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, w.Stop(ctx))
		for _, r := range w.Receivers() {
			assert.Zero(t, r.Pending, r.Name)
			assert.EqualValues(t, 3, r.Delivered+r.Failed+r.Dropped, "%s: each is accounted for", r.Name)
		}
		s.RequireStop()
	})

	run("ThousandAtOnceAreTakenOrToldOfInFewWords", func(t *testing.T) {
		var mu sync.Mutex
		calls, missed := 0, 0
		s := stage(t, alarm.Config{}, things(1000)...) // for its conductor
		all, slow := &inbox{}, pacing{time.Second}
		w, err := alarm.New(s.conductor, alarm.Config{
			Rules:     []alarm.Rule{{Count: 1}},
			Receivers: map[string]alarm.Receiver{"all": {Sink: all, Queue: alarm.MaxQueue}, "slow": {Sink: slow}},
		}, alarm.WithTrouble(func(receiver string, n int, _ error) {
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(t, "slow", receiver)
			calls, missed = calls+1, missed+n
		}))
		require.NoError(t, err)
		require.NoError(t, w.Start(t.Context()))
		pass(time.Minute)
		assert.Len(t, all.notices(), 1000)
		status := w.Receivers()[1]
		assert.GreaterOrEqual(t, status.Dropped, uint64(800))
		assert.EqualValues(t, 1000, status.Dropped+status.Delivered)
		mu.Lock()
		assert.EqualValues(t, status.Dropped, missed, "each was told of")
		assert.LessOrEqual(t, calls, 4, "but not each by itself")
		mu.Unlock()
		require.NoError(t, w.Stop(within(t, time.Second)))
		s.RequireStop()
	})

	run("TestSendsPastTheQueue", func(t *testing.T) {
		s := stage(t, alarm.Config{Receivers: map[string]alarm.Receiver{"dead": {Sink: deaf{}}}})
		trial, err := s.watch.Test(t.Context(), "ops", "alice")
		require.NoError(t, err)
		assert.Equal(t, "ops", trial.Receiver)
		require.Equal(t, []string{"noted test"}, s.inbox.told())
		assert.Contains(t, s.inbox.notices()[0].Text, "asked for by alice")
		_, err = s.watch.Test(t.Context(), "pager", "")
		require.ErrorIs(t, err, alarm.ErrNoReceiver)
		require.ErrorContains(t, err, `as "pager"; there are dead, ops`)

		first := make(chan error)
		go func() { _, err := s.watch.Test(context.Background(), "dead", ""); first <- err }()
		synctest.Wait()
		_, err = s.watch.Test(t.Context(), "dead", "")
		require.ErrorIs(t, err, alarm.ErrTesting)
		require.ErrorIs(t, <-first, context.DeadlineExceeded)
		s.RequireStop()
		_, err = s.watch.Test(t.Context(), "ops", "")
		require.ErrorIs(t, err, alarm.ErrNotOpen)
	})

	run("TestWaitsForNobodyWhoIsNotOpen", func(t *testing.T) {
		s := stage(t, alarm.Config{})
		slow := opening{make(chan struct{})}
		w, err := alarm.New(s.conductor, alarm.Config{Receivers: map[string]alarm.Receiver{"slow": {Sink: slow}}})
		require.NoError(t, err)
		started := make(chan error)
		go func() { started <- w.Start(t.Context()) }()
		synctest.Wait()
		_, err = w.Test(t.Context(), "slow", "")
		require.ErrorIs(t, err, alarm.ErrNotOpen)
		close(slow.release)
		require.NoError(t, <-started)
		_, err = w.Test(t.Context(), "slow", "")
		require.NoError(t, err)
		require.NoError(t, w.Stop(within(t, time.Second)))
		s.RequireStop()
	})
}

// pacing is a sink that takes its time.
type pacing struct{ time.Duration }

func (p pacing) Send(context.Context, alarm.Message) error { time.Sleep(p.Duration); return nil }

type panicking struct{}

func (panicking) Send(context.Context, alarm.Message) error { panic("boom") }
