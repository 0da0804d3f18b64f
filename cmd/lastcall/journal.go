package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func (p *program) journal() *cobra.Command {
	cmd := group("journal", "look at the journals of a directory", `
These commands change nothing. While no process holds the directory they read
the files; while a service does they ask it through its control socket, and are
refused, with exit code 4, where it has none.`)
	cmd.AddCommand(p.inspect(), p.verify(), p.exportJournal())
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

func (p *program) inspect() *cobra.Command {
	cmd := &cobra.Command{
		Use: "inspect [NAME…]", Short: "what is in the journals",
		Long: `What is in the journals: entries that are live and those that are acknowledged,
the age of the oldest, what the files take, and what is damaged. For journals
that are named the files are listed, too.`,
		Example: "  lastcall journal inspect\n  lastcall journal inspect lane:sms --output json",
		RunE: func(cmd *cobra.Command, names []string) error {
			found, err := p.look(cmd.Context(), names)
			if err != nil {
				return err
			}
			if p.output != "table" {
				return printJSON(p.out, p.output, values(found))
			}
			if err := p.printInspections(found); err != nil {
				return err
			}
			for i := range found {
				if len(names) > 0 {
					err = errors.Join(err, p.printSegments(&found[i]))
				}
				p.printDamage(&found[i])
			}
			return err
		},
	}
	p.addOutput(cmd, "table", "json", "jsonl")
	return cmd
}

func (p *program) printInspections(found []filejournal.Inspection) error {
	t := newTable(p.out, "JOURNAL", "LIVE", "ACKNOWLEDGED", "SIZE", "SEGMENTS", "OLDEST", "DAMAGE")
	for _, in := range found {
		t.row(clean(in.Journal), number(in.Live), number(in.Acknowledged), size(in.Bytes),
			segments(in.Segments), ago(in.Oldest), damage(&in))
	}
	return t.Flush()
}

// segments is "3 (1 unsealed)".
func segments(list []filejournal.Segment) string {
	var notes []string
	for _, state := range []filejournal.SegmentState{filejournal.Unsealed, filejournal.Empty, filejournal.Unknown} {
		n := 0
		for _, s := range list {
			if s.State == state {
				n++
			}
		}
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(notes) == 0 {
		return number(len(list))
	}
	return fmt.Sprintf("%d (%s)", len(list), strings.Join(notes, ", "))
}

func damage(in *filejournal.Inspection) string {
	places := 0
	for _, d := range in.Damage {
		if !d.Torn {
			places++
		}
	}
	switch {
	case places > 0:
		return fmt.Sprintf("%s, %s lost", plural(places, "place"), plural(in.Lost(), "entry"))
	case len(in.Quarantine) > 0:
		return plural(len(in.Quarantine), "file") + " in quarantine"
	}
	return "-"
}

func (p *program) printSegments(in *filejournal.Inspection) error {
	fmt.Fprintf(p.out, "\n%s\n", clean(in.Journal))
	t := newTable(p.out, "  SEGMENT", "STATE", "SIZE", "ENTRIES", "LIVE", "FIRST", "LAST")
	for _, s := range in.Segments {
		t.row("  "+s.Name, string(s.State), size(s.Bytes), number(s.Entries), number(s.Live), fmt.Sprint(s.First), fmt.Sprint(s.Last))
	}
	return t.Flush()
}

// printDamage lists what a person may have to look at.
func (p *program) printDamage(in *filejournal.Inspection) {
	for _, d := range in.Damage {
		word := "damage"
		if d.Torn {
			word = "torn end, of an append that was never promised"
		}
		fmt.Fprintf(p.out, "%s: %s: %s\n", clean(in.Journal), word, d)
	}
	for _, file := range in.Quarantine {
		fmt.Fprintf(p.out, "%s: in quarantine: %s\n", clean(in.Journal), file)
	}
}

func (p *program) verify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify [NAME…]", Short: "read every byte; is all of it intact?",
		Long: `Reads every byte of the journals and checks it. What is damaged is listed, with
its place and the entries that are missing, and the exit code is 3. A torn end,
which a kill leaves in the middle of an append, is no damage: that append was
never promised. Files in quarantine are mentioned: they are what an earlier
start has found.

A running service reads the files in which entries are live, and adds what it
has found since it started.`,
		Example: "  lastcall journal verify && echo intact",
		RunE: func(cmd *cobra.Command, names []string) error {
			found, err := p.look(cmd.Context(), names)
			if err != nil {
				return err
			}
			intact := true
			for i := range found {
				intact = intact && found[i].Err() == nil
			}
			if p.output != "table" {
				err = printJSON(p.out, p.output, values(found))
			} else {
				p.printVerdicts(found)
			}
			if err == nil && !intact {
				return errDamage
			}
			return err
		},
	}
	p.addOutput(cmd, "table", "json", "jsonl")
	return cmd
}

func (p *program) printVerdicts(found []filejournal.Inspection) {
	for i := range found {
		in := &found[i]
		verdict := "intact"
		if in.Err() != nil {
			verdict = "DAMAGED: " + damage(in)
		}
		fmt.Fprintf(p.out, "%s: %s (%s in %s)\n", clean(in.Journal), verdict, plural(in.Entries, "entry"), size(in.Bytes))
		p.printDamage(in)
	}
	if len(found) == 0 {
		fmt.Fprintln(p.out, "there are no journals")
	}
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
