package lifecycle_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestAlarmsArePutBehindAShield(t *testing.T) {
	t.Parallel()
	looks := 0
	panel := &lifecycle.Panel{
		Stats: func() any { looks++; return looks },
		Alarms: []lifecycle.Alarm{
			{Name: "of", Of: func(stats any) float64 { return float64(stats.(int)) }},
			{Name: "of panics", Of: func(any) float64 { panic("no") }},
			{Name: "panics", Value: func() float64 { panic("no") }},
			{Name: "nothing to read"},
		},
	}
	bad := &lifecycle.Panel{
		Stats:  func() any { panic("no") },
		Alarms: []lifecycle.Alarm{{Name: "of", Of: func(any) float64 { return 1 }}},
	}
	none := &lifecycle.Panel{Alarms: []lifecycle.Alarm{{Name: "of", Of: func(any) float64 { return 1 }}}}
	var conductor *lifecycle.Conductor
	app := fxtest.New(t, fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor), fx.Invoke(func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "good", Panel: panel})
		lifecycle.Append(lc, lifecycle.Hook{Name: "bad", Panel: bad})
		lifecycle.Append(lc, lifecycle.Hook{Name: "none", Panel: none})
	}))
	app.RequireStart()
	good, _ := conductor.Component("good")
	require.Len(t, good.Panel.Alarms, 3, "what has nothing to read is left out")
	alarms := good.Panel.Alarms
	assert.InDelta(t, 7, alarms[0].Of(7), 0)
	assert.InDelta(t, 1, alarms[0].Value(), 0, "it asks for the statistics itself")
	assert.True(t, math.IsNaN(alarms[1].Of(7)))
	assert.True(t, math.IsNaN(alarms[1].Value()))
	assert.True(t, math.IsNaN(alarms[2].Value()))
	assert.Nil(t, alarms[2].Of)
	broken, _ := conductor.Component("bad")
	assert.True(t, math.IsNaN(broken.Panel.Alarms[0].Value()), "statistics that panic are no number")
	assert.True(t, math.IsNaN(broken.Panel.Alarms[0].Of(broken.Panel.Stats())))
	without, _ := conductor.Component("none")
	assert.Empty(t, without.Panel.Alarms)
	app.RequireStop()
}

func TestEventsAreToldByOthersUntilTheEnd(t *testing.T) {
	t.Parallel()
	var conductor *lifecycle.Conductor
	app := fxtest.New(t, fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor))
	app.RequireStart()
	conductor.Events().Add(lifecycle.Event{Seq: 99, Kind: "mine", Component: "desk", Text: "hello", Data: 7})
	events, _ := conductor.Events().Since(0)
	last := events[len(events)-1]
	assert.EqualValues(t, len(events), last.Seq, "its number is given to it")
	assert.False(t, last.At.IsZero())
	assert.Equal(t, "mine", last.Kind)
	assert.Equal(t, 7, last.Data)
	app.RequireStop()
	before, _ := conductor.Events().Since(0)
	conductor.Events().Add(lifecycle.Event{Kind: "mine"})
	after, _ := conductor.Events().Since(0)
	assert.Len(t, after, len(before))
}
