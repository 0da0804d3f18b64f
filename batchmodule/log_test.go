package batchmodule_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func TestLog(t *testing.T) {
	t.Parallel()

	// run adds one order and returns what was logged until the application has
	// stopped.
	run := func(t *testing.T, sink batch.Sink[string], opts ...batchmodule.Option[string]) *observer.ObservedLogs {
		core, logs := observer.New(zapcore.DebugLevel)
		synctest.Test(t, func(t *testing.T) {
			var orders *batch.Batcher[string]
			app := fxtest.New(t, fx.Supply(zap.New(core)),
				batchmodule.Provide("orders", sink, batch.Config{Retry: batch.Retry{MaxAttempts: 2}},
					append(opts, batchmodule.Options(batch.WithKey(func(string) string { return "eu" })))...),
				fx.Populate(&orders))
			app.RequireStart()
			require.NoError(t, orders.Add(t.Context(), "ada, 1 Main Street"))
			app.RequireStop()
		})
		return logs
	}
	fails := func(context.Context, []string) error { return errors.New("disk full") }

	t.Run("ItemThatFailedForGoodIsAWarningThatDoesNotShowIt", func(t *testing.T) {
		t.Parallel()
		logs := run(t, fails).FilterLevelExact(zapcore.WarnLevel).All()
		require.Len(t, logs, 1)
		assert.Equal(t, "item failed for good", logs[0].Message)
		assert.Equal(t, map[string]any{"batcher": "orders", "key": "eu", "attempts": int64(2), "error": "disk full"}, logs[0].ContextMap())
	})

	t.Run("FlushThatWillBeTriedAgainIsForDebugging", func(t *testing.T) {
		t.Parallel()
		logs := run(t, fails).FilterLevelExact(zapcore.DebugLevel).All()
		require.Len(t, logs, 1)
		fields := logs[0].ContextMap()
		assert.Positive(t, fields["after"].(time.Duration))
		delete(fields, "after")
		assert.Equal(t, map[string]any{"batcher": "orders", "key": "eu", "items": int64(1), "calls": int64(1), "error": "disk full"}, fields)
	})

	t.Run("PanicIsAnErrorWithItsStack", func(t *testing.T) {
		t.Parallel()
		logs := run(t, func(context.Context, []string) error { panic("no disk") }).FilterLevelExact(zapcore.ErrorLevel).All()
		require.Len(t, logs, 2, "one for each attempt")
		assert.Equal(t, "no disk", logs[0].ContextMap()["panic"])
		assert.Contains(t, logs[0].ContextMap()["stack"], "log_test.go")
	})

	t.Run("WhoRecordsForHimselfIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		letters, tries, panics := 0, 0, 0
		logs := run(t, func(context.Context, []string) error { panic("no disk") },
			batchmodule.DeadLetterWith[string](func() func(context.Context, batch.DeadLetter[string]) {
				return func(context.Context, batch.DeadLetter[string]) { letters++ }
			}),
			batchmodule.Options(
				batch.WithRetrying[string](func(batch.Retrying) { tries++ }),
				batch.WithPanicHandler[string](func(*batch.PanicError) { panics++ })))
		assert.Empty(t, logs.All())
		assert.Equal(t, []int{1, 1, 2}, []int{letters, tries, panics})
	})
}
