package lifecycletest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

// exampleT stands in for the *testing.T of your test.
type exampleT struct{ fake }

func (t *exampleT) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// service is what is tested: a store, and a server that stands on it.
var service = fx.Options(fx.NopLogger, fx.Invoke(func(lc fx.Lifecycle) {
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "store", Band: lifecycle.Resource,
		OnStop: func(context.Context) error { return nil },
	})
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "http", Band: lifecycle.Ingress,
		Budget: lifecycle.Budget{Stop: time.Second},
		OnStop: func(context.Context) error { return nil },
	})
}))

// A server that hangs does not keep the store from being stopped. (In a test,
// testing/synctest lets the time pass at once.)
func ExampleHang() {
	t := &exampleT{}
	defer t.end()

	var conductor *lifecycle.Conductor
	app := fx.New(lifecycle.Module(), service,
		lifecycletest.Hang(t, "http", lifecycle.PhaseStop),
		fx.Populate(&conductor),
	)
	_ = app.Start(context.Background())

	var hang *lifecycle.HangError
	fmt.Println("hung:", errors.As(app.Stop(context.Background()), &hang))
	fmt.Println("in order:", lifecycletest.AssertStopOrder(t, conductor.Receipt(), "http", "store"))
	// Output:
	// hung: true
	// in order: true
}

func ExampleFail() {
	t := &exampleT{}
	defer t.end()

	var conductor *lifecycle.Conductor
	app := fx.New(lifecycle.Module(), service,
		lifecycletest.Fail(t, "store", lifecycle.PhaseStop, errors.New("disk full")),
		fx.Populate(&conductor),
	)
	_ = app.Start(context.Background())
	fmt.Println(app.Stop(context.Background()))
	fmt.Println("exit code", conductor.Receipt().ExitCode())
	// Output:
	// lifecycle: stop store: disk full
	// exit code 3
}

func ExampleAssertClean() {
	t := &exampleT{}
	defer t.end()

	var conductor *lifecycle.Conductor
	app := fx.New(lifecycle.Module(), service, fx.Populate(&conductor))
	_ = app.Start(context.Background())
	_ = app.Stop(context.Background())

	receipt := conductor.Receipt()
	fmt.Println(lifecycletest.AssertClean(t, receipt),
		lifecycletest.AssertBalanced(t, receipt),
		lifecycletest.AssertNoLeaks(t, receipt))
	lifecycletest.AssertStopOrder(t, receipt, "http", "sotre")
	// Output:
	// true true true
	// lifecycletest: "sotre" is no component of this receipt; it has http, store
}

func ExampleStress() {
	t := &exampleT{}
	defer t.end()

	lifecycletest.Stress(t, func() lifecycletest.Component { return &worker{} })
	fmt.Println("fifty workers were started and stopped by ten goroutines each")
	// Output: fifty workers were started and stopped by ten goroutines each
}
