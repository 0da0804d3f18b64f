package lifecycle

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTornFile cuts what a start may find at every byte: whatever is left, it
// is known not to be the whole.
func TestTornFile(t *testing.T) {
	t.Parallel()
	receipt := &Receipt{Cause: Cause{Kind: CauseSignal, Signal: "SIGTERM"}, UpSince: time.Now(), Began: time.Now()}
	marker := &LastRun{State: RunUp, PID: 1, Since: time.Now(), Previous: &LastRun{State: RunStopped, Receipt: receipt}}
	for want, whole := range map[RunState]any{RunStopped: receipt, RunKilled: marker} {
		text, err := json.Marshal(whole)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "receipt.json")
		require.NoError(t, os.WriteFile(file, text, 0o600))
		require.Equal(t, want, readLastRun(file).State)
		for n := range text {
			require.NoError(t, os.Truncate(file, int64(len(text)-1-n)))
			last := readLastRun(file)
			require.Equal(t, RunUnknown, last.State, "of %d bytes %d", len(text), len(text)-1-n)
			require.Contains(t, last.String(), "last run: unknown: "+file)
		}
	}
}

// TestMarkerOfADeadProcess: whose number is somebody else's by now. That one
// is told from a live process of the same program in app's tests.
func TestMarkerOfADeadProcess(t *testing.T) {
	t.Parallel()
	for name, marker := range map[string]LastRun{
		"OurNumberAsInAContainer": {PID: os.Getpid(), Host: host()},
		"AnotherProgram":          {PID: os.Getppid(), Host: host()},
		"NoNumber":                {Host: host()},
	} {
		assert.False(t, marker.isAlive(), name)
	}
	assert.Equal(t, "service", programName("/opt/old/service (deleted)"))
}

func TestLastRunSentences(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	stopped := &Receipt{Cause: Cause{Kind: CauseSignal, Signal: "SIGTERM"}, UpSince: at, Took: 1200 * time.Millisecond}
	stopped.Total.Saved = 37
	lossy := *stopped
	lossy.Total.Lost = 2
	lossy.errs = []error{ErrWorkLost}
	failed := &Receipt{Cause: Cause{Kind: CauseStartFailed, Err: errors.New("no database\nno cache")}}
	killed := LastRun{State: RunKilled, PID: 4711, Since: at}

	for want, give := range map[string]LastRun{
		"last run: nobody has looked":                                     {},
		"last run: none is known, the receipt file is new":                {State: RunNone},
		"last stop: SIGTERM, 1.2s, 37 saved, 0 lost":                      {State: RunStopped, Receipt: stopped},
		"last stop: SIGTERM, 1.2s, 37 saved, 2 lost, exit code 4":         {State: RunStopped, Receipt: &lossy},
		"last run: killed (pid 4711, running since 2026-01-02T03:04:05Z)": killed,
		"last run: was never up: start failed: no database …, 0s, 0 saved, 0 lost, exit code 1; the run before: killed (pid 4711, running since 2026-01-02T03:04:05Z)": {State: RunNotUp, Receipt: failed, Previous: &killed},
		"last run: was never up: start failed: no database …, 0s, 0 saved, 0 lost, exit code 1; the run before: without a receipt":                                     {State: RunNotUp, Receipt: failed, Previous: &LastRun{State: RunStopped}},
		"last run: unknown: it is torn": {State: RunUnknown, Problem: "it is torn"},
	} {
		assert.Equal(t, want, give.String())
	}
	assert.Contains(t, LastRun{State: RunUp, PID: 4711}.String(), "another process runs with this receipt file (pid 4711")
}
