package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

func (p *program) show() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ID…", Short: "all that is known of a letter",
		Args: counted(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return p.reading(cmd.Context(), func(d desk) error { return p.showAll(d.All(cmd.Context(), deadletter.Filter{IDs: ids}), ids) })
		},
	}
	p.addOutput(cmd, "table", "json", "jsonl", "csv")
	return cmd
}

func (p *program) showAll(letters iter.Seq2[journal.DeadLetter, error], ids []string) error {
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	var found []journal.DeadLetter
	for l, err := range letters {
		if err != nil {
			return err
		}
		delete(missing, l.ID)
		found = append(found, l)
	}
	if p.output != "table" {
		if err := p.printLetters(values(found)); err != nil {
			return err
		}
	} else {
		for i := range found {
			if i > 0 {
				fmt.Fprintln(p.out)
			}
			p.printLetter(&found[i])
		}
	}
	var errs []error
	for _, id := range ids {
		if missing[id] {
			errs = append(errs, fmt.Errorf("there is no dead letter with the id %q", id))
		}
	}
	return errors.Join(errs...)
}

func (p *program) printLetter(l *journal.DeadLetter) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(p.out, "%-12s %s\n", name+":", value)
		}
	}
	line("id", clean(l.ID))
	line("component", clean(l.Component))
	line("key", clean(l.Key))
	line("reason", clean(string(l.Reason)))
	line("tries", number(l.Attempts))
	line("accepted", moment(l.Accepted))
	line("died", moment(l.Died))
	line("first error", clean(l.First))
	line("last error", clean(l.Last))
	line("codec", fmt.Sprintf("%s, version %d", clean(l.Codec), l.Version))
	fmt.Fprintf(p.out, "payload:     %s\n%s\n", plural(len(l.Payload), "byte"), readable(l.Payload))
}

// readable is a payload for a person, indented.
func readable(payload []byte) string {
	var text string
	var v any
	switch {
	case json.Unmarshal(payload, &v) == nil:
		pretty, _ := json.MarshalIndent(json.RawMessage(payload), "", "  ") // it is JSON
		text = string(pretty)
	case utf8.Valid(payload):
		text = string(payload)
	default:
		text = hexDump(payload)
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		lines[i] = "  " + clean(l)
	}
	return strings.Join(lines, "\n")
}

// hexDump is what cannot be shown as text.
func hexDump(p []byte) string {
	const most = 4096
	if len(p) > most {
		return hex.Dump(p[:most]) + fmt.Sprintf("and %s more; export the letter to have them all", plural(len(p)-most, "byte"))
	}
	return hex.Dump(p)
}
