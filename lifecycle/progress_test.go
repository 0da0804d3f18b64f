package lifecycle_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := intake.New("desk")
		a := build(t,
			hook(lifecycle.Hook{Name: "store", OnStart: sleeping(time.Second), OnStop: sleeping(time.Second), PreDestroy: sleeping(time.Second)}),
			hook(lifecycle.Hook{Name: "desk", Gate: gate}),
			hook(lifecycle.Hook{Name: "http", Band: lifecycle.Ingress, OnStop: sleeping(time.Second)}))
		assert.Equal(t, "constructing", a.Progress().Stage)

		begun := time.Now()
		go func() { assert.NoError(t, a.start()) }()
		synctest.Wait()
		p := a.Progress()
		assert.Equal(t, "starting", p.Stage)
		assert.Equal(t, []string{"http", "desk", "store"}, p.Left)
		require.Len(t, p.Hooks, 1)
		assert.Equal(t, lifecycle.RunningHook{Component: "store", Phase: lifecycle.PhaseStart, Since: begun, Until: begun.Add(patience)}, p.Hooks[0])
		time.Sleep(time.Second)
		synctest.Wait()
		p = a.Progress()
		assert.Equal(t, lifecycle.Progress{State: lifecycle.Running, Stage: "running",
			Gates: []lifecycle.GateProgress{{Component: "desk", Gate: "desk", State: "open"}}}, p)

		letter, err := gate.Enter(t.Context())
		require.NoError(t, err)
		began := time.Now()
		stopped := make(chan error)
		go func() { stopped <- a.stop() }()
		synctest.Wait()
		p = a.Progress()
		assert.Equal(t, lifecycle.StageClosingIngress, p.Stage)
		assert.Equal(t, lifecycle.CauseStop, p.Cause.Kind)
		assert.Equal(t, began, p.Began)
		assert.Equal(t, began.Add(patience), p.Deadline)
		assert.Equal(t, began.Add(12*time.Second), p.SoftDeadline)
		assert.Equal(t, "http", p.Hooks[0].Component)

		time.Sleep(time.Second)
		synctest.Wait()
		p = a.Progress()
		assert.Equal(t, lifecycle.StageDraining, p.Stage)
		assert.Equal(t, []string{"desk", "store"}, p.Left)
		assert.Equal(t, []lifecycle.GateProgress{{Component: "desk", Gate: "desk", State: "draining", Inside: 1}}, p.Gates)
		require.Len(t, p.Stages, 2)

		letter.Done()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		p = a.Progress()
		assert.Equal(t, lifecycle.StageStopping, p.Stage)
		assert.Equal(t, lifecycle.PhaseStop, p.Hooks[0].Phase)
		assert.Equal(t, []string{"store"}, p.Left)

		a.Cut(nil)
		synctest.Wait()
		p = a.Progress()
		assert.Equal(t, lifecycle.ErrCut.Error(), p.Cut)
		assert.Equal(t, time.Now(), p.SoftDeadline)
		text, err := json.Marshal(p)
		require.NoError(t, err)
		var read lifecycle.Progress
		require.NoError(t, json.Unmarshal(text, &read))
		assert.Equal(t, p.Stages, read.Stages)
		assert.Equal(t, p.Hooks[0].Phase, read.Hooks[0].Phase)

		require.Error(t, <-stopped)
		p = a.Progress()
		assert.Equal(t, "stopped", p.Stage)
		assert.Equal(t, a.Receipt().Cut, p.Cut)
		assert.Empty(t, p.Left)
		assert.Empty(t, p.Hooks)
	})
}

