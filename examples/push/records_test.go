package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, path string) *Records {
		t.Helper()
		r := &Records{path: path}
		require.NoError(t, r.open(t.Context()))
		t.Cleanup(func() { require.NoError(t, r.close(t.Context())) })
		return r
	}
	event := func(row string, s State) Event { return Event{State: s, To: []Receiver{{Row: row, To: "u"}}} }

	t.Run("LineThatWasCutIsTakenAway", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "records.jsonl")
		require.NoError(t, open(t, path).Write(event("1", Delivered), event("2", Failed)))
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		for cut := range whole {
			require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
			r := &Records{path: path}
			require.NoError(t, r.open(t.Context()))
			require.NoError(t, r.Write(event("3", Filtered)))
			require.NoError(t, r.close(t.Context()))
			sum, err := (&Tally{records: Reader{path: path}, rows: map[string]State{}}).Sum()
			require.NoError(t, err, "cut at %d", cut)
			require.Equal(t, 1, sum.Filtered)
		}
	})

	t.Run("LongCutLineIsTakenAway", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "records.jsonl")
		require.NoError(t, os.WriteFile(path, append([]byte("{}\n"), make([]byte, 20_000)...), 0o600))
		open(t, path)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "{}\n", string(text))
	})

	t.Run("TallyFollowsAFileThatGrows", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "records.jsonl")
		r := open(t, path)
		tally := &Tally{records: Reader{path: path}, rows: map[string]State{}}
		for _, step := range []struct {
			give Event
			want Sum
		}{
			{event("1", Accepted), Sum{Inside: 1}},
			{event("2", Failed), Sum{Inside: 1, Failed: 1}},
			{event("1", Delivered), Sum{Delivered: 1, Failed: 1}},
			{event("1", Accepted), Sum{Delivered: 1, Failed: 1}}, // read again after a kill
			{event("1", Failed), Sum{Delivered: 1, Failed: 1}},   // of a repetition
			{event("2", InLane), Sum{Delivered: 1, Failed: 1}},
			{event("2", Delivered), Sum{Delivered: 2}}, // sent again
		} {
			require.NoError(t, r.Write(step.give))
			sum, err := tally.Sum()
			require.NoError(t, err)
			require.Equal(t, step.want, sum, "after %v", step.give)
		}
	})

	t.Run("ClosedTakesNothing", func(t *testing.T) {
		t.Parallel()
		require.ErrorIs(t, (&Records{}).Write(event("1", Accepted)), os.ErrClosed)
	})
}
