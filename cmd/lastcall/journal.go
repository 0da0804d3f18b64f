package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func (p *program) journal() *cobra.Command {
	cmd := group("journal", "look at the journals of a directory", `
These commands change nothing, but for bury. While no process holds the
directory they read the files; while a service does they ask it through its
control socket, and are refused, with exit code 4, where it has none.`)
	cmd.AddCommand(p.inspect(), p.verify(), p.exportJournal(), p.bury())
	return cmd
}

// view opens the directory for reading.
func (p *program) view() (*filejournal.View, error) {
	v, err := filejournal.Look(p.dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no directory %s; give that of the service with --dir", p.dir)
	case err != nil:
		return nil, err
	}
	if err := holdsJournals(p.dir); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// look inspects journals, all if none is named.
func (p *program) look(ctx context.Context, names []string) ([]filejournal.Inspection, error) {
	v, err := p.view()
	if held := new(filejournal.HeldError); errors.As(err, &held) {
		r, err := p.service(ctx, held)
		if err != nil {
			return nil, err
		}
		found, err := r.Inspect(ctx, names...)
		return found, errors.Join(err, r.Close())
	}
	if err != nil {
		return nil, err
	}
	show, finish := p.progress("reading", true)
	found, err := v.Inspect(ctx, show, names...)
	finish()
	return found, errors.Join(err, v.Close())
}

func (p *program) exportJournal() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use: "export NAME", Short: "the entries of a journal, as CSV or JSONL",
		Long: `Writes the live entries of a journal, in order, to the standard output or to a
file. They stay in the journal.`,
		Example: "  lastcall journal export lane:sms --file sms.jsonl",
		Args:    counted(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := p.view()
			if held := new(filejournal.HeldError); errors.As(err, &held) {
				return p.exportHeld(cmd.Context(), held, args[0], &to)
			}
			if err != nil {
				return err
			}
			return errors.Join(p.exportFrom(cmd.Context(), v, args[0], &to), v.Close())
		},
	}
	to.flags(cmd)
	return cmd
}

func (p *program) exportFrom(ctx context.Context, v *filejournal.View, name string, to *target) error {
	if _, err := v.Inspect(ctx, nil, name); err != nil { // there is one of that name
		return err
	}
	j, err := v.Open(ctx, name)
	if err != nil {
		return err
	}
	return to.write(p, "entry", func(t *target) (int, error) {
		return deadletter.ExportEntries(t.w, t.is, counting(p, "exporting", j.Len(), j.Replay(ctx)))
	})
}

// exportHeld exports a journal of the service that holds the directory.
func (p *program) exportHeld(ctx context.Context, held *filejournal.HeldError, name string, to *target) error {
	r, err := p.service(ctx, held)
	if err != nil {
		return err
	}
	err = to.write(p, "entry", func(t *target) (int, error) { return unknown, r.Export(ctx, t.w, t.is, name) })
	return errors.Join(err, r.Close())
}
