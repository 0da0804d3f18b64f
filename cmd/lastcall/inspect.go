package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/filejournal"
)

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
