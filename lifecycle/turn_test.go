package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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

func (d *desk) refuses(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuse = err
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
		core, logs := observer.New(zap.WarnLevel)
		a.LogTo(zap.New(core))
		d.during = func(context.Context) error { panic("boom") }
		_, err := a.turn(map[string]any{"seats": 8})
		var panicked *lifecycle.PanicError
		require.ErrorAs(t, err, &panicked)
		require.Eventually(t, func() bool { return logs.Len() == 1 }, 5*time.Second, time.Millisecond)
		assert.Contains(t, logs.All()[0].ContextMap()["stack"], "turn_test.go", "where it was")
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

// TestTurnsAtOnce: changes of one component come one after another, whoever
// asks, and who looks beside them never takes an older picture for a newer.
func TestTurnsAtOnce(t *testing.T) {
	t.Parallel()

	t.Run("OneAtATime", func(t *testing.T) {
		t.Parallel()
		const askers, times = 8, 40
		d, a := startedDesk(t)
		inside := make(chan struct{}, 1)
		d.during = func(context.Context) error {
			select {
			case inside <- struct{}{}:
			default:
				t.Error("two changes at a time")
			}
			<-inside
			return nil
		}
		var asking sync.WaitGroup
		for range askers {
			asking.Go(func() {
				for range times {
					knobs, revision, err := a.Knobs(front)
					if !assert.NoError(t, err) {
						return
					}
					// One more seat, or none if somebody was faster.
					_, err = a.Turn(context.Background(), front, lifecycle.Change{
						Values: map[string]any{"seats": knobs[0].Value.(int64)%60 + 1}, If: revision, For: time.Hour})
					if err != nil {
						assert.ErrorIs(t, err, lifecycle.ErrStale)
					}
				}
			})
		}
		asking.Wait()
		audit := a.Audit()
		require.Len(t, audit, askers*times)
		seats, made := int64(4), 0
		for _, entry := range audit {
			if entry.Error != "" {
				continue
			}
			made++
			assert.Equal(t, seats, entry.Before["seats"], "no change was made for another value")
			seats = seats%60 + 1
			assert.Equal(t, seats, entry.After["seats"])
		}
		assert.Equal(t, made, d.turns)
		require.NoError(t, a.stop())
	})

	bubble(t, "WhoeverLookedBeforeAndComesAfterLooksAgain", func(t *testing.T) {
		d := newDesk()
		h := d.hook()
		slow := make(chan struct{})
		var looks int
		h.Panel.Knobs = func() []lifecycle.Knob {
			knobs := d.knobs()
			if looks++; looks == 2 {
				<-slow
			}
			return knobs
		}
		a := build(t, hook(h))
		require.NoError(t, a.start())
		_, revision, err := a.Knobs(front)
		require.NoError(t, err)
		go func() {
			knobs, late, err := a.Knobs(front)
			assert.NoError(t, err)
			assert.EqualValues(t, 8, knobs[0].Value)
			assert.Equal(t, revision+1, late)
		}()
		synctest.Wait()
		turned, err := a.turn(map[string]any{"seats": 8})
		require.NoError(t, err)
		close(slow)
		synctest.Wait()
		_, now, err := a.Knobs(front)
		require.NoError(t, err)
		assert.Equal(t, turned.Revision, now, "looking does not make a revision")
		require.NoError(t, a.stop())
	})

	bubble(t, "OneThatDoesNotReturnIsSaidToGoOn", func(t *testing.T) {
		d, a := startedDesk(t)
		release := make(chan struct{})
		d.during = func(context.Context) error { <-release; return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := a.Turn(ctx, front, lifecycle.Change{Values: map[string]any{"seats": 8}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "still goes on")
		assert.Equal(t, 1250*time.Millisecond, time.Since(began), "it had the grace")
		assert.Empty(t, a.Audit())
		close(release)
		synctest.Wait()
		require.Len(t, a.Audit(), 1, "what came of it is not forgotten")
		assert.Empty(t, a.Audit()[0].Error)
		require.NoError(t, a.stop())
	})

	t.Run("WhoeverGivesUpBeforeIsNotServed", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 { // the door is free too: either may be seen first
			_, err := a.Turn(ctx, front, lifecycle.Change{Values: map[string]any{"seats": 8}})
			require.ErrorIs(t, err, context.Canceled)
		}
		assert.Zero(t, d.turns)
		_, err := a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, For: -time.Second})
		require.ErrorContains(t, err, "for: -1s is negative")
		require.NoError(t, a.stop())
	})

	t.Run("ThatEndsItsGoroutineIsAnError", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		d.during = func(context.Context) error { runtime.Goexit(); return nil }
		_, err := a.turn(map[string]any{"seats": 8})
		require.ErrorContains(t, err, "runtime.Goexit")
		d.during = nil
		_, err = a.turn(map[string]any{"seats": 8})
		require.NoError(t, err, "the door is open again")
		require.NoError(t, a.stop())
	})
}

