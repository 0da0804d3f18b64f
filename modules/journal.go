package modules

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// journals: where lanes and batchers write their work down, and the box for
// what could not be done.
func journals() fx.Option { return fx.Provide(newStore, newDeadLetters) }

func journalConfig() fx.Option { return Section("journal", filejournal.Config{}) }

type storeIn struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    filejournal.Config   `optional:"true"`
	Logger    *zap.Logger          `optional:"true"`
	Conductor *lifecycle.Conductor `optional:"true"`
}

// newDeadLetters is the box, kept with the journals.
func newDeadLetters(lc fx.Lifecycle, o journal.Opener) *journal.DeadLetters {
	box := journal.NewDeadLetters(o)
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "deadletters",
		PreDestroy: func(context.Context) error { return box.Close() },
	})
	return box
}
