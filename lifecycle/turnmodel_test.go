package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestTurnModel drives the knobs of a component through random histories of
// changes, some for a time, some refused, some past the door, beside a model
// that knows for each knob what lies below its value.
func TestTurnModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		// A failure of rapid's is a panic; it must leave the bubble empty.
		var failure any
		synctest.Test(t, func(*testing.T) {
			m := newScales(rt)
			defer m.end()
			defer func() { failure = recover() }()
			rt.Repeat(map[string]func(*rapid.T){
				"Turn": m.turn, "Put": m.put, "Pass": m.pass, "Stale": m.stale, "Wrong": m.wrong, "Rollback": m.rollback, "": m.check,
			})
		})
		// Two lines: rapid tells failures apart by where they come from, and
		// takes a history that ends too early, when it looks for a shorter one,
		// for the failure itself if both come from here.
		if strings.HasPrefix(fmt.Sprint(failure), "overrun") {
			panic(failure)
		}
		if failure != nil {
			panic(failure)
		}
	})
}

// scales is a component that holds as much as it can carry, and what is
// expected of it.
type scales struct {
	conductor *lifecycle.Conductor
	app       *fx.App

	mu  sync.Mutex
	own map[string]any // what is in the pans

	below    map[string][]weight         // by knob: what is in force is last
	bases    map[uint64]map[string]int64 // by change: what lay below everything that held
	ends     []ending                    // in no order
	revision uint64
	seen     map[string]any // the values of that revision
	replayed map[string]any // what the audit says
	read     int            // how much of it has been replayed
	entries  int
}

// weight is a value that a change gave a knob; change is 0 for one that stays.
type weight struct {
	change uint64
	value  int64
}

type ending struct {
	at     time.Time
	change uint64
}

const canCarry = 14

var errTooHeavy = errors.New("too heavy")

func newScales(rt *rapid.T) *scales {
	m := &scales{
		own:      map[string]any{"left": int64(3), "right": int64(3)},
		below:    map[string][]weight{"left": {{0, 3}}, "right": {{0, 3}}},
		bases:    map[uint64]map[string]int64{},
		replayed: map[string]any{"left": int64(3), "right": int64(3)},
	}
	m.app = fx.New(lifecycle.Module(), fx.Populate(&m.conductor),
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		hook(lifecycle.Hook{Name: "scales", Panel: &lifecycle.Panel{
			Knobs: func() []lifecycle.Knob {
				pans := m.pans()
				return []lifecycle.Knob{
					{Name: "left", Type: lifecycle.IntKnob, Value: pans["left"], Min: 0, Max: 9},
					{Name: "right", Type: lifecycle.IntKnob, Value: pans["right"], Min: 0, Max: 9},
				}
			},
			Turn: func(_ context.Context, values map[string]any) error {
				if isTooHeavy(weighed(m.pans(), values)) {
					return errTooHeavy
				}
				m.load(values)
				return nil
			},
		}}))
	require.NoError(rt, m.app.Start(context.Background()))
	return m
}

func (m *scales) pans() map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.own)
}

func (m *scales) load(values map[string]any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.Copy(m.own, values)
}

func isTooHeavy(pans map[string]any) bool {
	return pans["left"].(int64)+pans["right"].(int64) > canCarry
}

func weighed(pans, values map[string]any) map[string]any {
	after := maps.Clone(pans)
	maps.Copy(after, values)
	return after
}

func (m *scales) end() {
	_ = m.app.Stop(context.Background())
	synctest.Wait()
}

func (m *scales) draw(rt *rapid.T) map[string]any {
	return rapid.MapOfN(rapid.SampledFrom([]string{"left", "right"}), rapid.Map(rapid.Int64Range(0, 9), func(n int64) any { return n }), 1, 2).Draw(rt, "values")
}

// change asks, and says what came of it.
func (m *scales) change(ch lifecycle.Change) (lifecycle.Turned, error) {
	return m.conductor.Turn(context.Background(), "scales", ch)
}

