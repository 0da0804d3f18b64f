package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

// TestRows has each contestant of each row do a little work. A contestant that
// does not do all of it fails.
func TestRows(t *testing.T) {
	for _, row := range rows() {
		t.Run(row.ID, func(t *testing.T) {
			res, err := harness.Measure(row, harness.Options{Short: true})
			require.NoError(t, err)
			for _, target := range row.Targets {
				_, got := target.Verdict(res)
				assert.NotEqual(t, "not measured", got, target.Text(row))
			}
		})
	}
}

func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	seen := make(map[string]bool)
	for _, row := range rows() {
		assert.False(t, seen[row.ID], row.ID)
		seen[row.ID] = true
	}
}

func TestChartsAreDrawn(t *testing.T) {
	dir := t.TempDir()
	for _, c := range charts {
		t.Run(c.file, func(t *testing.T) {
			require.NoError(t, c.write(dir, measured(t, c.Panels)))
			assert.FileExists(t, filepath.Join(dir, c.file))
		})
	}
}

// measured is the rows of some panels after a short run.
func measured(t *testing.T, panels []harness.Panel) (results []*harness.Result) {
	t.Helper()
	for _, row := range rows() {
		if !slices.ContainsFunc(panels, func(p harness.Panel) bool { return p.Row == row.ID }) {
			continue
		}
		res, err := harness.Measure(row, harness.Options{Short: true})
		require.NoError(t, err)
		results = append(results, res)
	}
	return results
}
