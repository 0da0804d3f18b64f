package batchmodule_test

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// Event is what the program collects.
type Event struct{ Name string }

// Database stands for what the sink writes to.
type Database struct{}

func NewDatabase() *Database { return &Database{} }

// NewEventSink is an ordinary constructor: its parameters come from the graph.
func NewEventSink(*Database) batch.Sink[Event] {
	return func(_ context.Context, events []Event) error {
		fmt.Println("insert", events)
		return nil
	}
}

func Example() {
	app := fx.New(
		fx.NopLogger,
		fx.Provide(NewDatabase),
		batchmodule.Provide[Event]("events", NewEventSink, batch.Config{MaxItems: 500, Linger: time.Second}),
		fx.Invoke(func(lc fx.Lifecycle, events *batch.Batcher[Event]) {
			lc.Append(fx.StartHook(func(ctx context.Context) error {
				_, err := events.AddAll(ctx, []Event{{"login"}, {"logout"}})
				return err
			}))
		}),
	)
	ctx := context.Background()
	fmt.Println("start:", app.Start(ctx))
	fmt.Println("stop:", app.Stop(ctx))
	// Output:
	// start: <nil>
	// insert [{login} {logout}]
	// stop: <nil>
}
