package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
)

// addOutput gives a command its --output.
func (p *program) addOutput(cmd *cobra.Command, forms ...string) {
	cmd.Flags().StringVarP(&p.output, "output", "o", "table", "how to print: "+strings.Join(forms, ", "))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(forms, p.output) {
			return usagef("--output: is %q; give %s", p.output, strings.Join(forms, ", "))
		}
		return nil
	}
}

// printJSON prints values as an array, or each in a line of its own.
func printJSON[T any](w io.Writer, output string, all iter.Seq2[T, error]) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if output == "jsonl" {
		for v, err := range all {
			if err != nil {
				return err
			}
			if err := enc.Encode(v); err != nil {
				return err
			}
		}
		return nil
	}
	list := []T{}
	for v, err := range all {
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

func values[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// table prints rows in columns.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, header ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(header...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }

// clean is text that moves nothing on a terminal: what is in a letter came from
// outside.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// short is the beginning of a text, of at most n runes.
func short(text string, n int) string {
	runes := []rune(clean(text))
	if len(runes) <= n {
		return string(runes)
	}
	return string(runes[:n-1]) + "…"
}

func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return humanize.Time(t)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.Local().Format(time.RFC3339) + " (" + humanize.Time(t) + ")"
}

func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

func number(n int) string { return humanize.Comma(int64(n)) }

// plural is "1 dead letter", "2 dead letters".
func plural(n int, one string) string {
	return number(n) + " " + english.PluralWord(n, one, "")
}

// sentence makes a short description one.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return clean(text)
}
