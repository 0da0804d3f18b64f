package lifecycle_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// kitchen is a component that can be told to cook.
type kitchen struct {
	cooked atomic.Int64
	cook   func(ctx context.Context, args map[string]any) (any, error)
}

func (k *kitchen) hook() lifecycle.Hook {
	return lifecycle.Hook{Name: "kitchen", Panel: &lifecycle.Panel{Actions: []lifecycle.Action{
		{Name: "cook", Help: "Cooks something.", Do: k.do, Args: []lifecycle.Knob{
			{Name: "dish", Type: lifecycle.TextKnob},
			{Name: "plates", Type: lifecycle.IntKnob, Value: 1, Min: 1, Max: 9},
			{Name: "rest", Type: lifecycle.DurationKnob, Value: time.Minute},
		}},
		{Name: "clean", Do: func(context.Context, map[string]any) (any, error) { return "clean", nil }},
		{Name: "close"},
	}}}
}

func (k *kitchen) do(ctx context.Context, args map[string]any) (any, error) {
	k.cooked.Add(1)
	if k.cook != nil {
		return k.cook(ctx, args)
	}
	return args, nil
}

func startedKitchen(t *testing.T) (*kitchen, house) {
	t.Helper()
	k := &kitchen{}
	a := build(t, hook(k.hook()))
	require.NoError(t, a.start())
	return k, a
}

func (h house) cook(ctx context.Context, args map[string]any) (any, lifecycle.Turned, error) {
	return h.Act(ctx, "kitchen", lifecycle.Act{Action: "cook", Args: args, By: "alice", From: "here"})
}

func soup() map[string]any { return map[string]any{"dish": "soup"} }

func TestAct(t *testing.T) {
	t.Parallel()

	t.Run("GivesEveryArgumentInItsType", func(t *testing.T) {
		t.Parallel()
		_, a := startedKitchen(t)
		answer, entry, err := a.cook(t.Context(), map[string]any{"dish": "soup", "plates": 2.0})
		require.NoError(t, err)
		all := map[string]any{"dish": "soup", "plates": int64(2), "rest": time.Minute}
		assert.Equal(t, all, answer)
		assert.Equal(t, all, entry.After)
		assert.Empty(t, entry.Before)
		assert.Equal(t, "cook", entry.Action)
		assert.Equal(t, []lifecycle.Turned{entry}, a.Audit())
		events, _ := a.Events().Since(0)
		event := events[len(events)-1]
		assert.Equal(t, lifecycle.EventAction, event.Kind)
		assert.Equal(t, "cook dish soup, plates 2, rest 1m0s, by alice", event.Text)
		require.NoError(t, a.stop())
	})

	t.Run("SaysEverythingThatIsWrongAndDoesNothing", func(t *testing.T) {
		t.Parallel()
		k, a := startedKitchen(t)
		_, _, err := a.cook(t.Context(), map[string]any{"plate": 2, "plates": 10, "rest": "long"})
		require.EqualError(t, err, `lifecycle: cook kitchen: plate: unknown argument, did you mean "plates"?; plates: 10 is too much: give 1 to 9; `+
			`rest: "long" is no duration; give a text such as "1.5s"; dish: it must be given`)
		var wrong *lifecycle.KnobErrors
		require.ErrorAs(t, err, &wrong)
		assert.Len(t, wrong.Wrong, 4)
		assert.Zero(t, k.cooked.Load())
		assert.Contains(t, a.Audit()[0].Error, "it must be given")
		require.NoError(t, a.stop())
	})

	t.Run("RefusesNamesThatNobodyHas", func(t *testing.T) {
		t.Parallel()
		_, a := startedKitchen(t)
		_, _, err := a.Act(t.Context(), "kitchn", lifecycle.Act{Action: "cook"})
		require.ErrorIs(t, err, lifecycle.ErrNoComponent)
		_, _, err = a.Act(t.Context(), "kitchen", lifecycle.Act{Action: "cok"})
		require.ErrorIs(t, err, lifecycle.ErrNoAction)
		require.ErrorContains(t, err, `did you mean "cook"?`)
		_, _, err = a.Act(t.Context(), "kitchen", lifecycle.Act{Action: "close"})
		require.ErrorIs(t, err, lifecycle.ErrNoAction, "it has nothing to do")
		assert.Len(t, a.Audit(), 3)
		require.NoError(t, a.stop())
	})

	t.Run("DryRunDoesNothingAndWaitsForNobody", func(t *testing.T) {
		t.Parallel()
		k, a := startedKitchen(t)
		cooking, done := make(chan struct{}), make(chan struct{})
		k.cook = func(context.Context, map[string]any) (any, error) { close(cooking); <-done; return "served", nil }
		served := make(chan error, 1)
		go func() {
			_, _, err := a.cook(context.Background(), soup())
			served <- err
		}()
		<-cooking
		answer, entry, err := a.Act(t.Context(), "kitchen", lifecycle.Act{Action: "cook", Args: soup(), DryRun: true})
		require.NoError(t, err)
		assert.Nil(t, answer)
		assert.EqualValues(t, 1, entry.After["plates"])
		assert.Zero(t, entry.Seq)
		close(done)
		require.NoError(t, <-served)
		assert.EqualValues(t, 1, k.cooked.Load())
		assert.Len(t, a.Audit(), 1)
		require.NoError(t, a.stop())
	})

	t.Run("DryRunIsARehearsalWhereThereIsOne", func(t *testing.T) {
		t.Parallel()
		k := &kitchen{}
		h := k.hook()
		h.Panel.Actions[0].Rehearse = func(_ context.Context, args map[string]any) (any, error) {
			if args["plates"] == int64(9) {
				panic(errBroken)
			}
			return args["plates"], nil
		}
		a := build(t, hook(h))
		require.NoError(t, a.start())
		dry := lifecycle.Act{Action: "cook", Args: soup(), DryRun: true}
		answer, entry, err := a.Act(t.Context(), "kitchen", dry)
		require.NoError(t, err)
		assert.EqualValues(t, 1, answer)
		assert.Zero(t, entry.Seq)
		dry.Args["plates"] = 9
		_, _, err = a.Act(t.Context(), "kitchen", dry)
		require.ErrorIs(t, err, errBroken)
		kitchen, _ := a.Component("kitchen")
		answer, err = kitchen.Panel.Actions[0].Rehearse(t.Context(), soup())
		require.NoError(t, err)
		assert.EqualValues(t, 1, answer)
		assert.Zero(t, k.cooked.Load())
		assert.Empty(t, a.Audit())
		require.NoError(t, a.stop())
	})

	t.Run("AuditsWhatTheComponentSaid", func(t *testing.T) {
		t.Parallel()
		k, a := startedKitchen(t)
		for _, cook := range []func(context.Context, map[string]any) (any, error){
			func(context.Context, map[string]any) (any, error) { return "half", errBroken },
			func(context.Context, map[string]any) (any, error) { panic(errBroken) },
		} {
			k.cook = cook
			answer, entry, err := a.cook(t.Context(), soup())
			require.ErrorIs(t, err, errBroken)
			assert.Nil(t, answer)
			assert.Equal(t, "soup", entry.After["dish"])
			assert.Contains(t, entry.Error, "broken")
		}
		k.cook = func(context.Context, map[string]any) (any, error) { runtime.Goexit(); return nil, nil }
		_, _, err := a.cook(t.Context(), soup())
		require.ErrorContains(t, err, "Goexit")
		assert.Len(t, a.Audit(), 3)
		require.NoError(t, a.stop())
	})

	t.Run("OnlyBetweenStartAndEnd", func(t *testing.T) {
		t.Parallel()
		k := &kitchen{}
		a := build(t, hook(k.hook()))
		_, _, err := a.cook(t.Context(), soup())
		require.ErrorIs(t, err, lifecycle.ErrNotUp)
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		_, _, err = a.cook(t.Context(), soup())
		require.ErrorIs(t, err, lifecycle.ErrNotUp)
		assert.Zero(t, k.cooked.Load())
	})

	t.Run("ThePanelLeadsThroughTheDoor", func(t *testing.T) {
		t.Parallel()
		_, a := startedKitchen(t)
		kitchen, _ := a.Component("kitchen")
		require.Len(t, kitchen.Panel.Actions, 2, "one has nothing to do")
		answer, err := kitchen.Panel.Actions[1].Do(t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, "clean", answer)
		assert.Len(t, a.Audit(), 1)
		require.NoError(t, a.stop())
	})
}

