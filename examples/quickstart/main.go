// Quickstart is a notification service that can be stopped at any moment
// without losing a message: run it, press Ctrl-C, read the receipt.
package main

import (
	"errors"
	"os"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func main() {
	app.Run(service(), app.PrintReceipt(os.Stderr))
}

// service is the whole program; its tests start the same.
func service() fx.Option {
	return fx.Options(
		// The outbox keeps everything; examples/push keeps it in a journal.
		modules.Default(modules.Without(modules.Journal)),
		work(),
		httpmodule.Handle("POST /notify", newNotify),
		fx.Invoke(startFeed),
	)
}

// work is what happens to a message once it is accepted.
func work() fx.Option {
	retry := poolmodule.Configure(pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 5, InitialDelay: 100 * time.Millisecond}})
	return fx.Options(
		modules.Section("quickstart", Settings{Out: "quickstart-out", Latency: 8 * time.Millisecond}),
		modules.Flag("input", "quickstart.input", "read messages from this CSV `file` instead of the sample"),

		poolmodule.Provide("sms", pool.Config{Workers: 4, Queue: 256}),
		poolmodule.Lane[SMS]("sms", "sms", newSMSHandler, poolmodule.SaveWith(saveTo[SMS]), retry),
		poolmodule.Provide("email", pool.Config{Workers: 2, Queue: 256}),
		poolmodule.Lane[Email]("email", "email", newEmailHandler, poolmodule.SaveWith(saveTo[Email]), retry),

		batchmodule.Provide[Delivery]("delivered", newSink,
			batch.Config{MaxItems: 100, Linger: 200 * time.Millisecond},
			batchmodule.SaveWith[Delivery](newSink), batchmodule.DeadLetterWith[Delivery](newDeadLetters)),

		fx.Provide(newOutbox, newProvider, newDispatch, newRouter), // newOutbox has a PreDestroy hook
	)
}

// Settings is the section "quickstart" of the configuration.
type Settings struct {
	Input   string        `yaml:"input"`   // a CSV file; empty: the sample
	Out     string        `yaml:"out"`     // where each run makes its directory
	Latency time.Duration `yaml:"latency"` // of the provider, per message
}

// Validate is called when the configuration is loaded.
func (s Settings) Validate() error {
	var errs []error
	if s.Out == "" {
		errs = append(errs, errors.New("out: name the directory for the outbox"))
	}
	if s.Latency < 0 {
		errs = append(errs, errors.New("latency: must not be negative"))
	}
	return errors.Join(errs...)
}
