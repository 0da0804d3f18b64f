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
			return errors.Join(p.change(cmd.Context(), "sent", o, rowsOf(args[0], is, o.Filter), func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
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

// rowsOf counts the rows of a file that a filter chooses. Of the standard input
// nobody knows how many will come.
func rowsOf(name string, is deadletter.Format, f deadletter.Filter) func(desk) (int, error) {
	return func(desk) (n int, err error) {
		if name == "-" {
			return unknown, nil
		}
		file, err := os.Open(name) //nolint:gosec // as below
		if err != nil {
			return 0, err
		}
		for row, err := range deadletter.Import(file, is) {
			if err != nil || f.Match(&row.Letter) {
				n++
			}
		}
		if f.Limit > 0 {
			n = min(n, f.Limit)
		}
		return n, file.Close()
	}
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