// TestActBesideOthers: an action is not done twice at a time, and holds nobody
// else.
func TestActBesideOthers(t *testing.T) {
	t.Parallel()

	bubble(t, "OneAfterAnother", func(t *testing.T) {
		k, a := startedKitchen(t)
		var at, most atomic.Int64
		k.cook = func(context.Context, map[string]any) (any, error) {
			most.Store(max(most.Load(), at.Add(1)))
			defer at.Add(-1)
			time.Sleep(time.Second)
			return nil, nil
		}
		began := time.Now()
		done := make(chan error)
		for range 5 {
			go func() { _, _, err := a.cook(context.Background(), soup()); done <- err }()
		}
		for range 5 {
			require.NoError(t, <-done)
		}
		assert.EqualValues(t, 1, most.Load())
		assert.Equal(t, 5*time.Second, time.Since(began))
		require.NoError(t, a.stop())
	})

	bubble(t, "OneThatHangsHeapsNothingUp", func(t *testing.T) {
		k, a := startedKitchen(t)
		hang := hanging(t)
		k.cook = func(ctx context.Context, _ map[string]any) (any, error) { return nil, hang(ctx) }
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, _, err := a.cook(ctx, soup())
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		assert.EqualValues(t, 1, k.cooked.Load(), "the others did not come to their turn")
		_, _, err := a.Act(t.Context(), "kitchen", lifecycle.Act{Action: "clean"})
		require.NoError(t, err, "another action goes on beside it")
		require.NoError(t, a.stop(), "nor does it hold the stop")
	})

	bubble(t, "TheEndOfTheStopEndsItsContext", func(t *testing.T) {
		k, a := startedKitchen(t)
		k.cook = func(ctx context.Context, _ map[string]any) (any, error) { <-ctx.Done(); return nil, context.Cause(ctx) }
		said := make(chan error, 1)
		go func() { _, _, err := a.cook(context.Background(), soup()); said <- err }()
		synctest.Wait()
		require.NoError(t, a.stop())
		require.ErrorIs(t, <-said, lifecycle.ErrNotUp)
	})

	bubble(t, "IsDoneDuringTheStop", func(t *testing.T) {
		k := &kitchen{}
		h := k.hook()
		var a house
		h.OnStop = func(ctx context.Context) error { _, _, err := a.cook(ctx, soup()); return err }
		a = build(t, hook(h))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.EqualValues(t, 1, k.cooked.Load())
	})
}
