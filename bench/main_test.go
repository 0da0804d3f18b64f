package main

import (
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
	var results []*harness.Result
	for _, row := range rows() {
		for _, c := range charts {
			for _, id := range c.rows {
				if id == row.ID {
					res, err := harness.Measure(row, harness.Options{Short: true})
					require.NoError(t, err)
					results = append(results, res)
				}
			}
		}
	}
	for _, c := range charts {
		require.NoError(t, c.write(dir, results))
		assert.FileExists(t, dir+"/"+c.file)
	}
}
