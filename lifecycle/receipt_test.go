package lifecycle_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestReceiptOfAStartThatFailed: a rollback that went well is not clean.
func TestReceiptOfAStartThatFailed(t *testing.T) {
	t.Parallel()

	for name, start := range map[string]func(context.Context) error{
		"FAILED":   func(context.Context) error { return errBroken },
		"PANICKED": func(context.Context) error { panic("oops") },
	} {
		bubble(t, name, func(t *testing.T) {
			h := build(t, hook(lifecycle.Hook{Name: "well", OnStart: sleeping(0)}), hook(lifecycle.Hook{Name: "db", OnStart: start}))
			require.Error(t, h.start())
			r := h.Receipt()
			assert.False(t, r.Clean())
			require.NoError(t, r.Err())
			assert.Contains(t, r.String(), "start failed, rolled back cleanly in")
			assert.Contains(t, r.String(), "db did not start: "+name+" after 0s")
			assert.NotContains(t, r.String(), "well did not start")
			assert.Equal(t, lifecycle.OK, component(t, r, "well").Start.Outcome)
		})
	}

	bubble(t, "HungWithItsStackInTheJSON", func(t *testing.T) {
		h := build(t, hook(lifecycle.Hook{Name: "db", OnStart: hanging(t)}))
		require.Error(t, h.start())
		text, err := json.Marshal(h.Receipt())
		require.NoError(t, err)
		var read struct {
			Clean      bool
			ExitCode   int `json:"exit_code"`
			Components []struct {
				Start struct{ Outcome, Stack string }
			}
		}
		require.NoError(t, json.Unmarshal(text, &read))
		assert.False(t, read.Clean)
		assert.Equal(t, lifecycle.ExitStartFailed, read.ExitCode)
		assert.Equal(t, "hung", read.Components[0].Start.Outcome)
		assert.Contains(t, read.Components[0].Start.Stack, "helpers_test.go")
	})

	bubble(t, "RolledBackWithErrors", func(t *testing.T) {
		broken := func(context.Context) error { return errBroken }
		h := build(t, hook(lifecycle.Hook{OnStart: broken, PreDestroy: broken}))
		require.Error(t, h.start())
		assert.Contains(t, h.Receipt().String(), "start failed, rolled back with errors in")
	})

	bubble(t, "NotBuiltAtAll", func(t *testing.T) {
		h := build(t)
		h.Undo(errBroken)
		assert.False(t, h.Receipt().Clean())
		assert.Contains(t, h.Receipt().String(), "could not be built, undone cleanly in")
	})
}

// TestReceiptIsFlushed: the last line of the log comes after the component
// that flushes it.
func TestReceiptIsFlushed(t *testing.T) {
	t.Parallel()
	sink := &buffered{}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(sink), zap.InfoLevel))
	h := build(t, fx.Supply(log), hook(lifecycle.Hook{Name: "log", Band: lifecycle.Sink, OnStop: func(context.Context) error { return log.Sync() }}))
	require.NoError(t, h.start())
	require.NoError(t, h.stop())
	assert.Contains(t, sink.flushed, `"msg":"stopped"`)
}

// buffered is a log that is lost unless it is flushed.
type buffered struct{ waiting, flushed string }

func (b *buffered) Write(p []byte) (int, error) { b.waiting += string(p); return len(p), nil }

func (b *buffered) Sync() error {
	b.flushed, b.waiting = b.flushed+b.waiting, ""
	return nil
}

func TestUnknownValuesHaveAName(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, 99} {
		for _, name := range []string{lifecycle.Phase(n).String(), lifecycle.State(n).String(), lifecycle.Signal(n).String()} {
			assert.Regexp(t, `^(phase|state|signal)\(-?\d+\)$`, name)
		}
	}
}
