package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// TestSourceResumes: each life of the source has a batcher that takes so many
// rows and no more. The next one begins with the row that was refused.
func TestSourceResumes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := filepath.Join(dir, "rows.csv")
	expected, err := generate(1000, input, filepath.Join(dir, "unsubscribed.txt"))
	require.NoError(t, err)
	records := &Records{path: filepath.Join(dir, "records.jsonl")}
	require.NoError(t, records.open(t.Context()))
	marks := journaltest.NewMemory(0)

	taken := map[string]int{}
	for _, room := range []int{1, 98, 100, 101, 333, 1000} {
		rows, err := batch.New("rows", func(_ context.Context, rows []Row) error {
			for _, row := range rows {
				taken[row.ID]++
			}
			return nil
		}, batch.Config{Buffer: room, MaxItems: room, WhenFull: batch.Reject})
		require.NoError(t, err)
		s := &Source{input: input, opener: marks, rows: rows, records: records, log: zap.NewNop(), done: make(chan struct{})}
		require.NoError(t, s.start(t.Context()))
		<-s.done // before the batcher has started: it takes what there is room for
		require.NoError(t, s.halt(t.Context()))
		require.NoError(t, s.close(t.Context()))
		require.NoError(t, rows.Start(t.Context()))
		left, err := rows.Stop(t.Context())
		require.NoError(t, err)
		require.Empty(t, left)
		marks.Crash()
	}
	assert.Len(t, taken, 1000-expected.Bad)
	for row, n := range taken {
		assert.Equal(t, 1, n, row)
	}
	require.NoError(t, records.close(t.Context()))
	sum, err := newTally(Settings{Dir: dir}).Sum()
	require.NoError(t, err)
	assert.Equal(t, Sum{Bad: expected.Bad, Inside: 1000 - expected.Bad}, sum)
}

// TestSourceTakesNothingMoreWhenItIsStopped: also where there is room.
func TestSourceTakesNothingMoreWhenItIsStopped(t *testing.T) {
	t.Parallel()
	rows, err := batch.New("rows", func(context.Context, []Row) error { return nil }, batch.Config{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &Source{rows: rows}
	require.ErrorIs(t, s.take(ctx, read{Row: Row{Number: 1}}), context.Canceled)
	assert.Zero(t, rows.Gate().Ledger().Accepted)
}
