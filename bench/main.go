package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("row", "", "measure only the rows whose id matches this `regexp`")
	rounds := flag.Int("rounds", 5, "how often each contestant runs")
	short := flag.Bool("short", false, "do a little of everything once: it says whether it works, not how fast, and writes no file")
	out := flag.String("out", "", "write RESULTS.md and charts/ into this `directory`; empty: only to the terminal")
	flag.Parse()

	chosen, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	var results []*harness.Result
	for _, row := range rows() {
		if !chosen.MatchString(row.ID) {
			continue
		}
		res, err := harness.Measure(row, harness.Options{Rounds: *rounds, Short: *short})
		if err != nil {
			return err
		}
		results = append(results, res)
		show(res)
	}
	if *out == "" || *short {
		return nil
	}
	return write(*out, results)
}

// show prints the table of one row.
func show(res *harness.Result) {
	var b strings.Builder
	harness.Table(&b, res)
	fmt.Printf("\n%s: %s\n%s", res.Row.ID, res.Row.Title, b.String())
	for _, t := range res.Row.Targets {
		met, got := t.Verdict(res)
		fmt.Printf("%s: %s, met: %t\n", t.Text(res.Row), got, met)
	}
}
