package lifecycle_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// wrote is a receipt file that holds the text.
func wrote(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "receipt.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

const killed = `{"state":"running","pid":0,"since":"2026-01-02T03:04:05Z"}`

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// living starts an application with the file, and returns what it says of the
// run before.
func living(t *testing.T, file string, opts ...fx.Option) (house, lifecycle.LastRun) {
	t.Helper()
	h := build(t, append(opts, configured(lifecycle.Config{ReceiptFile: file}))...)
	require.NoError(t, h.start())
	t.Cleanup(func() { _ = h.stop() })
	last := h.LastRun()
	return h, last
}

func TestLastRun(t *testing.T) {
	t.Parallel()

	t.Run("EachStartKnowsTheStopBefore", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "receipt.json")
		h, last := living(t, file)
		assert.Equal(t, lifecycle.RunNone, last.State)
		h.Because(lifecycle.Cause{Kind: lifecycle.CauseSignal, Signal: "SIGTERM"})
		require.NoError(t, h.stop())

		gate := intake.New("inbox")
		var work *intake.Visit
		h, last = living(t, file, hook(lifecycle.Hook{Name: "inbox", Gate: gate,
			OnStart:    func(ctx context.Context) (err error) { work, err = gate.Enter(ctx); return err },
			PreDestroy: func(context.Context) error { work.Save(); return nil },
		}))
		require.Equal(t, lifecycle.RunStopped, last.State, last)
		assert.Equal(t, "SIGTERM", last.Receipt.Cause.Signal)
		assert.False(t, last.Killed())
		assert.Contains(t, read(t, file), `"state": "running"`)
		assert.Contains(t, read(t, file), `"SIGTERM"`, "the last receipt can be read while the next run is up")
		require.NoError(t, h.stopIn(2*time.Second))

		_, last = living(t, file)
		require.Equal(t, lifecycle.RunStopped, last.State, last)
		assert.Equal(t, "stop", last.Receipt.Cause.String())
		assert.EqualValues(t, 1, last.Receipt.Total.Saved)
		assert.True(t, last.Receipt.Clean())
	})

	t.Run("OnStartMayAsk", func(t *testing.T) {
		t.Parallel()
		var c *lifecycle.Conductor
		var told lifecycle.RunState
		_, last := living(t, wrote(t, killed), fx.Populate(&c), hook(lifecycle.Hook{OnStart: func(context.Context) error {
			told = c.LastRun().State
			return nil
		}}))
		assert.Equal(t, lifecycle.RunKilled, told)
		assert.True(t, last.Killed())
		assert.Equal(t, 2026, last.Since.Year())
	})

	t.Run("WithoutAFileNobodyHasLooked", func(t *testing.T) {
		t.Parallel()
		_, last := living(t, "")
		assert.Equal(t, lifecycle.LastRun{}, last)
	})

	t.Run("ComponentMayGiveItAFile", func(t *testing.T) {
		t.Parallel()
		file := wrote(t, killed)
		var c *lifecycle.Conductor
		keep := hook(lifecycle.Hook{Name: "store", OnStart: func(context.Context) error { return c.KeepReceiptIn(file) }})
		h, last := living(t, "", fx.Populate(&c), keep)
		assert.True(t, last.Killed())
		assert.Contains(t, read(t, file), `"state": "running"`)
		require.NoError(t, h.stop())
		assert.Contains(t, read(t, file), `"clean": true`)

		own := filepath.Join(t.TempDir(), "own.json")
		h, last = living(t, own, fx.Populate(&c), keep)
		assert.Equal(t, lifecycle.RunNone, last.State, "the file of the configuration is the one")
		require.NoError(t, h.stop())
		assert.Contains(t, read(t, own), `"clean": true`)

		nowhere := filepath.Join(t.TempDir(), "nowhere", "receipt.json")
		h = build(t, fx.Populate(&c), hook(lifecycle.Hook{Name: "store", OnStart: func(context.Context) error { return c.KeepReceiptIn(nowhere) }}))
		require.ErrorContains(t, h.start(), "make its directory writable")

		h = build(t, fx.Populate(&c), hook(lifecycle.Hook{Name: "store", OnStart: func(context.Context) error {
			assert.Error(t, c.KeepReceiptIn(nowhere))
			return nil
		}}))
		require.NoError(t, h.start())
		require.NoError(t, h.stop(), "it was told, and nobody had asked for the file")
		assert.True(t, h.Receipt().Clean())
	})

	t.Run("FailedStartsDoNotHideTheKill", func(t *testing.T) {
		t.Parallel()
		file := wrote(t, killed)
		fails := hook(lifecycle.Hook{Name: "db", OnStart: func(context.Context) error { return errBroken }})
		for range 3 {
			h := build(t, fails, configured(lifecycle.Config{ReceiptFile: file}))
			require.ErrorIs(t, h.start(), errBroken)
			assert.Contains(t, h.Receipt().String(), "before this, last run: killed")
		}
		h := build(t, configured(lifecycle.Config{ReceiptFile: file}))
		h.Undo(errors.New("no configuration"))
		require.NotNil(t, h.Receipt().Previous, "nor does an application that could not be built")
		assert.Less(t, len(read(t, file)), 4096, "and the file does not grow with each of them")

		h, last := living(t, file)
		require.Equal(t, lifecycle.RunNotUp, last.State, last)
		assert.Equal(t, lifecycle.CauseNewFailed, last.Receipt.Cause.Kind)
		require.EqualError(t, last.Receipt.Cause.Err, "no configuration")
		assert.True(t, last.Killed())
		require.NoError(t, h.stop())

		_, last = living(t, file)
		assert.Equal(t, lifecycle.RunStopped, last.State)
		assert.False(t, last.Killed())
		assert.Nil(t, last.Receipt.Previous, "a run that was up has said it")
	})

	t.Run("StartThatIsRefusedLeavesTheKnowledge", func(t *testing.T) {
		t.Parallel()
		file := wrote(t, killed)
		h := build(t, hook(lifecycle.Hook{Budget: lifecycle.Budget{Stop: -1}}), configured(lifecycle.Config{ReceiptFile: file}))
		require.ErrorContains(t, h.start(), "budget of")
		_, last := living(t, file)
		assert.True(t, last.Killed(), last)
	})

	t.Run("WhatCannotBeReadFailsNoStart", func(t *testing.T) {
		t.Parallel()
		for name, text := range map[string]string{
			"Empty":          "",
			"Zeros":          "\x00\x00\x00\x00",
			"Text":           "the last one",
			"OtherJSON":      `{"name":"somebody else's"}`,
			"Array":          `[1,2]`,
			"Null":           `null`,
			"AnOlderReceipt": `{"cause":"SIGTERM","took":17}`,
			"OtherState":     `{"state":"stopped"}`,
		} {
			file := wrote(t, text)
			h, last := living(t, file)
			assert.Equal(t, lifecycle.RunUnknown, last.State, name)
			assert.Contains(t, last.String(), file, name)
			require.NoError(t, h.stop())
			_, last = living(t, file)
			assert.Equal(t, lifecycle.RunStopped, last.State, name)
		}
	})

	t.Run("InsteadTouchesNothing", func(t *testing.T) {
		t.Parallel()
		file := wrote(t, killed)
		h := build(t, configured(lifecycle.Config{ReceiptFile: file}))
		h.Instead(func(io.Writer) error { return nil })
		require.NoError(t, h.start())
		assert.Equal(t, lifecycle.LastRun{}, h.LastRun())
		assert.JSONEq(t, killed, read(t, file))
		require.NoError(t, h.stop())
		assert.JSONEq(t, killed, read(t, file))
	})

	t.Run("ReceiptOfAStopAndTheListOfRunsAreAllThatIsLeft", func(t *testing.T) {
		t.Parallel()
		file := wrote(t, killed)
		h, _ := living(t, file)
		require.NoError(t, h.stop())
		var receipt lifecycle.Receipt
		require.NoError(t, json.Unmarshal([]byte(read(t, file)), &receipt))
		assert.WithinRange(t, receipt.UpSince, receipt.Began.Add(-time.Minute), receipt.Began)
		left, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Len(t, left, 2)
		assert.Equal(t, "receipt.json", left[0].Name())
		assert.Equal(t, "receipt.runs.jsonl", left[1].Name())
	})
}

