package poolmodule_test

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

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// kept gives the graph a store and a box, as bare Fx does.
func kept(store journal.Opener, box *journal.DeadLetters) fx.Option {
	return fx.Options(fx.Supply(fx.Annotate(store, fx.As(new(journal.Opener)))), fx.Supply(box))
}

func TestJournal(t *testing.T) {
	t.Parallel()

	for _, withModule := range []bool{false, true} {
		name := map[bool]string{false: "PlainFx", true: "LifecycleModule"}[withModule]
		base := fx.Options()
		if withModule {
			base = lifecycle.Module()
		}
		t.Run("WhatAStopLeavesOverIsReplayedUnder"+name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := journaltest.NewMemory(0)
				box := journal.NewDeadLetters(store)
				core, logs := observer.New(zapcore.DebugLevel)
				life := func(handler pool.Handler[SMS]) (*fxtest.App, *pool.Lane[SMS]) {
					var lane *pool.Lane[SMS]
					app := fxtest.New(t, base, kept(store, box), fx.Supply(zap.New(core)),
						poolmodule.Provide("sms", pool.Config{Workers: 1}),
						poolmodule.Lane[SMS]("out", "sms", handler,
							poolmodule.Configure(pool.LaneConfig{StopBudget: time.Second})),
						fx.Populate(&lane))
					app.RequireStart()
					return app, lane
				}
				app, lane := life(func(ctx context.Context, _ SMS) error { <-ctx.Done(); return ctx.Err() })
				for _, to := range []string{"a", "b"} {
					require.NoError(t, lane.Submit(t.Context(), SMS{To: to}))
				}
				require.NoError(t, stop(t, app))
				assert.EqualValues(t, 2, lane.Gate().Ledger().Saved)

				var got []SMS
				app, lane = life(func(_ context.Context, m SMS) error { got = append(got, m); return nil })
				require.NoError(t, lane.Submit(t.Context(), SMS{To: "c"}))
				require.NoError(t, stop(t, app))
				assert.Equal(t, []SMS{{To: "a"}, {To: "b"}, {To: "c"}}, got)
				messages := make([]string, 0, 2)
				for _, e := range logs.FilterLevelExact(zapcore.InfoLevel).FilterField(zap.String("lane", "out")).All() {
					messages = append(messages, e.Message)
				}
				assert.Equal(t, []string{"replaying 2 items of an earlier life", "replay: done"}, messages)
				require.NoError(t, box.Close())
			})
		})
	}

	t.Run("DeadLetterIsAWarningWithItsKeyAndABoxThatRefusesAnError", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			store := journaltest.NewMemory(0)
			box := journal.NewDeadLetters(store)
			core, logs := observer.New(zapcore.DebugLevel)
			var lane *pool.Lane[SMS]
			app := fxtest.New(t, kept(store, box), fx.Supply(zap.New(core)),
				poolmodule.Provide("sms", pool.Config{Workers: 1}),
				poolmodule.Lane[SMS]("out", "sms", func(context.Context, SMS) error { return errors.New("no such number") },
					poolmodule.LaneOptions(
						pool.WithID(func(m SMS) string { return "id of " + m.To }),
						pool.WithLabel(func(m SMS) string { return m.To }))),
				fx.Populate(&lane))
			app.RequireStart()
			require.NoError(t, lane.Submit(t.Context(), SMS{To: "ada"}))
			synctest.Wait()
			lines := logs.FilterLevelExact(zapcore.WarnLevel).All()
			require.Len(t, lines, 1)
			assert.Equal(t, "dead letter", lines[0].Message)
			assert.Equal(t, map[string]any{
				"lane": "out", "id": "id of ada", "key": "ada", "reason": "retries", "attempts": int64(1), "error": "no such number",
			}, lines[0].ContextMap())

			require.NoError(t, box.Close())
			require.NoError(t, lane.Submit(t.Context(), SMS{To: "grace"}))
			synctest.Wait()
			lines = logs.FilterLevelExact(zapcore.ErrorLevel).All()
			require.Len(t, lines, 1)
			assert.Contains(t, lines[0].Message, "a dead letter could not be written")
			assert.Equal(t, "grace", lines[0].ContextMap()["key"])
			require.NoError(t, stop(t, app))
			assert.EqualValues(t, 1, lane.Gate().Ledger().Saved, "%s", lane.Gate().Ledger())
		})
	})

	t.Run("LockedJournalFailsTheStartAndNothingHangs", func(t *testing.T) {
		t.Parallel()
		store := journaltest.NewMemory(0)
		j, err := store.Open(t.Context(), "lane:out")
		require.NoError(t, err)
		var lane *pool.Lane[SMS]
		app := fx.New(fx.NopLogger, lifecycle.Module(), kept(store, journal.NewDeadLetters(store)),
			poolmodule.Provide("sms", pool.Config{}), poolmodule.Lane[SMS]("out", "sms", newHandler), fx.Populate(&lane))
		require.ErrorIs(t, app.Start(t.Context()), journal.ErrLocked)
		require.NoError(t, j.Close())
		require.ErrorIs(t, lane.Submit(t.Context(), SMS{}), pool.ErrClosed)
	})

	t.Run("OptionsOfAnotherTypeAreToldInWords", func(t *testing.T) {
		t.Parallel()
		err := fx.New(fx.NopLogger, poolmodule.Lane[SMS]("out", "sms", newHandler,
			poolmodule.LaneOptions(pool.WithID(func(int) string { return "" })))).Err()
		require.ErrorContains(t, err, "lane out: LaneOptions are []pool.LaneOption[int]; the lane's are []pool.LaneOption[")
	})
}
