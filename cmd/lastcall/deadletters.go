package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func (p *program) deadletters() *cobra.Command {
	cmd := group("deadletters", "work that could not be done: look at it, send it again", `
Work that has failed for good is kept in the box of its service until a person
has looked at it. Sent again, it has its old id: a receiver that knows ids does
nothing twice. A letter leaves the box after its work was accepted.

While a service holds the directory, its control socket is used: work is sent to
the component that runs. While none does, work is put into the component's
journal, and done when the service starts.

To change something without a service, the command holds the directory for as
long as that takes, and must be run as the owner of its files. A service that
starts meanwhile is refused after a tenth of a second: let the command end
first, or start the service and send through it.`)
	cmd.Aliases = []string{"deadletter", "dl"}
	cmd.AddCommand(p.list(), p.show(), p.export(), p.importFile(), p.redrive(), p.drop())
	return cmd
}

// reading opens a desk that is only read from.
func (p *program) reading(ctx context.Context, do func(desk) error) error {
	d, err := p.desk(ctx, false)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.Close())
}

func (p *program) list() *cobra.Command {
	var c choice
	cmd := &cobra.Command{
		Use: "list [ID…]", Short: "which letters there are",
		Example: "  lastcall deadletters list --component lane:sms --since 2h\n  lastcall deadletters list --output jsonl | jq .last_error",
		RunE: func(cmd *cobra.Command, ids []string) error {
			f, err := c.filter(ids)
			if err != nil {
				return err
			}
			return p.reading(cmd.Context(), func(d desk) error { return p.printLetters(d.All(cmd.Context(), f)) })
		},
	}
	c.flags(cmd)
	p.addOutput(cmd, "table", "json", "jsonl", "csv")
	return cmd
}

func (p *program) printLetters(letters iter.Seq2[journal.DeadLetter, error]) error {
	switch p.output {
	case "csv", "jsonl":
		_, err := deadletter.Export(p.out, deadletter.Format(p.output), letters)
		return err
	case "json":
		return p.printArray(letters)
	}
	t := newTable(p.out, "DIED", "COMPONENT", "ID", "KEY", "REASON", "TRIES", "LAST ERROR")
	n := 0
	for l, err := range letters {
		if err != nil {
			return errors.Join(err, t.Flush())
		}
		n++
		t.row(ago(l.Died), orDash(l.Component), orDash(l.ID), orDash(l.Key), orDash(string(l.Reason)), number(l.Attempts), short(l.Last, 60))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(p.err, plural(n, "dead letter"))
	return nil
}

// printArray prints letters in the form of the files, as one array.
func (p *program) printArray(letters iter.Seq2[journal.DeadLetter, error]) error {
	var lines strings.Builder
	if _, err := deadletter.Export(&lines, deadletter.JSONL, letters); err != nil {
		return err
	}
	var all []json.RawMessage
	for line := range strings.Lines(lines.String()) {
		all = append(all, json.RawMessage(line))
	}
	return printJSON(p.out, "json", values(all))
}

func (p *program) export() *cobra.Command {
	var c choice
	var to target
	cmd := &cobra.Command{
		Use: "export [ID…]", Short: "letters as CSV or JSONL, to be read or edited",
		Long: `Writes letters to the standard output or to a file. They stay in the box.

In a CSV the payload and the key may be edited and rows removed; id and
component say which letter a row is, and the rest is for reading. Cells that a
spreadsheet would run as a formula begin with an apostrophe; leave it there. A
spreadsheet rewrites what looks like a number (007 becomes 7): where an id, a key
or a payload is one, have its column read as text, or edit the JSONL.
Send the file with import.`,
		Example: "  lastcall deadletters export --reason poison --file poison.csv",
		RunE: func(cmd *cobra.Command, ids []string) error {
			f, err := c.filter(ids)
			if err != nil {
				return err
			}
			return p.reading(cmd.Context(), func(d desk) error {
				return to.write(p, "dead letter", func(t *target) (int, error) {
					total := 0
					if p.watches {
						if total, err = count(cmd.Context(), d, f); err != nil {
							return 0, err
						}
					}
					return deadletter.Export(t.w, t.is, counting(p, "exporting", total, d.All(cmd.Context(), f)))
				})
			})
		},
	}
	c.flags(cmd)
	to.flags(cmd)
	return cmd
}

func count(ctx context.Context, d desk, f deadletter.Filter) (n int, err error) {
	for _, err := range d.All(ctx, f) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
