package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// says is a hook function that prints.
func says(line string) func(context.Context) error {
	return func(context.Context) error { fmt.Println(line); return nil }
}

func ExampleAppend() {
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Invoke(func(lc fx.Lifecycle) {
		// Registered first, yet it stops first: it lets work in.
		lifecycle.Append(lc, lifecycle.Hook{
			Name:   "http",
			Band:   lifecycle.Ingress,
			OnStop: says("the server drains"),
		})
		lifecycle.Append(lc, lifecycle.Hook{
			Name:       "pool",
			OnStop:     says("the pool finishes its tasks"),
			PreDestroy: says("what is left is saved"),
			Budget:     lifecycle.Budget{Stop: 5 * time.Second},
		})
		lc.Append(fx.StopHook(func() { fmt.Println("a plain hook takes part") }))
	}))
	ctx := context.Background()
	_ = app.Start(ctx)
	_ = app.Stop(ctx)
	// Output:
	// the server drains
	// a plain hook takes part
	// the pool finishes its tasks
	// what is left is saved
}

// A backup hook runs whatever happens to the rest.
func ExamplePreDestroy() {
	app := fx.New(fx.NopLogger, lifecycle.Module(),
		fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.PreDestroy(lc, "snapshot", says("the snapshot is written"))
		}),
		fx.Invoke(func() error { return errors.New("no configuration") }),
	)
	fmt.Println(app.Err() != nil)
	// Output:
	// the snapshot is written
	// true
}

func ExampleConductor_When() {
	var conductor *lifecycle.Conductor
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor))
	ctx := context.Background()
	_ = app.Start(ctx)

	consumer := make(chan struct{})
	go func() {
		defer close(consumer)
		<-conductor.When(lifecycle.NotReady)
		fmt.Println("ready:", conductor.Ready())
	}()
	_ = app.Stop(ctx)
	<-consumer
	// Output: ready: false
}

func ExampleConductor_Plan() {
	var conductor *lifecycle.Conductor
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor), fx.Invoke(func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "http", Band: lifecycle.Ingress})
		lifecycle.Append(lc, lifecycle.Hook{Name: "kafka", Band: lifecycle.Resource})
		lifecycle.Append(lc, lifecycle.Hook{Name: "audit", Band: lifecycle.Sink, After: []string{"kafka"}})
	}))
	plan, _ := conductor.Plan()
	for _, step := range plan.Steps {
		fmt.Println(strings.TrimSpace(step.Component + " " + step.Moved))
	}
	_ = app.Stop(context.Background())
	// Output:
	// http
	// audit
	// kafka moved from resource to sink: audit stands on kafka
}

// The receipt proves with an equation that no work was lost.
func ExampleReceipt() {
	var conductor *lifecycle.Conductor
	gate := intake.New("mailbox")
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor), fx.Invoke(func(lc fx.Lifecycle) {
		lifecycle.Append(lc, lifecycle.Hook{Name: "mailbox", Gate: gate})
	}))
	ctx := context.Background()
	_ = app.Start(ctx)
	letter, _ := gate.Enter(ctx)
	go func() {
		<-gate.Draining() // the stop has begun, and waits for us
		letter.Done()
	}()
	_ = app.Stop(ctx)

	receipt := conductor.Receipt()
	fmt.Println(receipt.Cause, receipt.Clean())
	fmt.Println(receipt.Total)
	// Output:
	// stop true
	// accepted 1 = done 1 + failed 0 + saved 0
}

// Whoever ends the application says why.
func ExampleShutdown() {
	var conductor *lifecycle.Conductor
	var shutdowner fx.Shutdowner
	app := fx.New(fx.NopLogger, lifecycle.Module(), fx.Populate(&conductor, &shutdowner))
	ctx := context.Background()
	_ = app.Start(ctx)
	asked := app.Wait()

	_ = lifecycle.Shutdown(shutdowner, errors.New("the listener broke"))
	<-asked
	_ = app.Stop(ctx)
	fmt.Println(conductor.Receipt().Cause.Err)
	fmt.Println("exit code", conductor.Receipt().ExitCode())
	// Output:
	// the listener broke
	// exit code 3
}
