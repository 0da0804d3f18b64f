package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// change opens a desk to change something, or only to say what would be. total
// counts how much that is, for who watches.
func (p *program) change(ctx context.Context, verb string, o deadletter.Options, total func(desk) (int, error), do func(context.Context, desk, deadletter.Options) (deadletter.Summary, error)) error {
	d, err := p.desk(ctx, !o.DryRun)
	if err != nil {
		return err
	}
	if _, files := d.(*local); files && o.DryRun { // it promises what could be done
		if err := p.owns(); err != nil {
			return errors.Join(err, d.Close())
		}
	}
	show, finish := p.progress(verb, false)
	if p.watches && !o.DryRun {
		n, err := total(d)
		if err != nil {
			return errors.Join(err, d.Close())
		}
		if n != unknown {
			o.Progress = func(done int) { show(int64(done), int64(n)) }
		}
	}
	s, err := do(ctx, d, o)
	finish()
	err = errors.Join(err, d.Close())
	if err != nil && s.Matched == 0 {
		return err
	}
	return errors.Join(err, p.report(s, verb, err))
}

// chosen counts the letters of a desk that a filter chooses.
func chosen(ctx context.Context, f deadletter.Filter) func(desk) (int, error) {
	return func(d desk) (int, error) { return count(ctx, d, f) }
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
	if s.Failed+s.Missing > 0 && worse == nil {
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
		text += fmt.Sprintf("; %s not %s", number(s.Failed), verb)
	}
	if s.Missing > 0 {
		text += fmt.Sprintf("; %s not in the box", number(s.Missing))
	}
	fmt.Fprintln(p.out, text)
	for _, f := range s.Failures {
		fmt.Fprintf(p.err, "  %s\n", clean(f.String()))
	}
	if more := s.Failed + s.Missing - len(s.Failures); more > 0 {
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
the box; then the exit code is 5, as it is for an id that no letter has.`,
		Example: "  lastcall deadletters redrive --component lane:sms --reason retries --dry-run\n  lastcall deadletters redrive 7f3a-12",
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			if o.Filter, err = c.must(ids); err != nil {
				return err
			}
			return p.change(cmd.Context(), "sent", o, chosen(cmd.Context(), o.Filter), func(ctx context.Context, d desk, o deadletter.Options) (deadletter.Summary, error) {
				return d.Redrive(ctx, o)
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&c.all, "all", false, "all letters in the box")
	p.changes(cmd, &o.DryRun)
	return cmd
}
