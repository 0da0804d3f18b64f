// Transfer moves money between the accounts of a database in two separate
// writes, and may be killed between them: no money is lost, and none is moved
// twice.
package main

import (
	"os"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/journal"
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
		modules.Default(),
		modules.Section("transfer", Settings{
			Dir:      "transfer-data",
			Accounts: map[string]int64{"alice": 100_000, "bob": 100_000, "carol": 100_000},
			Pause:    20 * time.Millisecond,
		}),
		fx.Decorate(journalBeside),
		fx.Provide(newBank),
		poolmodule.Provide("movers", pool.Config{Workers: 4, Queue: 1024}),
		poolmodule.Lane[Transfer]("transfers", "movers", newMover,
			poolmodule.Configure(pool.LaneConfig{
				Journal: journal.Always, // a transfer is written down before it is accepted
				Retry:   pool.Retry{MaxAttempts: 10, InitialDelay: 50 * time.Millisecond},
			}),
			poolmodule.LaneOptions(pool.WithID(func(t Transfer) string { return t.ID }))),
		httpmodule.Handle("POST /transfers", newPostTransfers),
		httpmodule.Handle("GET /accounts", newGetAccounts),
	)
}
