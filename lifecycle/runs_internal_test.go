package lifecycle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTornList cuts the list at every byte: whatever is left, the whole lines
// are told, and at most one is missed.
func TestTornList(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "r.runs.jsonl")
	for i := range 3 {
		k := keepRun(file, LastRun{State: RunKilled, PID: i + 1, Since: time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC)})
		require.NoError(t, k.problem)
		require.Len(t, k.runs, i+1)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for n := range text {
		require.NoError(t, os.WriteFile(file, text[:n], 0o600))
		k := keepRun(file, LastRun{State: RunNone})
		whole := strings.Count(string(text[:n+1]), "\n") // the end of the line may be missing
		require.Len(t, k.runs, whole, "%d bytes", n)
		torn := n > 0 && text[n] != '\n' && text[n-1] != '\n'
		require.Equal(t, torn, k.problem != nil, "%d bytes: %v", n, k.problem)
	}
}

// TestWhatIsNoRunThatHasEnded is not put into the list.
func TestWhatIsNoRunThatHasEnded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "r.runs.jsonl")
	for _, l := range []LastRun{{}, {State: RunNone}, {State: RunUp, PID: 1, Since: time.Now()}, {State: RunStopped}} {
		assert.Equal(t, kept{}, keepRun(file, l), l.State)
	}
	assert.NoFileExists(t, file)
	lost := LastRun{State: RunUnknown, Problem: "it is empty, as after a power loss"}
	keepRun(file, lost)
	assert.Len(t, keepRun(file, lost).runs, 2, "two of which nothing is known are two")
}

// TestShortenedReceipt keeps what the exit code was, whatever else goes.
func TestShortenedReceipt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", mostOfRun)
	whole := &Receipt{Cause: Cause{Kind: CauseSignal, Signal: long, By: long}, UpSince: time.Now(), Cut: long, Notes: []string{long}}
	whole.Total.Lost = 7
	for i := range 30 {
		whole.errs = append(whole.errs, fmt.Errorf("hook %d: %s", i, long))
	}
	whole.errs = append(whole.errs, fmt.Errorf("batch:a: %w", ErrWorkLost))
	line, err := LastRun{State: RunStopped, Receipt: whole}.line()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(line.text), mostOfRun)

	file := filepath.Join(t.TempDir(), "r.runs.jsonl")
	require.NoError(t, writeRuns(file, []runLine{line}))
	lines, err := readRuns(file)
	require.NoError(t, err)
	require.Len(t, lines, 1)
	read := lines[0].run.Receipt
	assert.Equal(t, ExitWorkLost, read.ExitCode())
	require.ErrorIs(t, read.Err(), ErrWorkLost)
	assert.EqualValues(t, 7, read.WorkLost())
	assert.ErrorContains(t, read.Err(), "31 errors, the first: hook 0: é")

	short := LastRun{State: RunUnknown, Problem: long}
	line, err = short.line()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(line.text), mostOfRun)
}
