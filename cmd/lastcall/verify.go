package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal/filejournal"
)

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
