package harness

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Report writes what rows have shown as Markdown: first every target, then a
// table for each row.
func Report(w io.Writer, results []*Result) error {
	var b strings.Builder
	summary(&b, results)
	for _, r := range results {
		section(&b, r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func summary(b *strings.Builder, results []*Result) {
	tableRow(b, "row", "work", "target", "measured", "")
	tableRow(b, "---", "---", "---", "---", "---")
	for _, r := range results {
		for _, t := range r.Row.Targets {
			met, got := t.Verdict(r)
			tableRow(b, r.Row.ID, r.Row.Title, t.Text(r.Row), got, verdict(met))
		}
		if len(r.Row.Targets) == 0 {
			tableRow(b, r.Row.ID, r.Row.Title, "none: to be seen", "", "")
		}
	}
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

func section(b *strings.Builder, r *Result) {
	row := r.Row
	fmt.Fprintf(b, "\n## %s: %s\n\n%s. %s, median of %s.\n\n", row.ID, row.Title, row.Work, amount(row), rounds(r.Rounds))
	Table(b, r)
	for _, t := range row.Targets {
		met, got := t.Verdict(r)
		fmt.Fprintf(b, "\nTarget: %s. Measured %s: %s.\n", t.Text(row), got, verdict(met))
	}
	for _, n := range row.Notes {
		fmt.Fprintf(b, "\n%s\n", n)
	}
}

func amount(r Row) string {
	if r.N == 1 {
		return "One at a time"
	}
	return digits(float64(r.N)) + " per trial"
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("%d rounds", n)
}

// Table writes a row's numbers: a line for each contestant, and for each metric
// its value and, unless it is plain, its ratio to the baseline.
func Table(b *strings.Builder, r *Result) {
	columns := r.Row.columns()
	head, rule := []string{"", "set-up"}, []string{"---", "---"}
	for _, m := range columns {
		head, rule = append(head, m.Name), append(rule, "--:")
		if !m.Plain {
			head, rule = append(head, "×"), append(rule, "--:")
		}
	}
	tableRow(b, head...)
	tableRow(b, rule...)
	base := r.Row.Contestants[0].Name
	for _, c := range r.Row.Contestants {
		cells := []string{c.Name, c.Setup}
		if c.Name == Ours {
			cells[0] = "**" + c.Name + "**"
		}
		for _, m := range columns {
			cells = append(cells, orNone(r.Median(c.Name, m), m.Unit.Format))
			if !m.Plain {
				cells = append(cells, orNone(r.Ratio(c.Name, base, m), digits))
			}
		}
		tableRow(b, cells...)
	}
}

func orNone(v float64, format func(float64) string) string {
	if math.IsNaN(v) {
		return "-"
	}
	return format(v)
}

func tableRow(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}
