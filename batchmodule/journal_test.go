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
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func kept(store journal.Opener) fx.Option {
	return fx.Provide(func() journal.Opener { return store })
}

func boxed(box *journal.DeadLetters) fx.Option { return fx.Supply(box) }

func TestJournal(t *testing.T) {
	t.Parallel()

	for name, with := range map[string]fx.Option{"Bare": fx.Options(), "WithLifecycle": lifecycle.Module()} {
		t.Run(name+"/WhatOneLifeLeavesOverTheNextDelivers", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				shelf := journaltest.NewMemory(0)
				s := newStore()
				life := func(broken bool, use func(*batch.Batcher[Order])) {
					s.broken = broken
					var orders *batch.Batcher[Order]
					app := fxtest.New(t, with, fx.Supply(s), kept(shelf),
						batchmodule.Provide[Order]("orders", newSink, batch.Config{StopBudget: 20 * time.Millisecond}),
						fx.Populate(&orders))
					require.ErrorIs(t, orders.Add(t.Context(), 1), batch.ErrNotStarted)
					app.RequireStart()
					use(orders)
					app.RequireStop()
					require.True(t, orders.Gate().Ledger().Balanced())
					require.Zero(t, orders.Gate().Ledger().Lost)
				}
				life(true, func(b *batch.Batcher[Order]) {
					_, err := b.AddAll(t.Context(), []Order{1, 2, 3})
					require.NoError(t, err)
				})
				require.Empty(t, s.written)
				life(false, func(b *batch.Batcher[Order]) { require.NoError(t, b.Add(t.Context(), 4)) })
				require.Equal(t, []Order{1, 2, 3, 4}, s.written)
			})
		})
	}

	t.Run("SaverOfABatcherTakesTheJournalsPlace", func(t *testing.T) {
		t.Parallel()
		var s *store
		var orders *batch.Batcher[Order]
		app := fxtest.New(t, fx.Supply(&store{broken: true}), kept(journaltest.NewMemory(0)),
			batchmodule.Provide[Order]("orders", newSink, batch.Config{StopBudget: time.Millisecond}, batchmodule.SaveWith[Order](newSaver)),
			fx.Populate(&s, &orders))
		require.Equal(t, journal.Off, orders.Stats().Journal)
		require.NoError(t, orders.Add(t.Context(), 1))
		app.RequireStart()
		app.RequireStop()
		require.Equal(t, []Order{1}, s.saved)
	})

	t.Run("ModeWithoutAJournalIsAnErrorThatSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, fx.Provide(newStore),
			batchmodule.Provide[Order]("orders", newSink, batch.Config{Journal: journal.Always}),
			fx.Invoke(func(*batch.Batcher[Order]) {}))
		require.ErrorContains(t, app.Err(), `batch orders: journal: is "always", but there is nothing to keep it in; give WithJournal`)
	})
}

func TestJournalLog(t *testing.T) {
	t.Parallel()

	type line struct {
		level   zapcore.Level
		message string
		fields  map[string]any
	}
	// life logs one life of an application.
	life := func(t *testing.T, shelf journal.Opener, sink batch.Sink[string], use func(*batch.Batcher[string])) (lines []line) {
		core, logs := observer.New(zapcore.InfoLevel)
		box := journal.NewDeadLetters(shelf)
		var orders *batch.Batcher[string]
		app := fxtest.New(t, fx.Supply(zap.New(core)), kept(shelf), boxed(box),
			batchmodule.Provide("orders", sink, batch.Config{MaxItems: 10, Buffer: 10, StopBudget: 10 * time.Second},
				batchmodule.Options(batch.WithLabel(func(string) string { return "ada" }), batch.WithID(func(string) string { return "#1" }))),
			fx.Populate(&orders))
		app.RequireStart()
		use(orders)
		app.RequireStop()
		require.NoError(t, box.Close())
		for _, l := range logs.All() {
			lines = append(lines, line{l.Level, l.Message, l.ContextMap()})
		}
		return lines
	}
	down := func(context.Context, []string) error { return batch.Unavailable(errors.New("down")) }

	t.Run("ReplayIsToldOf", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			shelf := journaltest.NewMemory(0)
			_ = life(t, shelf, down, func(b *batch.Batcher[string]) {
				for range 10 {
					require.NoError(t, b.Add(t.Context(), "1 Main Street"))
				}
			})
			slow := func(context.Context, []string) error { time.Sleep(time.Second); return nil }
			lines := life(t, shelf, slow, func(b *batch.Batcher[string]) { require.NoError(t, b.Add(t.Context(), "new")) })
			require.Equal(t, []line{
				{zapcore.InfoLevel, "replaying 10 items of an earlier life", map[string]any{"batcher": "orders"}},
				{zapcore.InfoLevel, "replay: done", map[string]any{
					"batcher": "orders", "entered": int64(10), "left": int64(0), "took": time.Duration(0),
				}},
			}, lines)
		})
	})

	t.Run("DeadLetterIsAWarningWithItsIDAndNotTheItem", func(t *testing.T) {
		t.Parallel()
		refuse := func(context.Context, []string) error { return batch.Permanent(errors.New("no such street")) }
		lines := life(t, journaltest.NewMemory(0), refuse, func(b *batch.Batcher[string]) {
			require.NoError(t, b.Add(t.Context(), "1 Main Street"))
		})
		require.Equal(t, []line{{zapcore.WarnLevel, "item failed for good", map[string]any{
			"batcher": "orders", "id": "#1", "key": "ada", "reason": "permanent", "attempts": int64(1), "error": "no such street",
		}}}, lines)
	})

	t.Run("BurialThatFailsIsAnError", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			refuse := func(context.Context, []string) error { return batch.Permanent(errors.New("no such street")) }
			lines := life(t, journaltest.NewMemory(30), refuse, func(b *batch.Batcher[string]) {
				require.NoError(t, b.Add(t.Context(), "1 Main Street"))
			})
			require.NotEmpty(t, lines)
			require.Equal(t, zapcore.ErrorLevel, lines[0].level)
			require.Equal(t, "a dead letter could not be written, and will be tried again", lines[0].message)
			assert.Equal(t, "#1", lines[0].fields["id"])
			assert.Equal(t, "no such street", lines[0].fields["cause"])
			assert.Contains(t, lines[0].fields["error"], "too large")
		})
	})
}
