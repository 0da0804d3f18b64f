package poolmodule_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestLog(t *testing.T) {
	t.Parallel()

	send := func(_ context.Context, m SMS) error {
		switch m.To {
		case "panics":
			panic("no paper")
		case "fails":
			return errors.New("no such number")
		}
		return nil
	}
	save := poolmodule.SaveTasks(func(context.Context, []pool.Task) error { return nil })
	// run submits the items while the only worker is busy, so that what the
	// queue of three does not hold is discarded, and returns what was logged.
	run := func(t *testing.T, items []string, pools []poolmodule.Option, lanes ...poolmodule.LaneOption) *observer.ObservedLogs {
		core, logs := observer.New(zapcore.DebugLevel)
		var lane *pool.Lane[SMS]
		synctest.Test(t, func(t *testing.T) {
			app := fxtest.New(t, fx.Supply(zap.New(core)),
				poolmodule.Provide("sms", pool.Config{Workers: 1, Queue: 3, Policy: pool.DiscardNewest}, append(pools, save)...),
				poolmodule.Lane[SMS]("out", "sms", send,
					append(lanes, poolmodule.Configure(pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2}}))...),
				fx.Populate(&lane))
			app.RequireStart()
			for _, to := range items {
				require.NoError(t, lane.SubmitKey(t.Context(), "customer 7", SMS{To: to}))
			}
			app.RequireStop()
		})
		return logs
	}
	fields := func(e observer.LoggedEntry) map[string]any { return e.ContextMap() }

	t.Run("ItemThatFailedForGoodIsAWarning", func(t *testing.T) {
		t.Parallel()
		logs := run(t, []string{"fails", "ada"}, nil).All()
		require.Len(t, logs, 1)
		assert.Equal(t, zapcore.WarnLevel, logs[0].Level)
		assert.Equal(t, map[string]any{"lane": "out", "key": "customer 7", "attempts": int64(2), "error": "no such number"}, fields(logs[0]))
	})

	t.Run("PanicIsAnErrorWithItsStackAndItsItemAWarning", func(t *testing.T) {
		t.Parallel()
		logs := run(t, []string{"panics"}, nil)
		panics := logs.FilterLevelExact(zapcore.ErrorLevel).All()
		require.Len(t, panics, 1)
		assert.Equal(t, "sms", fields(panics[0])["pool"])
		assert.Equal(t, "no paper", fields(panics[0])["panic"])
		assert.Contains(t, fields(panics[0])["stack"], "log_test.go")
		warnings := logs.FilterLevelExact(zapcore.WarnLevel).All()
		require.Len(t, warnings, 1)
		assert.Equal(t, "task panicked: no paper", fields(warnings[0])["error"])
	})

	t.Run("DiscardedWorkIsForDebugging", func(t *testing.T) {
		t.Parallel()
		logs := run(t, []string{"a", "b", "c", "d", "e", "f"}, nil).FilterLevelExact(zapcore.DebugLevel).All()
		require.NotEmpty(t, logs)
		assert.Equal(t, map[string]any{"pool": "sms", "lane": "out", "key": "customer 7"}, fields(logs[0]))
	})

	t.Run("WhoNamesNobodyInItsPlaceLeavesItThere", func(t *testing.T) {
		t.Parallel()
		logs := run(t, []string{"panics", "fails", "a", "b", "c", "d", "e"},
			[]poolmodule.Option{poolmodule.With(pool.WithPanicHandler(nil), pool.WithDiscardHandler(nil))},
			poolmodule.LaneOptions(pool.WithFailure[SMS](nil), pool.WithResult[SMS](nil)))
		assert.Equal(t, 1, logs.FilterLevelExact(zapcore.ErrorLevel).Len())
		assert.Equal(t, 2, logs.FilterLevelExact(zapcore.WarnLevel).Len())
		assert.NotZero(t, logs.FilterLevelExact(zapcore.DebugLevel).Len())
	})

	t.Run("WhoRecordsForHimselfIsLeftAlone", func(t *testing.T) {
		t.Parallel()
		var panics, discards, results int
		logs := run(t, []string{"fails", "panics", "a", "b", "c", "d", "e"},
			[]poolmodule.Option{poolmodule.With(
				pool.WithPanicHandler(func(*pool.PanicError) { panics++ }),
				pool.WithDiscardHandler(func(pool.Discard) { discards++ }))},
			poolmodule.ResultWith(func() func(context.Context, pool.Result[SMS]) {
				return func(context.Context, pool.Result[SMS]) { results++ }
			}))
		assert.Empty(t, logs.All())
		assert.Equal(t, 1, panics)
		assert.NotZero(t, discards)
		assert.Equal(t, 7, results)
	})
}

// TestClosuresAreToldOfAtTheStart by every pool that cannot save them.
func TestClosuresAreToldOfAtTheStart(t *testing.T) {
	t.Parallel()
	save := poolmodule.SaveTasks(func(context.Context, []pool.Task) error { return nil })
	for _, tt := range []struct {
		name string
		opt  fx.Option
		want []zapcore.Level
	}{
		{"Closures", poolmodule.Provide("sms", pool.Config{}), []zapcore.Level{zapcore.InfoLevel}},
		{"ALaneElsewhere", fx.Options(poolmodule.Provide("sms", pool.Config{}), poolmodule.Provide("mail", pool.Config{}), poolmodule.Lane[SMS]("out", "mail", newHandler)), []zapcore.Level{zapcore.InfoLevel}},
		{"ALane", fx.Options(poolmodule.Provide("sms", pool.Config{}), poolmodule.Lane[SMS]("out", "sms", newHandler)), []zapcore.Level{zapcore.DebugLevel}},
		{"ASaver", poolmodule.Provide("sms", pool.Config{}, save), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.DebugLevel)
			fxtest.New(t, fx.Supply(zap.New(core)), tt.opt, fx.Invoke(func(smsPool) {})).RequireStart().RequireStop()
			var levels []zapcore.Level
			for _, line := range logs.All() {
				levels = append(levels, line.Level)
				assert.Contains(t, line.Message, "takes closures, which cannot be saved")
				assert.Equal(t, map[string]any{"pool": "sms"}, line.ContextMap())
			}
			assert.Equal(t, tt.want, levels)
		})
	}
}
