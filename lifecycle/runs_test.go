package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// endings are how runs ended, for short.
func endings(runs []lifecycle.LastRun) (texts []string) {
	for _, r := range runs {
		text := string(r.State)
		if r.Receipt != nil {
			text += ": " + r.Receipt.Cause.String()
		}
		texts = append(texts, text)
	}
	return texts
}

// wholeRun is one life with the file, of which the cause of the stop is kept.
func wholeRun(t *testing.T, file, signal string) {
	t.Helper()
	h, _ := living(t, file)
	h.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: signal})
	require.NoError(t, h.stop())
}

func listOf(file string) string { return strings.TrimSuffix(file, ".json") + ".runs.jsonl" }

// dies leaves behind what a process leaves that is killed while it runs.
func dies(t *testing.T, file string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(killed), 0o600))
}

func TestRuns(t *testing.T) {
	t.Parallel()

	t.Run("AreThoseBeforeAndThisOneWhenItIsOver", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		h, _ := living(t, file)
		assert.Empty(t, h.Runs(), "it is the first")
		require.NoError(t, h.stop())
		assert.Equal(t, []string{"stopped: stop"}, endings(h.Runs()))
		assert.NoFileExists(t, listOf(file), "a stop has nothing to do with the list")

		wholeRun(t, file, "SIGTERM")
		wholeRun(t, file, "SIGINT")
		h, _ = living(t, file)
		want := []string{"stopped: SIGINT", "stopped: SIGTERM", "stopped: stop"}
		assert.Equal(t, want, endings(h.Runs()))
		changed := h.Runs()
		changed[0] = lifecycle.LastRun{}
		assert.Equal(t, want, endings(h.Runs()), "the list is the caller's")
		assert.True(t, h.Runs()[0].Receipt.Clean())
	})

	t.Run("OneThatWasKilledIsAmongThem", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		wholeRun(t, file, "SIGTERM")
		wholeRun(t, file, "SIGINT")
		dies(t, file)
		h, _ := living(t, file)
		require.Equal(t, []string{"killed", "stopped: SIGTERM"}, endings(h.Runs()), "its marker took the place of SIGINT, which nobody has seen")
		assert.Equal(t, 2026, h.Runs()[0].Since.Year())
	})

	t.Run("StartsThatFailedHaveTheirOwnPlaces", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		dies(t, file)
		h := build(t, configured(lifecycle.Config{ReceiptFile: file}))
		h.Undo(errors.New("no configuration"))
		assert.Equal(t, []string{"not up: new failed: no configuration", "killed"}, endings(h.Runs()))
		h = build(t, configured(lifecycle.Config{ReceiptFile: file}), hook(lifecycle.Hook{OnStart: func(context.Context) error { return errBroken }}))
		require.Error(t, h.start())
		h, _ = living(t, file)
		runs := h.Runs()
		require.Len(t, runs, 3)
		assert.Contains(t, endings(runs)[0], "not up: start failed")
		assert.Equal(t, []string{"not up: new failed: no configuration", "killed"}, endings(runs)[1:])
		for _, r := range runs {
			assert.Nil(t, r.Previous)
			assert.True(t, r.Receipt == nil || r.Receipt.Previous == nil, "the run before has its own place")
		}
	})

	t.Run("TwentyAreKept", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		for i := range 25 {
			wholeRun(t, file, fmt.Sprint("signal ", i))
		}
		h, _ := living(t, file)
		runs := endings(h.Runs())
		require.Len(t, runs, 20)
		assert.Equal(t, "stopped: signal 24", runs[0])
		assert.Equal(t, "stopped: signal 5", runs[19])
		assert.Equal(t, 20, strings.Count(read(t, listOf(file)), "\n"))
		require.NoError(t, h.stop())
		runs = endings(h.Runs())
		require.Len(t, runs, 20)
		assert.Equal(t, []string{"stopped: stop", "stopped: signal 24"}, runs[:2])
	})

	t.Run("StartThatDiesBeforeItsMarkerListsARunOnce", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		wholeRun(t, file, "SIGTERM")
		receipt := read(t, file)
		_, _ = living(t, file)
		require.NoError(t, os.WriteFile(file, []byte(receipt), 0o600))
		h, _ := living(t, file)
		assert.Equal(t, []string{"stopped: SIGTERM"}, endings(h.Runs()))
	})

	t.Run("DamagedLinesAreLeftOutAndTold", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		for i := range 4 {
			wholeRun(t, file, fmt.Sprint("signal ", i))
		}
		lines := strings.Split(strings.TrimSpace(read(t, listOf(file))), "\n")
		require.Len(t, lines, 3)
		lines[1] = lines[1][:len(lines[1])/2]
		damaged := strings.Join(append(lines, "\x00\x00\x00", `{"state":"running"}`, `{"state":"stopped"}`, `[1]`), "\n")
		require.NoError(t, os.WriteFile(listOf(file), []byte(damaged), 0o600))

		core, logs := observer.New(zap.WarnLevel)
		h, last := living(t, file, fx.Supply(zap.New(core)))
		assert.Equal(t, lifecycle.RunStopped, last.State)
		assert.Equal(t, []string{"stopped: signal 3", "stopped: signal 2", "stopped: signal 0"}, endings(h.Runs()))
		require.NoError(t, h.stop())
		said := logs.FilterMessage("the list of the last runs is not complete").All()
		require.Len(t, said, 1)
		assert.Contains(t, said[0].ContextMap()["error"], "5 of its lines cannot be read and are left out")

		core, logs = observer.New(zap.WarnLevel)
		h, _ = living(t, file, fx.Supply(zap.New(core)))
		assert.Len(t, h.Runs(), 4)
		require.NoError(t, h.stop())
		assert.Zero(t, logs.Len(), "the list was mended")
	})

	t.Run("ListThatCannotBeReadOrWrittenRefusesNothing", func(t *testing.T) {
		t.Parallel()
		for name, spoil := range map[string]func(list string) error{
			"ADirectory": func(list string) error { return os.MkdirAll(filepath.Join(list, "full"), 0o700) },
			"TooLong":    func(list string) error { return os.WriteFile(list, make([]byte, 4<<20), 0o600) },
		} {
			file := filepath.Join(t.TempDir(), "receipt.json")
			wholeRun(t, file, "SIGTERM")
			require.NoError(t, spoil(listOf(file)), name)
			core, logs := observer.New(zap.WarnLevel)
			h, last := living(t, file, fx.Supply(zap.New(core)))
			assert.Equal(t, lifecycle.RunStopped, last.State, name)
			assert.Empty(t, h.Runs(), name)
			require.NoError(t, h.stop(), name)
			assert.Equal(t, []string{"stopped: stop"}, endings(h.Runs()), name)
			assert.True(t, h.Receipt().Clean(), name)
			said := logs.FilterMessage("the list of the last runs is not complete").All()
			require.Len(t, said, 1, name)
			assert.Contains(t, said[0].ContextMap()["error"], listOf(file), name)
		}
	})

	t.Run("DirectoryThatIsReadOnlyStillTellsWhatIsThere", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		file := filepath.Join(t.TempDir(), "receipt.json")
		wholeRun(t, file, "SIGTERM")
		wholeRun(t, file, "SIGINT")
		require.NoError(t, os.Chmod(filepath.Dir(file), 0o500))
		t.Cleanup(func() { assert.NoError(t, os.Chmod(filepath.Dir(file), 0o700)) })
		var c *lifecycle.Conductor
		core, logs := observer.New(zap.WarnLevel)
		h := build(t, fx.Populate(&c), fx.Supply(zap.New(core)), hook(lifecycle.Hook{Name: "store", OnStart: func(context.Context) error {
			assert.Error(t, c.KeepReceiptIn(file))
			return nil
		}}))
		require.NoError(t, h.start())
		assert.Equal(t, []string{"stopped: SIGINT", "stopped: SIGTERM"}, endings(h.Runs()))
		require.NoError(t, h.stop())
		assert.Equal(t, 1, logs.FilterMessage("the list of the last runs is not complete").Len())
	})

	t.Run("WithoutAReceiptFileThereAreNone", func(t *testing.T) {
		t.Parallel()
		h, _ := living(t, "")
		require.NoError(t, h.stop())
		assert.Empty(t, h.Runs())
	})

	t.Run("ReceiptThatIsTooLongIsShortened", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		long := strings.Repeat("x", 100<<10)
		h, _ := living(t, file, hook(lifecycle.Hook{Name: "talker",
			Describe: func() []string { return []string{long} },
			OnStop:   func(context.Context) error { return errors.New(long) },
		}))
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseShutdown, By: "ann", Err: errors.New(long)})
		require.Error(t, h.stop())
		require.Greater(t, len(read(t, file)), len(long))

		h, last := living(t, file)
		runs := h.Runs()
		require.Len(t, runs, 1)
		assert.Less(t, len(read(t, listOf(file))), 32<<10)
		short := runs[0].Receipt
		assert.Equal(t, last.Receipt.ExitCode(), short.ExitCode())
		assert.Equal(t, lifecycle.ExitHookFailed, short.ExitCode())
		assert.Equal(t, last.Receipt.Took, short.Took)
		assert.Equal(t, last.Receipt.Total, short.Total)
		assert.Equal(t, "ann", short.Cause.By)
		require.Len(t, short.Notes, 1)
		assert.Contains(t, short.Notes[0], "was left out")
		text, err := json.Marshal(short)
		require.NoError(t, err)
		assert.Less(t, len(text), 4<<10)
	})
}
