package harness_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
)

var score = harness.Metric{Name: "score", Unit: harness.Count}

// scripted gives its scores one after another, and notes its name in the log.
func scripted(name string, log *[]string, scores ...float64) harness.Contestant {
	return harness.Contestant{Name: name, Run: func(t *harness.Trial) error {
		t.Begin()
		t.End(t.N)
		if t.Short {
			return nil
		}
		*log = append(*log, name)
		t.Set(score, scores[0])
		scores = scores[1:]
		return nil
	}}
}

func TestMeasure(t *testing.T) {
	t.Run("ContestantsTakeTurns", func(t *testing.T) {
		var log []string
		row := harness.Row{ID: "x", N: 1, ShortN: 1, Contestants: []harness.Contestant{
			scripted("a", &log, 1, 1), scripted("b", &log, 1, 1), scripted("c", &log, 1, 1),
		}}
		_, err := harness.Measure(row, harness.Options{Rounds: 2})
		require.NoError(t, err)
		assert.Equal(t, "a b c a b c", strings.Join(log, " "))
	})

	t.Run("RatiosAreTakenWithinTheirRound", func(t *testing.T) {
		var log []string
		row := harness.Row{ID: "x", N: 1, ShortN: 1, Contestants: []harness.Contestant{
			// The machine is ten times slower in the second round, for both.
			scripted("base", &log, 100, 1000, 100),
			scripted("lastcall", &log, 50, 500, 60),
		}}
		res, err := harness.Measure(row, harness.Options{Rounds: 3})
		require.NoError(t, err)
		assert.InDelta(t, 60, res.Median("lastcall", score), 0)
		assert.InDelta(t, 0.5, res.Ratio("lastcall", "base", score), 0)
	})

	t.Run("WorkThatIsNotDoneIsAnError", func(t *testing.T) {
		row := harness.Row{ID: "x", N: 9, ShortN: 9, Contestants: []harness.Contestant{{Name: "lazy", Run: func(t *harness.Trial) error {
			t.Begin()
			t.End(t.N - 1)
			return nil
		}}}}
		_, err := harness.Measure(row, harness.Options{Short: true})
		assert.EqualError(t, err, "row x: lazy: it did 8 of 9")
	})

	t.Run("TheErrorOfAContestantEndsIt", func(t *testing.T) {
		broken := errors.New("broken")
		row := harness.Row{ID: "x", N: 1, ShortN: 1, Contestants: []harness.Contestant{{Name: "a", Run: func(*harness.Trial) error { return broken }}}}
		_, err := harness.Measure(row, harness.Options{Short: true})
		assert.ErrorIs(t, err, broken)
	})

	t.Run("SlipsOfThePenAreReportedTogether", func(t *testing.T) {
		_, err := harness.Measure(harness.Row{ID: "x", Targets: []harness.Target{{}}}, harness.Options{})
		require.Error(t, err)
		assert.Contains(t, err.Error(), "N is 0")
		assert.Contains(t, err.Error(), "no contestants")
		assert.Contains(t, err.Error(), "a target speaks of lastcall")
	})

	t.Run("OnlyWhatIsBetweenBeginAndEndCounts", func(t *testing.T) {
		var sink [][]byte
		allocate := func(n int) {
			for range n {
				sink = append(sink[:0], make([]byte, 1<<16))
			}
		}
		row := harness.Row{ID: "x", N: 1000, ShortN: 1000, Contestants: []harness.Contestant{{Name: "a", Run: func(t *harness.Trial) error {
			allocate(5_000)
			t.Begin()
			allocate(t.N)
			t.End(t.N)
			allocate(5_000)
			return nil
		}}}}
		res, err := harness.Measure(row, harness.Options{Short: true})
		require.NoError(t, err)
		assert.InDelta(t, 1, res.Median("a", harness.Allocs), 0.5)
		assert.InEpsilon(t, 1<<16, res.Median("a", harness.Bytes), 0.1)
		assert.Positive(t, res.Median("a", harness.Wall))
		assert.Positive(t, res.Median("a", harness.CPU))
	})
}

