package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func (p *program) importFile() *cobra.Command {
	var c choice
	var o deadletter.Options
	var format string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "send letters of a file, which may have been edited",
		Long: `Sends the letters of a file that export has written and a person may have
edited; "-" is the standard input. When one is accepted, the letter in the box is
thrown away. Rows that are wrong are listed with their lines, and the others are
sent all the same; then the exit code is 5.

A row whose letter is not in the box is refused: it was sent or dropped
meanwhile. --missing sends it all the same.`,
		Example: "  lastcall deadletters import poison.csv --dry-run",
		Args:    counted(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Filter, err = c.filter(nil); err != nil {
				return err
			}
			is, err := formatFor(format, args[0], "")
			if err != nil {
				return err
			}
			in, leave, err := p.source(args[0])
			if err != nil {
				return err
			}
			return errors.Join(p.change(cmd.Context(), "sent", o, func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
				return d.SendBack(ctx, in, is, o)
			}), leave())
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "", "csv or jsonl (default: as the name of the file says)")
	cmd.Flags().BoolVar(&o.Missing, "missing", false, "send letters, too, that are not in the box")
	p.changes(cmd, &o.DryRun)
	return cmd
}

// source opens the file of an import.
func (p *program) source(name string) (io.Reader, func() error, error) {
	if name == "-" {
		return p.in, func() error { return nil }, nil
	}
	f, err := os.Open(name) //nolint:gosec // the person at the terminal may read what they may
	if err != nil {
		return nil, nil, err
	}
	return f, f.Close, nil
}
