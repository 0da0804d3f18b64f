package drill_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

// times is n in a long run, and a few else.
func times(few, n int) int {
	if os.Getenv("LONG_TESTS") != "" {
		return n
	}
	return few
}

// config drills one of the programs in a directory of its own. It is hit when it
// has accepted something, however long that takes.
func config(t *testing.T, program string, kills ...drill.Kill) drill.Config {
	t.Helper()
	dir := t.TempDir()
	for i, k := range kills {
		if !k.FromExec {
			kills[i] = k.Between(5*time.Millisecond, 40*time.Millisecond).Under(1)
		}
	}
	return drill.Config{
		Program: drill.Program{
			Path: os.Args[0],
			// The race detector waits for a second before each exit.
			Env:       []string{programVar + "=" + program, dirVar + "=" + dir, "GORACE=atexit_sleep_ms=0"},
			ReadyLine: "listening on ",
		},
		Load:    drill.Load{Offer: post, Generators: 4, Pause: time.Millisecond},
		Outcome: drill.Outcome{Delivered: drill.Lines(filepath.Join(dir, "delivered"))},
		Kills:   kills,
		Seed:    1,
		Settle:  drill.Settle{Quiet: 100 * time.Millisecond, Patience: 10 * time.Second},
	}
}

func post(ctx context.Context, child *drill.Child, id string) drill.Answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+child.Line+"/?id="+id, http.NoBody)
	if err != nil {
		panic(err)
	}
	return drill.Send(nil, req)
}

// dirOf is where the program of a config keeps its files.
func dirOf(cfg drill.Config) string { return cfg.Program.Env[1][len(dirVar)+1:] }

// run drills, shows the table, and holds it to the equations.
func run(t *testing.T, cfg drill.Config) (*drill.Report, error) {
	t.Helper()
	report, err := drill.Run(t.Context(), cfg)
	require.NotNil(t, report, "%v", err)
	t.Log(report)
	assert.Equal(t, err, report.Err())
	var runs int
	for _, k := range append(report.Kinds, report.Total) {
		assert.Equal(t, k.Offered, k.Accepted+k.Refused+k.Unknown, k.Name)
		assert.Equal(t, k.Accepted, k.Delivered+k.Failed+k.Saved+k.Lost, k.Name)
		runs += k.Runs
	}
	assert.Len(t, report.Lives, report.Total.Runs)
	assert.Equal(t, 2*report.Total.Runs, runs)
	assert.Len(t, report.Lost, report.Total.Lost)
	return report, err
}

// TestHonestProgramIsClean kills a program that keeps its word in every way.
func TestHonestProgramIsClean(t *testing.T) {
	t.Parallel()
	cfg := config(t, "honest",
		drill.Sigkill(times(10, 1000)).AtMost(workers),
		drill.Sigterm(times(5, 200)).AtMost(0),
		drill.SigkillInStop(times(5, 100)).AtMost(workers),
		drill.SigkillInStart(times(5, 100)).AtMost(workers),
	)
	var told []drill.Life
	cfg.Progress = func(l drill.Life) { told = append(told, l) }
	report, err := run(t, cfg)
	require.NoError(t, err)

	assert.Positive(t, report.Total.Accepted)
	assert.Zero(t, report.Total.Lost)
	assert.Zero(t, report.Strangers)
	assert.True(t, report.Settled)
	assert.Len(t, told, report.Total.Runs)
	kill, term, settling := report.Kinds[0], report.Kinds[1], report.Kinds[4]
	assert.Equal(t, []drill.ExitCount{{Code: 137, Runs: kill.Runs}}, kill.Exits)
	assert.Equal(t, []drill.ExitCount{{Code: 0, Runs: term.Runs}}, term.Exits)
	assert.Zero(t, term.Duplicated)
	assert.NotEmpty(t, kill.Restarts)
	assert.Positive(t, kill.RestartMedian())
	assert.GreaterOrEqual(t, kill.RestartMax(), kill.RestartMedian())
	assert.Equal(t, 1, settling.Runs)
	assert.Zero(t, settling.Offered)
	assert.Contains(t, report.String(), "nothing is wrong")
}