func TestComponents(t *testing.T) {
	t.Parallel()

	t.Run("AreCopiesOfOneMomentInTheOrderOfTheStop", func(t *testing.T) {
		t.Parallel()
		var a house
		states := func() (s []string) {
			for _, comp := range a.Components() {
				s = append(s, comp.Name+" "+string(comp.State))
			}
			return s
		}
		var during []string
		gate := intake.New("desk")
		a = build(t,
			hook(lifecycle.Hook{Name: "store", Band: lifecycle.Sink}),
			hook(lifecycle.Hook{Name: "desk", After: []string{"store"}, Gate: gate,
				OnStart: func(context.Context) error { during = append(during, states()...); return nil },
				OnStop:  func(context.Context) error { during = append(during, states()...); return errBroken }}),
		)
		assert.Equal(t, []string{"desk constructed", "store constructed"}, states())
		require.NoError(t, a.start())
		assert.Equal(t, []string{"desk started", "store started"}, states())
		require.Error(t, a.stop())
		assert.Equal(t, []string{"desk starting", "store started", "desk stopping", "store started"}, during)
		assert.Equal(t, []string{"desk stopped", "store stopped"}, states())

		desk, ok := a.Component("desk")
		require.True(t, ok)
		assert.Equal(t, []string{"store"}, desk.After)
		assert.Same(t, gate, desk.Gate)
		assert.Equal(t, lifecycle.Failed, desk.Stop.Outcome)
		desk.Stop.Outcome = lifecycle.OK
		desk.After[0] = "nobody"
		again, _ := a.Component("desk")
		assert.Equal(t, lifecycle.Failed, again.Stop.Outcome)
		assert.Equal(t, []string{"store"}, again.After)
		_, ok = a.Component("nobody")
		assert.False(t, ok)
		text, err := json.Marshal(again)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"state":"stopped"`)
	})

	t.Run("OrderAskedForTooEarlyIsNotTheLastWord", func(t *testing.T) {
		t.Parallel()
		type store struct{}
		type desk struct{}
		var c *lifecycle.Conductor
		app := fx.New(
			fx.Provide(func(lc fx.Lifecycle) *store {
				lifecycle.Append(lc, lifecycle.Hook{Name: "store"})
				return &store{}
			}, func(lc fx.Lifecycle, _ *store) *desk {
				lifecycle.Append(lc, lifecycle.Hook{Name: "desk", Band: lifecycle.Sink})
				return &desk{}
			}),
			// It comes before the graph is known: the module is given last.
			fx.Invoke(func(_ *desk, c *lifecycle.Conductor) { assert.Len(t, c.Components(), 2) }),
			fx.Populate(&c), lifecycle.Module(), tapped)
		require.NoError(t, app.Err())
		got, _ := c.Component("store")
		assert.Equal(t, "moved from middle to sink: desk stands on store", got.Moved)
		require.NoError(t, c.Stop(t.Context()))
	})

	t.Run("OneThatDidNotStartStaysFailed", func(t *testing.T) {
		t.Parallel()
		var done diary
		h := done.noting(lifecycle.Hook{Name: "a"})
		h.OnStart = func(context.Context) error { return errBroken }
		a := build(t, hook(h), hook(lifecycle.Hook{Name: "b"}))
		require.Error(t, a.start())
		failed, _ := a.Component("a")
		assert.Equal(t, lifecycle.ComponentFailed, failed.State)
		assert.Equal(t, lifecycle.OK, failed.PreDestroy.Outcome)
		never, _ := a.Component("b")
		assert.Equal(t, lifecycle.ComponentStopped, never.State)
		assert.Nil(t, never.Start)
	})

	t.Run("PanicOfAPanelIsItsAnswer", func(t *testing.T) {
		t.Parallel()
		d := newDesk()
		a := build(t, hook(lifecycle.Hook{Name: front,
			Gate: intake.New("desk", intake.Counted(func() intake.Ledger { panic("boom") })),
			Panel: &lifecycle.Panel{
				Stats:   func() any { panic("boom") },
				Metrics: func() []lifecycle.Metric { panic("boom") },
				Health:  func(context.Context) lifecycle.Health { panic("boom") },
				Inspect: func(context.Context) any { panic("boom") },
				Knobs:   func() []lifecycle.Knob { panic("boom") },
				Turn:    d.turn,
			}}))
		require.NoError(t, a.start())
		comp, _ := a.Component(front)
		stats, err := json.Marshal(comp.Panel.Stats())
		require.NoError(t, err)
		assert.JSONEq(t, `{"error":"panic: boom"}`, string(stats))
		assert.IsType(t, &lifecycle.PanicError{}, comp.Panel.Inspect(t.Context()))
		assert.Empty(t, comp.Panel.Metrics())
		assert.Empty(t, comp.Panel.Knobs())
		assert.Equal(t, lifecycle.Health{Status: lifecycle.Unknown, Reason: "its health check panicked: panic: boom"}, comp.Panel.Health(t.Context()))
		assert.Zero(t, comp.Panics, "it is of the moment before")
		comp, _ = a.Component(front)
		assert.EqualValues(t, 5, comp.Panics)
		_, err = comp.Ledger()
		require.ErrorContains(t, err, "boom")
		var panicked *lifecycle.PanicError
		_, _, err = a.Knobs(front)
		require.ErrorAs(t, err, &panicked)
		_, err = a.turn(map[string]any{"seats": 1})
		require.ErrorAs(t, err, &panicked)
		require.Error(t, a.stop())
	})

	t.Run("TurnOfAPanelIsTheOneDoor", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		comp, _ := a.Component(front)
		require.Error(t, comp.Panel.Turn(t.Context(), map[string]any{"seats": 0}))
		require.NoError(t, comp.Panel.Turn(t.Context(), map[string]any{"seats": 8}))
		assert.EqualValues(t, 8, d.get("seats"))
		audit := a.Audit()
		require.Len(t, audit, 2)
		assert.Contains(t, audit[1].From, "progress_test.go")
		require.NoError(t, a.stop())
	})
}
