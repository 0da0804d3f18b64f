package lifecycle_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// A frontDesk is a component of one's own: it shows how many it has seated,
// and how many may sit can be changed while it runs.
type frontDesk struct{ seats, seated atomic.Int64 }

func newFrontDesk(lc fx.Lifecycle) *frontDesk {
	d := &frontDesk{}
	d.seats.Store(4)
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "desk:front",
		Panel: &lifecycle.Panel{
			Kind:  "desk",
			Stats: func() any { return map[string]int64{"seated": d.seated.Load()} },
			Knobs: func() []lifecycle.Knob {
				return []lifecycle.Knob{{
					Name: "seats", Help: "How many may sit at a time.",
					Type: lifecycle.IntKnob, Value: d.seats.Load(), Min: 1, Max: 64,
				}}
			},
			Turn: func(_ context.Context, values map[string]any) error {
				if seats, ok := values["seats"]; ok {
					d.seats.Store(seats.(int64)) // the door has seen to its type and bounds
				}
				return nil
			},
		},
	})
	return d
}

func exampleDesk() (*fx.App, *lifecycle.Conductor) {
	var conductor *lifecycle.Conductor
	app := fx.New(fx.NopLogger, lifecycle.Module(),
		fx.Provide(newFrontDesk), fx.Invoke(func(*frontDesk) {}), fx.Populate(&conductor))
	return app, conductor
}

// A component of one's own shows itself, and is turned through the one door.
func ExamplePanel() {
	app, conductor := exampleDesk()
	ctx := context.Background()
	_ = app.Start(ctx)

	desk, _ := conductor.Component("desk:front")
	fmt.Println(desk.Panel.Kind, desk.State, desk.Panel.Stats())

	turned, err := conductor.Turn(ctx, "desk:front", lifecycle.Change{
		Values: map[string]any{"seats": 8.0}, // as JSON has it
		By:     "alice",
	})
	fmt.Println(turned, err)

	_, err = conductor.Turn(ctx, "desk:front", lifecycle.Change{Values: map[string]any{"seats": 0, "chairs": 3}})
	fmt.Println(err)

	_ = app.Stop(ctx)
	for _, entry := range conductor.Audit() {
		fmt.Println(entry.Seq, entry.By, entry.Error == "")
	}
	// Output:
	// desk started map[seated:0]
	// seats 4 → 8, by alice <nil>
	// lifecycle: turn desk:front: chairs: unknown knob; there are seats; seats: 0 is too little: give 1 to 64
	// 1 alice true
	// 2  false
}

// A change may hold for a time and take itself back.
func ExampleConductor_Turn() {
	app, conductor := exampleDesk()
	ctx := context.Background()
	_ = app.Start(ctx)

	_, revision, _ := conductor.Knobs("desk:front")
	turned, err := conductor.Turn(ctx, "desk:front", lifecycle.Change{
		Values: map[string]any{"seats": 64},
		By:     "alice", From: "10.0.0.7",
		If:  revision,         // refuse it if somebody was faster
		For: 10 * time.Minute, // the rush is over then
	})
	fmt.Println(turned.Before, turned.After, turned.Until.Sub(turned.At).Round(time.Minute), err)

	_, err = conductor.Turn(ctx, "desk:front", lifecycle.Change{Values: map[string]any{"seats": 1}, If: revision})
	fmt.Println(err)
	_ = app.Stop(ctx)
	// Output:
	// map[seats:4] map[seats:64] 10m0s <nil>
	// lifecycle: turn desk:front: the knobs have been changed since: the change was made for revision 1, and it is 2
}

// What was changed is taken back from the audit.
func ExampleConductor_Rollback() {
	app, conductor := exampleDesk()
	ctx := context.Background()
	_ = app.Start(ctx)

	turned, _ := conductor.Turn(ctx, "desk:front", lifecycle.Change{Values: map[string]any{"seats": 64}, By: "alice"})
	back, err := conductor.Rollback(ctx, turned.Seq, "bob", "10.0.0.8", false)
	fmt.Println(back, err)
	_, err = conductor.Rollback(ctx, turned.Seq, "bob", "10.0.0.8", false)
	fmt.Println(err)
	_ = app.Stop(ctx)
	// Output:
	// seats 64 → 4, by bob <nil>
	// lifecycle: turn desk:front: the knobs have been changed since: change 2 has turned seats
}

// A component is told to do something; what it is not told is what it says.
func ExampleConductor_Act() {
	var conductor *lifecycle.Conductor
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor), fx.Invoke(func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "kitchen", Panel: &lifecycle.Panel{Actions: []lifecycle.Action{{
			Name: "cook", Help: "Cooks one dish.",
			Args: []lifecycle.Knob{
				{Name: "dish", Type: lifecycle.TextKnob}, // must be given
				{Name: "plates", Type: lifecycle.IntKnob, Value: 1, Min: 1, Max: 9},
			},
			Do: func(_ context.Context, args map[string]any) (any, error) {
				return fmt.Sprintf("%d × %s", args["plates"], args["dish"]), nil
			},
		}}}})
	}))
	ctx := context.Background()
	_ = app.Start(ctx)

	answer, entry, err := conductor.Act(ctx, "kitchen", lifecycle.Act{Action: "cook", Args: map[string]any{"dish": "soup"}, By: "alice"})
	fmt.Println(answer, err)
	fmt.Println(entry)
	_, _, err = conductor.Act(ctx, "kitchen", lifecycle.Act{Action: "cook", Args: map[string]any{"plates": 10}})
	fmt.Println(err)
	_ = app.Stop(ctx)
	// Output:
	// 1 × soup <nil>
	// cook dish soup, plates 1, by alice
	// lifecycle: cook kitchen: plates: 10 is too much: give 1 to 9; dish: it must be given
}

// A witness sees the start and the stop from outside.
func ExampleAttend() {
	var conductor *lifecycle.Conductor
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor), fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(fx.StartStopHook(func() { fmt.Println("the pool starts") }, func() { fmt.Println("the pool stops") }))
		lifecycle.Attend(lc, lifecycle.Witness{
			Name:  "management",
			Open:  says("the management server listens"),
			Close: func(context.Context) { fmt.Println("it has seen the receipt:", conductor.Receipt().Clean()) },
		})
	}))
	ctx := context.Background()
	_ = app.Start(ctx)
	_ = app.Stop(ctx)
	// Output:
	// the management server listens
	// the pool starts
	// the pool stops
	// it has seen the receipt: true
}