func (m *scales) turn(rt *rapid.T) {
	before := m.pans()
	ch := lifecycle.Change{Values: m.draw(rt), By: "alice"}
	if rapid.Bool().Draw(rt, "for a time") {
		// No two end at the same time.
		ch.For = time.Duration(rapid.IntRange(1, 9).Draw(rt, "minutes"))*time.Minute + time.Duration(m.entries+1)
	}
	if rapid.Bool().Draw(rt, "dry run first") {
		dry := ch
		dry.DryRun = true
		turned, err := m.change(dry)
		require.NoError(rt, err, "only the component knows what is too heavy")
		require.Equal(rt, before, m.pans())
		require.Zero(rt, turned.Seq)
	}
	turned, err := m.change(ch)
	if isTooHeavy(weighed(before, ch.Values)) {
		require.ErrorIs(rt, err, errTooHeavy)
		m.entries++
		return
	}
	require.NoError(rt, err)
	touched := false
	m.bases[turned.Seq] = m.bottom()
	for name, v := range ch.Values {
		stack := m.below[name]
		top := stack[len(stack)-1]
		if top.value == v.(int64) && len(stack) == 1 {
			continue // it is so and stays so
		}
		touched = true
		if ch.For == 0 {
			m.below[name] = []weight{{0, v.(int64)}}
		} else {
			m.below[name] = append(stack, weight{turned.Seq, v.(int64)})
		}
	}
	if !touched {
		require.Zero(rt, turned.Seq)
		return
	}
	m.entries++
	if ch.For > 0 {
		m.ends = append(m.ends, ending{turned.Until, turned.Seq})
	}
}

// put is a change past the door. It is noticed when somebody comes to it.
func (m *scales) put(rt *rapid.T) {
	name := rapid.SampledFrom([]string{"left", "right"}).Draw(rt, "name")
	v := rapid.Int64Range(0, 5).Draw(rt, "value")
	if m.pans()[name] != v {
		m.below[name] = []weight{{0, v}}
	}
	m.load(map[string]any{name: v})
	m.replayed[name] = v
	_, err := m.change(lifecycle.Change{DryRun: true})
	require.NoError(rt, err)
}

