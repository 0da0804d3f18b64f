package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

const intro = `# Measured

Written by ` + "`make bench`" + `; nothing here was edited by hand. The first line of each table is the baseline. A column × is the
ratio to it within the same round (the median of the rounds; less is better, but for rates), and what targets speak of. Times are
those of one machine on one day, with others at work on it. CPU is the time of all cores, per unit of work, and allocations are those
of all goroutines.

`

// write leaves the results of a run in a directory.
func write(dir string, results []*harness.Result) error {
	var page bytes.Buffer
	page.WriteString(intro)
	if err := harness.Machine(&page, peers...); err != nil {
		return err
	}
	page.WriteByte('\n')
	if err := harness.Report(&page, results); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "charts"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "RESULTS.md"), page.Bytes(), 0o644); err != nil {
		return err
	}
	for _, c := range charts {
		if err := c.write(filepath.Join(dir, "charts"), results); err != nil {
			return err
		}
	}
	return nil
}

// chart is a drawing in a file.
type chart struct {
	file string
	harness.Chart
}

// write leaves the chart in a directory, if all its rows were measured.
func (c chart) write(dir string, results []*harness.Result) error {
	for _, p := range c.Panels {
		if !slices.ContainsFunc(results, func(r *harness.Result) bool { return r.Row.ID == p.Row }) {
			return nil
		}
	}
	var svg bytes.Buffer
	if err := harness.Draw(&svg, c.Chart, results); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, c.file), svg.Bytes(), 0o644)
}
