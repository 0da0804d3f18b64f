package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// change opens a desk to change something, or only to say what would be.
func (p *program) change(ctx context.Context, verb string, o deadletter.Options, do func(context.Context, desk, deadletter.Options) (deadletter.Summary, error)) error {
	d, err := p.desk(ctx, !o.DryRun)
	if err != nil {
		return err
	}
	show, finish := p.progress(verb, false)
	if p.watches && !o.DryRun {
		total, err := count(ctx, d, o.Filter)
		if err != nil {
			return errors.Join(err, d.Close())
		}
		o.Progress = func(n int) { show(int64(n), int64(total)) }
	}
	s, err := do(ctx, d, o)
	finish()
	err = errors.Join(err, d.Close())
	if err != nil && s.Matched == 0 {
		return err
	}
	return errors.Join(err, p.report(s, verb, err))
}

// report prints what came of it. Where some failed, the error is errPartly
// unless something worse came.
func (p *program) report(s deadletter.Summary, verb string, worse error) error {
	if p.output == "json" || p.output == "jsonl" {
		enc := json.NewEncoder(p.out)
		if p.output == "json" {
			enc.SetIndent("", "  ")
		}
		if err := enc.Encode(s); err != nil {
			return err
		}
	} else {
		p.printSummary(s, verb)
	}
	if s.Failed > 0 && worse == nil {
		return errPartly
	}
	return nil
}

func (p *program) printSummary(s deadletter.Summary, verb string) {
	text := fmt.Sprintf("%s %s of %s", verb, number(s.Done), plural(s.Matched, "dead letter"))
	if s.DryRun {
		text = "dry run, nothing was changed: would have " + text
	}
	if s.Duplicates > 0 {
		text += fmt.Sprintf("; %s thrown away, of work that was sent already", plural(s.Duplicates, "duplicate"))
	}
	if s.Failed > 0 {
		text += fmt.Sprintf("; %s not sent, and still in the box", number(s.Failed))
	}
	fmt.Fprintln(p.out, text)
	for _, f := range s.Failures {
		fmt.Fprintf(p.err, "  %s\n", clean(f.String()))
	}
	if more := s.Failed - len(s.Failures); more > 0 {
		fmt.Fprintf(p.err, "  and %s more\n", number(more))
	}
}

// changes gives a command the flags of what changes something.
func (p *program) changes(cmd *cobra.Command, dry *bool) {
	cmd.Flags().BoolVar(dry, "dry-run", false, "say what would be done, and change nothing")
	p.addOutput(cmd, "table", "json", "jsonl")
}

func (p *program) redrive() *cobra.Command {
	var c choice
	var o deadletter.Options
	cmd := &cobra.Command{
		Use: "redrive [ID…]", Short: "send letters again, as they are",
		Long: `Sends letters again: to the component of the running service, at the pace of its
queue, or into its journal where none runs. Letters that are not accepted stay in
the box; then the exit code is 5.`,
		Example: "  lastcall deadletters redrive --component lane:sms --reason retries --dry-run\n  lastcall deadletters redrive 7f3a-12",
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			if o.Filter, err = c.must(ids); err != nil {
				return err
			}
			return p.change(cmd.Context(), "sent", o, func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
				return d.Redrive(ctx, o)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&c.all, "all", false, "all letters in the box")
	p.changes(cmd, &o.DryRun)
	return cmd
}

func (p *program) drop() *cobra.Command {
	var c choice
	var o deadletter.Options
	var yes bool
	cmd := &cobra.Command{
		Use: "drop [ID…]", Short: "throw letters away for good",
		Example: "  lastcall deadletters drop --reason expired --until 30d --yes",
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			if o.Filter, err = c.must(ids); err != nil {
				return err
			}
			if !yes && !o.DryRun {
				if err := p.confirm(cmd.Context(), o.Filter); err != nil {
					return err
				}
			}
			return p.change(cmd.Context(), "dropped", o, func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
				return d.Drop(ctx, o)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&c.all, "all", false, "all letters in the box")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	p.changes(cmd, &o.DryRun)
	return cmd
}

var errDeclined = errors.New("nothing was dropped")

// confirm asks a person.
func (p *program) confirm(ctx context.Context, f deadletter.Filter) error {
	if !p.asks {
		return usagef("--yes: is needed where there is no terminal to ask at")
	}
	n := 0
	err := p.reading(ctx, func(d desk) (err error) {
		n, err = count(ctx, d, f)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.err, "Throw %s away for good? [y/N] ", plural(n, "dead letter"))
	answer, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errDeclined
}

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

// hexDump is what cannot be shown as text.
func hexDump(p []byte) string {
	const most = 4096
	if len(p) > most {
		return hex.Dump(p[:most]) + fmt.Sprintf("and %s more; export the letter to have them all", plural(len(p)-most, "byte"))
	}
	return hex.Dump(p)
}
