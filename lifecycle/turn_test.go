package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// desk is a component of one's own with every type of knob.
type desk struct {
	mu     sync.Mutex
	values map[string]any
	turns  int
	refuse error                       // of the next turns
	during func(context.Context) error // called by each turn, without the lock
}

func newDesk() *desk {
	return &desk{values: map[string]any{
		"seats": int64(4), "load": 0.5, "open": true, "pause": time.Second, "policy": "block", "size": int64(100),
	}}
}

func (d *desk) knobs() []lifecycle.Knob {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []lifecycle.Knob{
		{Name: "seats", Key: "desks.front.seats", Type: lifecycle.IntKnob, Value: d.values["seats"], Min: 1, Max: 64},
		{Name: "load", Type: lifecycle.FloatKnob, Value: d.values["load"], Min: 0, Max: 1.0},
		{Name: "open", Type: lifecycle.BoolKnob, Value: d.values["open"]},
		{Name: "pause", Type: lifecycle.DurationKnob, Value: d.values["pause"], Min: time.Duration(0)},
		{Name: "policy", Type: lifecycle.ChoiceKnob, Value: d.values["policy"], Choices: []string{"block", "abort"}},
		{Name: "size", Type: lifecycle.IntKnob, Value: d.values["size"], Cold: true},
	}
}

