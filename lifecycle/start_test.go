package lifecycle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestStart(t *testing.T) {
	t.Parallel()

	bubble(t, "StartsInTheReverseOrderOfTheStop", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "http", Band: lifecycle.Ingress})), hook(d.noting(lifecycle.Hook{Name: "pool"})),
			hook(d.noting(lifecycle.Hook{Name: "log", Band: lifecycle.Sink})))
		require.NoError(t, h.start())
		require.NoError(t, h.stop())
		assert.Equal(t, []string{
			"start log", "start pool", "start http",
			"stop http", "destroy http", "stop pool", "destroy pool", "stop log", "destroy log",
		}, d.read())
	})

	bubble(t, "FailedStartStopsWhatStartedAndDestroysAll", func(t *testing.T) {
		var d diary
		broken := d.noting(lifecycle.Hook{Name: "broken"})
		broken.OnStart = func(context.Context) error { return errBroken }
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "first"})), hook(broken), hook(d.noting(lifecycle.Hook{Name: "never"})))
		err := h.start()
		require.ErrorIs(t, err, errBroken)
		require.ErrorContains(t, err, "lifecycle: start broken: broken")
		assert.Equal(t, []string{"start first", "destroy never", "destroy broken", "stop first", "destroy first"}, d.read())
		r := h.Receipt()
		assert.Equal(t, lifecycle.CauseStartFailed, r.Cause.Kind)
		assert.Equal(t, lifecycle.ExitStartFailed, r.ExitCode())
		assert.False(t, component(t, r, "never").Started)
		assert.False(t, come(h.When(lifecycle.Started)))
		require.NoError(t, h.stop(), "the rollback went well")
	})

	bubble(t, "ErrorsOfTheRollbackAreJoined", func(t *testing.T) {
		another := errors.New("another")
		h := build(t, hook(lifecycle.Hook{OnStop: func(context.Context) error { return another }}),
			hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }}))
		err := h.start()
		require.ErrorIs(t, err, errBroken)
		require.ErrorIs(t, err, another)
	})

	bubble(t, "StartTimeoutIsRolledBackInATimeOfItsOwn", func(t *testing.T) {
		var left time.Duration
		h := build(t, hook(lifecycle.Hook{OnStop: allowed(&left)}), hook(lifecycle.Hook{Name: "stuck", OnStart: hanging(t)}))
		err := h.start()
		var hang *lifecycle.HangError
		require.ErrorAs(t, err, &hang)
		require.ErrorContains(t, err, "its time to start was over (Budget.Start, fx.StartTimeout)")
		assert.Equal(t, 12*time.Second, left)
	})

	bubble(t, "StartTimeoutBetweenTwoHooksSaysSo", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "slow", OnStart: sleeping(patience + 100*time.Millisecond)}), hook(lifecycle.Hook{Name: "next"}))
		err := h.start()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "before start of next: the start timeout was over (fx.StartTimeout)")
	})

	bubble(t, "PanicInAStartIsRolledBack", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "first"})), hook(lifecycle.Hook{OnStart: func(context.Context) error { panic("oops") }}))
		require.ErrorContains(t, h.start(), "panic: oops")
		assert.Equal(t, []string{"start first", "stop first", "destroy first"}, d.read())
	})

	bubble(t, "StopDuringTheStartCancelsItAndWaitsForTheRollback", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "first"})),
			hook(lifecycle.Hook{Name: "slow", OnStart: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}))
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "acme.watch"})
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(time.Second)
			assert.NoError(t, h.stop())
			d.add("stop returned")
		})
		err := h.start()
		wg.Wait()
		require.ErrorIs(t, err, lifecycle.ErrStopRequested)
		require.ErrorContains(t, err, "told to stop during start: shutdown by acme.watch")
		assert.Equal(t, []string{"start first", "stop first", "destroy first", "stop returned"}, d.read())
	})

	bubble(t, "StopWhileTheLastHookSucceedsStillStops", func(t *testing.T) {
		var d diary
		var wg sync.WaitGroup
		var h house
		h = build(t, hook(lifecycle.Hook{Name: "deaf", OnStop: d.note("stopped"), OnStart: func(context.Context) error {
			wg.Go(func() { assert.NoError(t, h.stop()) })
			time.Sleep(100 * time.Millisecond) // less than the grace
			return nil
		}}))
		require.ErrorIs(t, h.start(), lifecycle.ErrStopRequested)
		wg.Wait()
		assert.Equal(t, []string{"stopped"}, d.read())
	})

	bubble(t, "SignalBehindAShutdownIsHeardBeforeTheStart", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error { t.Error("started"); return nil }}))
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "acme.watch"})
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: "SIGTERM"})
		err := h.start()
		require.ErrorIs(t, err, lifecycle.ErrStopRequested)
		require.ErrorContains(t, err, "SIGTERM")
	})

	bubble(t, "NegativeBudgetRefusesTheStartWithEveryField", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "db", Budget: lifecycle.Budget{Start: -1, Stop: -1, Share: -1, PreDestroy: -1}}))
		err := h.start()
		for _, field := range []string{"lifecycle: budget of db: ", "start: -1ns is negative", "stop: -1ns is negative", "pre_destroy: -1ns is negative", "share: -1 is no part"} {
			require.ErrorContains(t, err, field)
		}
		assert.Equal(t, lifecycle.ExitStartFailed, h.Receipt().ExitCode())
	})

	bubble(t, "CutDuringTheStartRollsBack", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStart: func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }}))
		time.AfterFunc(time.Second, func() { h.Cut(lifecycle.ErrCut) })
		require.ErrorIs(t, h.start(), lifecycle.ErrCut)
	})

	bubble(t, "SignalBeforeTheStartIsHeard", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{OnStart: func(context.Context) error { t.Error("started"); return nil }}))
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: "SIGTERM"})
		require.ErrorIs(t, h.start(), lifecycle.ErrStopRequested)
	})

	bubble(t, "CannotStartTwiceOrAfterAStop", func(t *testing.T) {
		h := build(t)
		require.NoError(t, h.start())
		require.ErrorContains(t, h.start(), "cannot start: the application is running")
		require.NoError(t, h.stop())
		require.ErrorContains(t, h.start(), "cannot start: the application is stopped")
	})

	bubble(t, "StopOfWhatNeverStartedDestroys", func(t *testing.T) {
		var d diary
		h := build(t, hook(d.noting(lifecycle.Hook{Name: "a"})), hook(d.noting(lifecycle.Hook{Name: "b"})))
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"destroy b", "destroy a"}, d.read())
	})
}

