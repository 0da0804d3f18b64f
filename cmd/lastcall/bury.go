package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func (p *program) bury() *cobra.Command {
	return &cobra.Command{
		Use: "bury NAME ID…", Short: "move entries of a journal to the dead letters",
		Long: `Takes work out of the journal of a component and puts it into the dead letters,
by its ids: the way out for work that ends the process each time it is replayed.
"journal export NAME" shows the ids, the oldest first: what was in hand when the
process died is among the first. The service must not run.`,
		Example: "  lastcall journal bury lane:sms 9f2c11aa03b4d57e-17",
		Args:    counted(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := holdsJournals(p.dir); err != nil {
				return err
			}
			if !journal.IsWork(args[0]) {
				return usagef("%s holds no work of a component", args[0])
			}
			d, err := p.hold()
			if err != nil {
				return err
			}
			names, err := d.Names()
			if err == nil && !slices.Contains(names, args[0]) {
				err = fmt.Errorf("there is no journal %s; see lastcall journal inspect", args[0])
			}
			if err != nil {
				return errors.Join(err, d.Close())
			}
			n, err := deadletter.Bury(cmd.Context(), d, args[0], args[1:]...)
			fmt.Fprintf(p.out, "moved %s %s of %s to the dead letters\n", number(n), english.PluralWord(n, "entry", "entries"), args[0])
			return errors.Join(err, d.Close())
		},
	}
}