func (d *desk) turn(ctx context.Context, values map[string]any) error {
	if d.during != nil {
		if err := d.during(ctx); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turns++
	if d.refuse != nil {
		return d.refuse
	}
	for name, v := range values {
		d.values[name] = v
	}
	return nil
}

// put is what code does that knows the component: past the door.
func (d *desk) put(name string, v any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[name] = v
}

func (d *desk) get(name string) any {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.values[name]
}

func (d *desk) hook() lifecycle.Hook {
	return lifecycle.Hook{Name: "desk:front", Panel: &lifecycle.Panel{Kind: "desk", Knobs: d.knobs, Turn: d.turn}}
}

// startedDesk is an application with a desk. It must be stopped.
func startedDesk(t *testing.T) (*desk, house) {
	t.Helper()
	d := newDesk()
	a := build(t, hook(d.hook()))
	require.NoError(t, a.start())
	return d, a
}

const front = "desk:front"

func (h house) turn(values map[string]any) (lifecycle.Turned, error) {
	return h.Turn(context.Background(), front, lifecycle.Change{Values: values, By: "alice"})
}

func TestTurn(t *testing.T) {
	t.Parallel()

	t.Run("ConvertsWhatCameThroughJSON", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		var values map[string]any
		require.NoError(t, json.Unmarshal([]byte(`{"seats": 8, "load": 1, "open": false, "pause": "1.5s", "policy": "abort", "size": 100}`), &values))
		turned, err := a.turn(values)
		require.NoError(t, err)
		want := map[string]any{"seats": int64(8), "load": 1.0, "open": false, "pause": 1500 * time.Millisecond, "policy": "abort"}
		assert.Equal(t, want, turned.After, "the cold one is what it was")
		assert.EqualValues(t, 4, turned.Before["seats"])
		for name, v := range want {
			assert.Equal(t, v, d.get(name))
		}
		text, err := json.Marshal(turned)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"pause":"1.5s"`)
		assert.Contains(t, string(text), `"pause":"1s"`)
		require.NoError(t, a.stop())
	})

	t.Run("SaysEverythingThatIsWrongAndChangesNothing", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		_, err := a.turn(map[string]any{"seats": 0.0, "seat": 3, "load": "full", "open": 1, "pause": 5, "policy": "blocks", "size": 7})
		var wrong *lifecycle.KnobErrors
		require.ErrorAs(t, err, &wrong)
		require.ErrorIs(t, err, lifecycle.ErrCold)
		var said []string
		for _, w := range wrong.Wrong {
			said = append(said, w.Error())
		}
		assert.Equal(t, []string{
			`load: "full" is no number`,
			`open: 1 is neither true nor false`,
			`pause: 5 is no duration; give a text such as "1.5s"`,
			`policy: "blocks" is none of block, abort, did you mean "block"?`,
			`seat: unknown knob, did you mean "seats"?`,
			`seats: 0 is too little: give 1 to 64`,
			`size: needs a restart: change it in the configuration`,
		}, said)
		assert.Zero(t, d.turns)
		audit := a.Audit()
		require.Len(t, audit, 1)
		assert.Contains(t, audit[0].Error, "did you mean")
		require.NoError(t, a.stop())
	})

	t.Run("RefusesWhatWasMadeForAnotherRevision", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		_, revision, err := a.Knobs(front)
		require.NoError(t, err)
		d.put("seats", int64(5)) // past the door
		_, err = a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, If: revision})
		require.ErrorIs(t, err, lifecycle.ErrStale)
		assert.EqualValues(t, 5, d.get("seats"))
		_, revision, err = a.Knobs(front)
		require.NoError(t, err)
		turned, err := a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, If: revision})
		require.NoError(t, err)
		assert.Equal(t, revision+1, turned.Revision)
		require.NoError(t, a.stop())
	})

	t.Run("DryRunSaysWhatWouldBe", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		turned, err := a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, DryRun: true, For: time.Hour})
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"seats": int64(8)}, turned.After)
		assert.Zero(t, turned.Seq)
		assert.False(t, turned.Until.IsZero())
		assert.EqualValues(t, 4, d.get("seats"))
		assert.Empty(t, a.Audit())
		_, err = a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 0}, DryRun: true})
		require.Error(t, err)
		assert.Empty(t, a.Audit())
		require.NoError(t, a.stop())
	})

	t.Run("PanicOfTheComponentIsAnError", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		d.during = func(context.Context) error { panic("boom") }
		_, err := a.turn(map[string]any{"seats": 8})
		var panicked *lifecycle.PanicError
		require.ErrorAs(t, err, &panicked)
		d.during = func(context.Context) error { return errors.New("no room") }
		_, err = a.turn(map[string]any{"seats": 8})
		require.EqualError(t, err, "lifecycle: turn desk:front: no room")
		assert.Len(t, a.Audit(), 2, "audited although refused")
		require.NoError(t, a.stop())
	})

	t.Run("NameThatNobodyHas", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		_, err := a.Turn(t.Context(), "desk:fron", lifecycle.Change{Values: map[string]any{"seats": 8}})
		require.ErrorIs(t, err, lifecycle.ErrNoComponent)
		require.ErrorContains(t, err, `did you mean "desk:front"?`)
		_, _, err = a.Knobs("nobody")
		require.ErrorIs(t, err, lifecycle.ErrNoComponent)
		assert.Len(t, a.Audit(), 1)
		require.NoError(t, a.stop())
	})

	t.Run("OnlyBetweenStartAndEnd", func(t *testing.T) {
		t.Parallel()
		d := newDesk()
		a := build(t, hook(d.hook()))
		_, err := a.turn(map[string]any{"seats": 8})
		require.ErrorIs(t, err, lifecycle.ErrNotUp)
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		_, err = a.turn(map[string]any{"seats": 8})
		require.ErrorIs(t, err, lifecycle.ErrNotUp)
		assert.EqualValues(t, 4, d.get("seats"))
	})
}

// TestTurnForATime: what is changed for a time is taken back.
func TestTurnForATime(t *testing.T) {
	t.Parallel()

	forAWhile := func(t *testing.T, a house, seats int, d time.Duration) lifecycle.Turned {
		t.Helper()
		turned, err := a.Turn(context.Background(), front, lifecycle.Change{Values: map[string]any{"seats": seats}, For: d, By: "alice"})
		require.NoError(t, err)
		return turned
	}
	// after is what is there when so much time has passed.
	after := func(t *testing.T, d *desk, pass time.Duration, seats int) {
		t.Helper()
		time.Sleep(pass)
		synctest.Wait()
		assert.EqualValues(t, seats, d.get("seats"))
	}

	bubble(t, "ByItself", func(t *testing.T) {
		d, a := startedDesk(t)
		turned := forAWhile(t, a, 8, time.Minute)
		assert.Equal(t, time.Now().Add(time.Minute), turned.Until)
		after(t, d, time.Minute-1, 8)
		after(t, d, 1, 4)
		audit := a.Audit()
		require.Len(t, audit, 2)
		assert.Equal(t, "lifecycle", audit[1].By)
		assert.Equal(t, "the end of change 1", audit[1].From)
		assert.Equal(t, map[string]any{"seats": int64(4)}, audit[1].After)
		require.NoError(t, a.stop())
	})

	bubble(t, "UnlessSomebodyHasTurnedItSince", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		_, err := a.turn(map[string]any{"seats": 16})
		require.NoError(t, err)
		after(t, d, time.Hour, 16)
		require.NoError(t, a.stop())
	})

	bubble(t, "OrHasSaidThatItShallStay", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		turned, err := a.turn(map[string]any{"seats": 8})
		require.NoError(t, err)
		assert.Equal(t, turned.Before, turned.After)
		assert.NotZero(t, turned.Seq)
		after(t, d, time.Hour, 8)
		require.NoError(t, a.stop())
	})

	bubble(t, "OrHasTurnedItPastTheDoor", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		d.put("seats", int64(9))
		after(t, d, time.Hour, 9)
		require.NoError(t, a.stop())
	})

	bubble(t, "OneWithinAnother", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Hour)
		forAWhile(t, a, 16, time.Minute)
		after(t, d, time.Minute, 8)
		after(t, d, time.Hour, 4)
		require.NoError(t, a.stop())
	})

	bubble(t, "OneBeyondAnother", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		forAWhile(t, a, 16, time.Hour)
		after(t, d, time.Minute, 16)
		after(t, d, time.Hour, 4)
		require.NoError(t, a.stop())
	})

	bubble(t, "LongerThanBefore", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		forAWhile(t, a, 8, time.Hour)
		after(t, d, time.Minute, 8)
		after(t, d, time.Hour, 4)
		require.NoError(t, a.stop())
	})

	bubble(t, "NothingIsLeftBehindByTheStop", func(t *testing.T) {
		d, a := startedDesk(t)
		forAWhile(t, a, 8, time.Minute)
		require.NoError(t, a.stop())
		after(t, d, time.Hour, 8)
		assert.Equal(t, 1, d.turns)
	})
}

// TestTurnBesideTheStop: it is allowed, and never holds it.
func TestTurnBesideTheStop(t *testing.T) {
	t.Parallel()

	bubble(t, "HelpsADrain", func(t *testing.T) {
		d := newDesk()
		h := d.hook()
		var a house
		h.OnStop = func(context.Context) error {
			_, err := a.turn(map[string]any{"seats": 64})
			return err
		}
		a = build(t, hook(h))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.EqualValues(t, 64, d.get("seats"))
	})

	bubble(t, "OneThatHangsIsLeftToItself", func(t *testing.T) {
		d, a := startedDesk(t)
		hang := hanging(t)
		d.during = hang
		said := make(chan error)
		go func() {
			_, err := a.turn(map[string]any{"seats": 8})
			said <- err
		}()
		synctest.Wait()
		began := time.Now()
		require.NoError(t, a.stop())
		assert.Less(t, time.Since(began), time.Second)
		require.ErrorIs(t, <-said, lifecycle.ErrNotUp)
		assert.Contains(t, fmt.Sprint(a.Receipt().Notes), "a change of knobs did not come to an end")
	})

	bubble(t, "WhoeverWaitsForItsTurnIsBoundByItsContext", func(t *testing.T) {
		d, a := startedDesk(t)
		release := make(chan struct{})
		d.during = func(context.Context) error { <-release; return nil }
		first := make(chan error)
		go func() {
			_, err := a.turn(map[string]any{"seats": 8})
			first <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Turn(ctx, front, lifecycle.Change{Values: map[string]any{"seats": 9}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		close(release)
		require.NoError(t, <-first)
		assert.EqualValues(t, 8, d.get("seats"))
		require.NoError(t, a.stop())
	})
}