// TestLastRunIsLogged: one line, before the first component, as loud as what
// it says.
func TestLastRunIsLogged(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"warn last run: killed (pid 0, running since 2026-01-02T03:04:05Z)": killed,
		"info last stop: SIGTERM, 1.2s, 37 saved, 0 lost":                   `{"cause":{"kind":"signal","signal":"SIGTERM"},"up_since":"2026-01-02T03:04:05Z","took":"1.2s","total":{"saved":37}}`,
		"warn last stop: stop, 0s, 0 saved, 0 lost, exit code 3":            `{"cause":{"kind":"stop"},"up_since":"2026-01-02T03:04:05Z","errors":["broken"]}`,
	} {
		core, logs := observer.New(zap.DebugLevel)
		_, _ = living(t, wrote(t, text), fx.Supply(zap.New(core)), hook(lifecycle.Hook{Name: "a", OnStart: sleeping(0)}))
		first := logs.All()[0]
		assert.Equal(t, want, first.Level.String()+" "+first.Message)
		assert.Equal(t, 1, logs.FilterMessage(first.Message).Len())
	}
}

func ExampleConductor_LastRun() {
	dir, _ := os.MkdirTemp("", "lastcall")
	defer func() { _ = os.RemoveAll(dir) }()

	run := func() {
		var c *lifecycle.Conductor
		a := fx.New(fx.NopLogger, fx.Populate(&c), lifecycle.Module(
			lifecycle.WithConfig(lifecycle.Config{ReceiptFile: filepath.Join(dir, "receipt.json")})))
		ctx := context.Background()
		if err := a.Start(ctx); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.LastRun().State)
		if err := a.Stop(ctx); err != nil {
			fmt.Println(err)
		}
	}
	run()
	run()
	// Output:
	// none
	// stopped
}