func (m *scales) pass(rt *rapid.T) {
	now := time.Now().Add(time.Duration(rapid.IntRange(1, 9).Draw(rt, "minutes")) * time.Minute)
	time.Sleep(time.Until(now) + time.Millisecond)
	synctest.Wait()
	for {
		next := -1
		for i, e := range m.ends {
			if !e.at.After(time.Now()) && (next < 0 || e.at.Before(m.ends[next].at)) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		m.takeBack(m.ends[next].change)
		m.ends = append(m.ends[:next], m.ends[next+1:]...)
	}
}

// takeBack is what the end of a change comes to.
func (m *scales) takeBack(change uint64) {
	now := map[string]int64{}
	for name, stack := range m.below {
		now[name] = stack[len(stack)-1].value
	}
	back := map[string]int64{}
	for name, stack := range m.below {
		for i, w := range stack {
			if w.change != change {
				continue
			}
			if i == len(stack)-1 {
				back[name] = stack[i-1].value
			}
			m.below[name] = append(append([]weight{}, stack[:i]...), stack[i+1:]...)
		}
	}
	if len(back) == 0 {
		return
	}
	m.entries++
	sum := now["left"] + now["right"]
	for name, v := range back {
		sum += v - now[name]
	}
	if sum <= canCarry {
		return
	}
	for name, v := range back {
		if v != now[name] { // it cannot go back, so it stays
			m.below[name] = []weight{{0, now[name]}}
		}
	}
}

// holds says whether a change that was made for a time still does. One that
// somebody has turned past the door since does not, though its time goes on.
func (m *scales) holds(change uint64) bool {
	for _, stack := range m.below {
		if slices.ContainsFunc(stack, func(w weight) bool { return w.change == change }) {
			return true
		}
	}
	return false
}

func (m *scales) bottom() map[string]int64 {
	base := map[string]int64{}
	for name, stack := range m.below {
		base[name] = stack[0].value
	}
	return base
}

// rollback takes back any entry. Whether that is stale is known for sure when
// nothing has come after it, and when a value is not what it made it.
func (m *scales) rollback(rt *rapid.T) {
	audit := m.conductor.Audit()
	if len(audit) == 0 {
		return
	}
	done := audit[rapid.IntRange(max(0, len(audit)-4), len(audit)-1).Draw(rt, "entry")]
	before, fits, want := m.pans(), true, map[string]any{}
	for name, value := range done.After {
		fits = fits && before[name] == value
		stack := m.below[name]
		if top := len(stack) - 1; stack[top].change == done.Seq {
			want[name] = stack[top-1].value
		} else {
			want[name] = m.bases[done.Seq][name]
		}
	}
	turned, err := m.conductor.Rollback(context.Background(), done.Seq, "bob", "", rapid.Bool().Draw(rt, "dry run"))
	if err != nil {
		require.Equal(rt, before, m.pans(), "refused, so nothing has changed")
		m.entries = len(m.conductor.Audit())
	}
	_, made := m.bases[done.Seq]
	switch {
	case done.Error != "":
		require.ErrorIs(rt, err, lifecycle.ErrNoUndo)
	case !fits && !errors.Is(err, lifecycle.ErrNoUndo):
		require.ErrorIs(rt, err, lifecycle.ErrStale)
	case err == nil && turned.Seq == 0:
		require.Equal(rt, before, m.pans(), "a dry run")
	case err == nil:
		m.isTakenBack(rt, done, turned, want, weighed(before, want))
	case made && done.Seq == audit[len(audit)-1].Seq:
		require.True(rt, isTooHeavy(weighed(before, want)) || maps.Equal(before, weighed(before, want)), "%v", err)
	}
}

func (m *scales) isTakenBack(rt *rapid.T, done, turned lifecycle.Turned, want, pans map[string]any) {
	require.Equal(rt, pans, m.pans())
	require.Equal(rt, done.Seq, turned.Undoes)
	if !m.holds(done.Seq) { // else it is the end of one, which stays
		m.bases[turned.Seq] = m.bottom()
	}
	m.entries++
	for name := range done.After {
		stack := m.below[name]
		if top := len(stack) - 1; stack[top].change == done.Seq {
			m.below[name] = stack[:top]
		} else if _, touched := turned.After[name]; touched {
			m.below[name] = []weight{{0, want[name].(int64)}}
		}
	}
}

func (m *scales) stale(rt *rapid.T) {
	before := m.pans()
	_, err := m.change(lifecycle.Change{Values: m.draw(rt), If: m.revision + 1})
	require.ErrorIs(rt, err, lifecycle.ErrStale)
	m.entries++
	require.Equal(rt, before, m.pans())
}

// wrong asks for one that is well and one that is not: neither is made.
func (m *scales) wrong(rt *rapid.T) {
	before := m.pans()
	values := m.draw(rt)
	bad := rapid.SampledFrom([]any{-1, 10, 1.5, "3", nil, []int{1}}).Draw(rt, "bad")
	values["left"] = bad
	_, err := m.change(lifecycle.Change{Values: values, For: time.Minute})
	var wrong *lifecycle.KnobErrors
	require.ErrorAs(rt, err, &wrong)
	require.Len(rt, wrong.Wrong, 1)
	require.Equal(rt, before, m.pans())
	m.entries++
}

func (m *scales) check(rt *rapid.T) {
	for name, stack := range m.below {
		require.Equal(rt, stack[len(stack)-1].value, m.pans()[name], name)
	}
	knobs, revision, err := m.conductor.Knobs("scales")
	require.NoError(rt, err)
	require.Len(rt, knobs, 2)
	if m.seen != nil && maps.Equal(m.seen, m.pans()) {
		require.GreaterOrEqual(rt, revision, m.revision)
	} else {
		require.Greater(rt, revision, m.revision, "other values, another revision")
	}
	m.revision, m.seen = revision, m.pans()

	// The audit alone, with what came past the door, tells how it came to this.
	audit := m.conductor.Audit()
	require.Len(rt, audit, m.entries)
	for ; m.read < len(audit); m.read++ {
		entry := audit[m.read]
		require.EqualValues(rt, m.read+1, entry.Seq)
		require.LessOrEqual(rt, entry.Revision, revision)
		if entry.Error != "" {
			continue
		}
		for name, v := range entry.Before {
			require.Equal(rt, m.replayed[name], v)
		}
		maps.Copy(m.replayed, entry.After)
	}
	require.Equal(rt, m.pans(), m.replayed)
}
