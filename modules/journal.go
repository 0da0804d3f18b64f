package modules

import (
	"context"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// journals: where lanes and batchers write their work down, and the box for
// what could not be done.
func journals() fx.Option {
	return fx.Provide(newStore, newOpener, newDeadLetters, newJournalView,
		fx.Annotate(newJournalEndpoints, fx.ResultTags(`group:"lastcall.endpoints,flatten"`)))
}

func journalConfig() fx.Option { return Section("journal", filejournal.Config{}) }

type storeIn struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    filejournal.Config   `optional:"true"`
	Logger    *zap.Logger          `optional:"true"`
	Conductor *lifecycle.Conductor `optional:"true"`
	View      *journalView
}

func newOpener(s *store) journal.Opener { return s }

// newDeadLetters is the box, kept with the journals. The lastcall command asks
// for both at a socket in their directory, while this process holds that.
func newDeadLetters(lc fx.Lifecycle, o journal.Opener, s *store, view *journalView) *journal.DeadLetters {
	box := journal.NewDeadLetters(o)
	view.box.Store(&boxPanel{box, s})
	s.serve(control.Handler(s, box))
	lifecycle.Append(lc, lifecycle.Hook{
		Name:  boxName,
		Panel: boxPanel{box, s}.panel(),
		PreDestroy: func(context.Context) error {
			s.stopServing()
			return box.Close()
		},
	})
	return box
}