// TestKnobs: what a component says of its knobs is made fit to be shown.
func TestKnobs(t *testing.T) {
	t.Parallel()
	said := []lifecycle.Knob{
		{Name: "int", Type: lifecycle.IntKnob, Value: 4, Min: uint8(1), Max: int32(9)},
		{Name: "float", Type: lifecycle.FloatKnob, Value: float32(0.5)},
		{Name: "nan", Type: lifecycle.FloatKnob, Value: math.NaN()},
		{Name: "pause", Type: lifecycle.DurationKnob, Value: "2s", Max: time.Minute},
		{Name: "broken", Type: lifecycle.IntKnob, Value: []int{1}, Max: "many"},
		{Name: "typeless", Value: 1},
	}
	panel := &lifecycle.Panel{Knobs: func() []lifecycle.Knob { return said }}
	a := build(t, hook(lifecycle.Hook{Name: front, Panel: panel}), hook(lifecycle.Hook{Name: "plain"}))
	require.NoError(t, a.start())
	knobs, _, err := a.Knobs(front)
	require.NoError(t, err)
	assert.Equal(t, []lifecycle.Knob{
		{Name: "int", Type: lifecycle.IntKnob, Value: int64(4), Min: int64(1), Max: int64(9), Cold: true},
		{Name: "float", Type: lifecycle.FloatKnob, Value: 0.5, Cold: true},
		{Name: "nan", Type: lifecycle.FloatKnob, Value: "NaN", Cold: true},
		{Name: "pause", Type: lifecycle.DurationKnob, Value: 2 * time.Second, Max: time.Minute, Cold: true},
		{Name: "broken", Type: lifecycle.IntKnob, Value: "a list", Max: `"many"`, Cold: true},
		{Name: "typeless", Value: "1", Cold: true},
	}, knobs, "without a Turn they are cold")
	assert.Equal(t, 4, said[0].Value, "the component's own stay as they are")
	text, err := json.Marshal(knobs[3])
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"pause","type":"duration","value":"2s","max":"1m0s","cold":true}`, string(text))
	_, err = a.turn(map[string]any{"int": 5})
	require.ErrorIs(t, err, lifecycle.ErrCold)

	knobs, revision, err := a.Knobs("plain")
	require.NoError(t, err)
	assert.Empty(t, knobs)
	assert.EqualValues(t, 1, revision)
	_, err = a.Turn(t.Context(), "plain", lifecycle.Change{Values: map[string]any{"int": 5}})
	require.ErrorContains(t, err, "the component has none")
	require.NoError(t, a.stop())
}

// TestNumbersOfEverySort: JSON, YAML and code have numbers of their own.
func TestNumbersOfEverySort(t *testing.T) {
	t.Parallel()
	d, a := startedDesk(t)
	type seats uint16
	for _, tt := range []struct {
		give any
		want any // an int64, or a part of the error
	}{
		{8.0, int64(8)},
		{json.Number("9"), int64(9)},
		{json.Number("1e1"), int64(10)},
		{seats(11), int64(11)},
		{uint64(12), int64(12)},
		{int8(13), int64(13)},
		{8.5, "8.5 is no whole number"},
		{json.Number("x"), "is no whole number"},
		{math.NaN(), "NaN is no whole number"},
		{1e30, "1e+30 is too large"},
		{math.Inf(1), "+Inf is too large"},
		{uint64(math.MaxUint64), "is too large"},
		{time.Second, "1s is no number"},
		{"8", `"8" is no number`},
		{nil, "null is no number"},
		{map[string]any{"a": 1}, "an object is no number"},
		{strings.Repeat("x", 1000), "xx…"},
		{65, "65 is too much: give 1 to 64"},
	} {
		_, err := a.turn(map[string]any{"seats": tt.give})
		if want, wrong := tt.want.(string); wrong {
			require.ErrorContains(t, err, want)
			assert.Less(t, len(err.Error()), 200)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, tt.want, d.get("seats"))
	}
	for give, want := range map[any]any{1: 1.0, json.Number("0.25"): 0.25, uint(0): 0.0, float32(0.5): 0.5} {
		_, err := a.turn(map[string]any{"load": give})
		require.NoError(t, err)
		assert.Equal(t, want, d.get("load"))
	}
	_, err := a.turn(map[string]any{"load": math.Inf(-1)})
	require.ErrorContains(t, err, "-Inf is no number")
	_, err = a.turn(map[string]any{"pause": -time.Second})
	require.ErrorContains(t, err, "-1s is too little: give 0s or more")
	require.NoError(t, a.stop())
}