func TestTarget(t *testing.T) {
	var log []string
	row := harness.Row{ID: "x", N: 1, ShortN: 1, Contestants: []harness.Contestant{
		scripted("base", &log, 1000), scripted("lastcall", &log, 504), scripted("other", &log, 2000),
	}}
	res, err := harness.Measure(row, harness.Options{Rounds: 1})
	require.NoError(t, err)

	tests := []struct {
		give harness.Target
		text string
		met  bool
		got  string
	}{
		{harness.Target{Metric: score, Limit: 0.5}, "lastcall: score at most 0.50 × base", true, "0.50 ×"},
		{harness.Target{Metric: score, Limit: 0.4}, "lastcall: score at most 0.40 × base", false, "0.50 ×"},
		{harness.Target{Metric: score, Limit: 0.25, Over: "other"}, "lastcall: score at most 0.25 × other", true, "0.25 ×"},
		{harness.Target{Metric: score, Limit: 3, AtLeast: true, Who: "other"}, "other: score at least 3 × base", false, "2 ×"},
		{harness.Target{Metric: score, Limit: 600, Absolute: true}, "lastcall: score at most 600", true, "504"},
		{harness.Target{Metric: harness.P50, Limit: 1}, "lastcall: p50 at most 1 × base", false, "not measured"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			assert.Equal(t, tt.text, tt.give.Text(row))
			met, got := tt.give.Verdict(res)
			assert.Equal(t, tt.met, met)
			assert.Equal(t, tt.got, got)
		})
	}
}

func TestUnit(t *testing.T) {
	assert.Equal(t, "81.2 ns", harness.Nanoseconds.Format(81.23))
	assert.Equal(t, "1.53 ms", harness.Nanoseconds.Format(1.53e6))
	assert.Equal(t, "0 s", harness.Nanoseconds.Format(0))
	assert.Equal(t, "0.25", harness.Count.Format(0.25))
	assert.Equal(t, "12,400", harness.Count.Format(12400))
	assert.Equal(t, "96 B", harness.Memory.Format(96))
	assert.Equal(t, "2.1 KiB", harness.Memory.Format(2150))
	assert.Equal(t, "12,400/s", harness.PerSecond.Format(12400))
}

func TestPercentile(t *testing.T) {
	all := make([]time.Duration, 100)
	for i := range all {
		all[i] = time.Duration(100 - i)
	}
	assert.InDelta(t, 50, harness.Percentile(all, 0.5), 0)
	assert.InDelta(t, 99, harness.Percentile(all, 0.99), 0)
}

func TestReport(t *testing.T) {
	var log []string
	row := harness.Row{
		ID: "x", Title: "A race", Work: "They run", N: 2000, ShortN: 1,
		Columns: []harness.Metric{score, harness.P99},
		Contestants: []harness.Contestant{
			scripted("base", &log, 10), scripted("lastcall", &log, 4),
		},
		Targets: []harness.Target{{Metric: score, Limit: 0.3}},
		Notes:   []string{"It rained."},
	}
	res, err := harness.Measure(row, harness.Options{Rounds: 1})
	require.NoError(t, err)
	var page strings.Builder
	require.NoError(t, harness.Report(&page, []*harness.Result{res}))
	assert.Equal(t, `| row | work | target | measured |  |
| --- | --- | --- | --- | --- |
| x | A race | lastcall: score at most 0.30 × base | 0.40 × | **missed** |

## x: A race

They run. 2,000 per trial, median of one round.

|  | set-up | score | × | p99 | × |
| --- | --- | --: | --: | --: | --: |
| base |  | 10 | 1 | - | - |
| **lastcall** |  | 4 | 0.40 | - | - |

Target: lastcall: score at most 0.30 × base. Measured 0.40 ×: **missed**.

It rained.
`, page.String())
}

func TestDraw(t *testing.T) {
	var log []string
	row := harness.Row{ID: "x", N: 1, ShortN: 1, Contestants: []harness.Contestant{
		scripted("base", &log, 10), scripted("lastcall", &log, 4),
	}}
	res, err := harness.Measure(row, harness.Options{Rounds: 1})
	require.NoError(t, err)

	t.Run("EachContestantHasItsNameAndNumber", func(t *testing.T) {
		var svg strings.Builder
		chart := harness.Chart{Title: "A race", Panels: []harness.Panel{{Heading: "today", Row: "x", Metric: score}}}
		require.NoError(t, harness.Draw(&svg, chart, []*harness.Result{res}))
		for _, text := range []string{"A race", "today", "base", "lastcall", "0.40"} {
			assert.Contains(t, svg.String(), ">"+text+"<")
		}
	})

	t.Run("APanelWithoutAResultIsAnError", func(t *testing.T) {
		chart := harness.Chart{Title: "A race", Panels: []harness.Panel{{Row: "y", Metric: score}}}
		err := harness.Draw(&strings.Builder{}, chart, []*harness.Result{res})
		assert.EqualError(t, err, `chart "A race": row y was not measured`)
	})
}

func TestMachine(t *testing.T) {
	var page strings.Builder
	require.NoError(t, harness.Machine(&page, "github.com/stretchr/testify", "example.com/nobody"))
	assert.Contains(t, page.String(), "cores used")
	assert.Contains(t, page.String(), "example.com/nobody (not in this program)")
}
