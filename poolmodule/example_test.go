package poolmodule_test

import (
	"context"
	"fmt"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Mail is what goes through the lane.
type Mail struct{ To string }

// Mailer is what the handler needs from the graph.
type Mailer struct{}

func (Mailer) Send(_ context.Context, m Mail) error {
	fmt.Println("sent to", m.To)
	return nil
}

func NewMailer() Mailer { return Mailer{} }

func NewMailHandler(m Mailer) pool.Handler[Mail] { return m.Send }

func Example() {
	app := fx.New(
		fx.NopLogger,
		lifecycle.Module(), // or without: a plain Fx application
		fx.Provide(NewMailer),
		poolmodule.Provide("mail", pool.Config{Workers: 1, Queue: 100}),
		poolmodule.Lane[Mail]("outbox", "mail", NewMailHandler),
		fx.Invoke(func(lc fx.Lifecycle, outbox *pool.Lane[Mail]) {
			lc.Append(fx.StartHook(func(ctx context.Context) error {
				return outbox.Submit(ctx, Mail{To: "ada"})
			}))
		}),
	)
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	// A stop at any moment finishes what was accepted.
	if err := app.Stop(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: sent to ada
}

func ExampleRegistry() {
	var registry *poolmodule.Registry
	app := fx.New(
		fx.NopLogger,
		poolmodule.Module,
		poolmodule.Provide("mail", pool.Config{Workers: 1}),
		fx.Populate(&registry),
		fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(`name:"mail"`))),
	)
	_ = app.Start(context.Background())

	fmt.Println(registry.Names())
	fmt.Println(registry.Resize("mail", pool.Limits{Workers: 8}))
	fmt.Println(registry.Resize("male", pool.Limits{Workers: 8}))

	_ = app.Stop(context.Background())
	// Output:
	// [mail]
	// <nil>
	// there is no pool "male"; declared are: mail
}
