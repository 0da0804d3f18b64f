package drill_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestSettle(t *testing.T) {
	t.Parallel()

	t.Run("WhatIsMissingIsWaitedFor", func(t *testing.T) {
		t.Parallel()
		var delivered, late sink
		calls := 0
		var arrived, looked time.Time
		cfg := accepting(t, 1, func(_ int, id string) drill.Answer { return late.add(id) }, drill.Outcome{
			Delivered: func(ctx context.Context, after int) iter.Seq2[string, error] {
				looked = time.Now()
				if calls++; calls == 20 { // 400 ms later, when it has long been quiet
					delivered.add(late.ids...)
					arrived = looked
				}
				return delivered.since(ctx, after)
			}})
		cfg.Settle = drill.Settle{Quiet: 50 * time.Millisecond, Patience: time.Hour}
		report, err := run(t, cfg)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Total.Delivered)
		assert.GreaterOrEqual(t, looked.Sub(arrived), 50*time.Millisecond, "its duplicates are waited for")
	})

	t.Run("UntilIsAsked", func(t *testing.T) {
		t.Parallel()
		var delivered, late sink
		cfg := accepting(t, 1, func(_ int, id string) drill.Answer { return late.add(id) }, drill.Outcome{Delivered: delivered.since})
		cfg.Settle.Quiet, cfg.Settle.Patience = time.Hour, time.Hour
		asked := 0
		cfg.Settle.Until = func(_ context.Context, child *drill.Child) (bool, error) {
			assert.Equal(t, 2, child.Life)
			assert.NotZero(t, child.Pid)
			asked++
			if asked == 3 {
				delivered.add(late.ids...)
			}
			return asked == 3, nil
		}
		report, err := run(t, cfg)
		require.NoError(t, err)
		assert.Equal(t, 1, report.Total.Delivered, "the sink is read once more at the end")
	})

	t.Run("UntilMayFail", func(t *testing.T) {
		t.Parallel()
		var delivered sink
		broken := errors.New("no such page")
		cfg := accepting(t, 1, func(_ int, id string) drill.Answer { return delivered.add(id) }, drill.Outcome{Delivered: delivered.since})
		cfg.Settle.Until = func(context.Context, *drill.Child) (bool, error) { return false, broken }
		report, err := run(t, cfg)
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, err, drill.ErrUnsettled)
		assert.False(t, report.Settled)
	})

	t.Run("TimeoutIsNotSettled", func(t *testing.T) {
		t.Parallel()
		var delivered sink
		cfg := accepting(t, 1, func(int, string) drill.Answer { return drill.Accepted }, drill.Outcome{Delivered: delivered.since})
		cfg.Settle = drill.Settle{Patience: time.Hour, Timeout: 50 * time.Millisecond}
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrUnsettled)
		assert.NotErrorIs(t, err, drill.ErrLost)
		assert.False(t, report.Settled)
		assert.Contains(t, report.String(), "may still be saved")
	})
}