func TestLint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		give    string
		config  lifecycle.Config
		budgets []lifecycle.Budget
		want    []string // the notes contain; none: there is none
	}{
		{"NothingIsWrong", lifecycle.Config{}, []lifecycle.Budget{{Start: 15 * time.Second, Stop: 12 * time.Second, PreDestroy: 2900 * time.Millisecond, Share: 1}}, nil},
		{"StopBudgetsDoNotFit", lifecycle.Config{}, []lifecycle.Budget{{Stop: 6 * time.Second}, {Stop: 7 * time.Second}},
			[]string{"the stop budgets add up to 13s, but only 12s of the stop timeout of 15s"}},
		{"StopBudgetsDoNotFitIntoTheHalf", lifecycle.Config{Reserve: 10 * time.Second}, []lifecycle.Budget{{Stop: 9 * time.Second}},
			[]string{"the stop budgets add up to 9s, but only 7.5s", "the reserve of 10s is more than half of the stop timeout of 15s"}},
		{"ReserveOfMoreThanAllWithoutBudgets", lifecycle.Config{Reserve: 20 * time.Second}, nil,
			[]string{"the reserve of 20s is more than half of the stop timeout of 15s"}},
		{"DelayOfMoreThanAllWithoutBudgets", lifecycle.Config{PreStopDelay: 20 * time.Second}, nil, nil},
		{"PreDestroyBudgetsDoNotFit", lifecycle.Config{}, []lifecycle.Budget{{PreDestroy: 2 * time.Second}, {PreDestroy: time.Second}},
			[]string{"the pre-destroy budgets add up to 3s, but the reserve has only 2.9s for them"}},
		{"StartBudgetIsMoreThanAll", lifecycle.Config{}, []lifecycle.Budget{{Start: time.Minute}},
			[]string{"the start budget of a is 1m0s, but all have 15s together"}},
		{"ShareOfMoreThanAll", lifecycle.Config{}, []lifecycle.Budget{{Share: 50}}, []string{"the share of a is 50, which counts as 1"}},
	} {
		bubble(t, tt.give, func(t *testing.T) {
			opts := []fx.Option{configured(tt.config)}
			for i, b := range tt.budgets {
				opts = append(opts, hook(lifecycle.Hook{Name: string(rune('a' + i)), Budget: b}))
			}
			h := build(t, opts...)
			require.NoError(t, h.start())
			require.NoError(t, h.stop())
			require.Len(t, h.Receipt().Notes, len(tt.want))
			for i, want := range tt.want {
				assert.Contains(t, h.Receipt().Notes[i], want)
				assert.Contains(t, h.Receipt().String(), "note: "+want)
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	t.Parallel()

	bubble(t, "TextTellsTheWholeStory", func(t *testing.T) {
		h := build(t, configured(lifecycle.Config{PreStopDelay: time.Second}),
			hook(lifecycle.Hook{Name: "db", Band: lifecycle.Resource, OnStop: sleeping(2 * time.Second), PreDestroy: sleeping(0)}),
			hook(lifecycle.Hook{Name: "http", Band: lifecycle.Ingress, OnStop: func(context.Context) error { return errBroken }}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		var lines []string
		for line := range strings.Lines(h.Receipt().String()) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		assert.Equal(t, []string{
			"last call: stop",
			"stopped with errors in 3s of 15s (3s of it for backup hooks)",
			"",
			"not ready +0s",
			"pre-stop delay +1s",
			"ingress closed +1s",
			"quiet +1s",
			"",
			"component band stopped at stop pre-destroy",
			"http ingress +1s FAILED after 0s -",
			"db resource +1s 2s 0s",
			"",
			"lifecycle: stop http: broken",
		}, lines)
	})

	t.Run("FileIsReadableJSON", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		h := build(t, configured(lifecycle.Config{ReceiptFile: file}),
			hook(lifecycle.Hook{Name: "a", OnStop: func(context.Context) error { return errBroken }}))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, want := range []string{`"clean": false`, `"exit_code": 3`, `"lifecycle: stop a: broken"`, `"kind": "stop"`, `"timeout": "1`, `"band": "middle"`, `"outcome": "failed"`} {
			assert.Contains(t, string(text), want)
		}
	})

	t.Run("FileThatCannotBeWrittenRefusesTheStart", func(t *testing.T) {
		t.Parallel()
		var d diary
		h := build(t, configured(lifecycle.Config{ReceiptFile: filepath.Join(t.TempDir(), "nowhere", "receipt.json")}), hook(d.noting(lifecycle.Hook{Name: "a"})))
		err := h.start()
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "lifecycle: receipt_file: the receipt could not be written to")
		assert.Equal(t, lifecycle.ExitStartFailed, h.Receipt().ExitCode())
		assert.Equal(t, []string{"destroy a"}, d.read())
	})

	t.Run("FileThatIsADirectoryRefusesTheStart", func(t *testing.T) {
		t.Parallel()
		h := build(t, configured(lifecycle.Config{ReceiptFile: t.TempDir()}))
		require.ErrorContains(t, h.start(), "it is a directory")
	})

	t.Run("CheckOfTheFileLeavesNothingButTheMarker", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		h := build(t, configured(lifecycle.Config{ReceiptFile: filepath.Join(dir, "receipt.json")}))
		require.NoError(t, h.start())
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, left, 1)
		assert.Equal(t, "receipt.json", left[0].Name())
		require.NoError(t, h.stop())
	})

	t.Run("FileThatCannotBeWrittenAnyMoreIsAnErrorOfTheStop", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "gone")
		require.NoError(t, os.Mkdir(dir, 0o755))
		h := build(t, configured(lifecycle.Config{ReceiptFile: filepath.Join(dir, "receipt.json")}))
		require.NoError(t, h.start())
		require.NoError(t, os.RemoveAll(dir))
		err := h.stop()
		require.ErrorIs(t, err, os.ErrNotExist)
		require.ErrorContains(t, err, "lifecycle: write the receipt")
		assert.Equal(t, lifecycle.ExitHookFailed, h.Receipt().ExitCode())
	})

	t.Run("FileThatHasBecomeADirectoryLeavesNothingBehind", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		h := build(t, configured(lifecycle.Config{ReceiptFile: filepath.Join(dir, "receipt.json")}))
		require.NoError(t, h.start())
		require.NoError(t, os.Remove(filepath.Join(dir, "receipt.json")))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "receipt.json", "full"), 0o755))
		require.Error(t, h.stop())
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, left, 1)
	})

	t.Run("IsLoggedOnce", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zap.InfoLevel)
		h := build(t, fx.Supply(zap.New(core)), fx.Module("store", hook(lifecycle.Hook{Name: "db", OnStop: func(context.Context) error { panic("oops") }})))
		require.NoError(t, h.start())
		require.Error(t, h.stop())
		stopped := logs.FilterMessage("stopped").All()
		require.Len(t, stopped, 1)
		assert.Equal(t, zap.ErrorLevel, stopped[0].Level)
		hook := logs.FilterMessage("component not stopped").All()
		require.Len(t, hook, 1)
		assert.Equal(t, "store", hook[0].ContextMap()["module"])
		assert.Contains(t, hook[0].ContextMap()["stack"], "start_test.go")
	})
}
