package lifecycle_test

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// nilError is an error that nobody can look at.
func nilError(context.Context) error {
	var e *os.PathError
	return e
}

// TestErrorThatCannotBeLookedAt: a nil pointer in an error panics in whoever
// calls Error or Unwrap. That is the hook's panic, not the conductor's.
func TestErrorThatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	for _, h := range []lifecycle.Hook{
		{Name: "broken", OnStart: nilError},
		{Name: "broken", OnStop: nilError},
		{Name: "broken", PreDestroy: nilError},
	} {
		var done diary
		a := build(t, hook(lifecycle.Hook{Name: "backup", PreDestroy: done.note("destroyed")}), hook(h))
		err := a.start()
		if h.OnStart == nil {
			require.NoError(t, err)
			err = a.stop()
		}
		var panicked *lifecycle.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.Equal(t, []string{"destroyed"}, done.read())
	}
}

// stuck is a writer whose reader has stopped reading.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	<-s.release
	return len(p), nil
}

// TestLogThatIsStuck: neither the log nor the receipt holds the stop.
func TestLogThatIsStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := stuck{make(chan struct{})}
		defer close(w.release)
		log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(w), zap.DebugLevel))
		var done diary
		a := build(t, fx.Supply(log), hook(lifecycle.Hook{Name: "backup",
			OnStart: done.note("started"), OnStop: done.note("stopped"), PreDestroy: done.note("destroyed")}))
		a.PrintReceipt(w)
		began := time.Now()
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"started", "stopped", "destroyed"}, done.read())
		assert.Less(t, time.Since(began), time.Second, "one write is waited for, for a moment")
	})
}

func TestReceiptIsPrintedOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := build(t)
	a.PrintReceipt(io.MultiWriter(&out))
	require.NoError(t, a.start())
	require.NoError(t, a.stop())
	assert.Equal(t, 1, strings.Count(out.String(), "last call:"))
}

// TestIngressClosesAtOnce: one that is slow must not leave the others
// accepting.
func TestIngressClosesAtOnce(t *testing.T) {
	t.Parallel()
	const slow = time.Second
	ingress := func(name string, closed *time.Duration, took time.Duration, after ...string) fx.Option {
		var began time.Time
		return hook(lifecycle.Hook{Name: name, Band: lifecycle.Ingress, After: after,
			OnStart: func(context.Context) error { began = time.Now(); return nil },
			OnStop: func(context.Context) error {
				*closed = time.Since(began)
				time.Sleep(took)
				return nil
			}})
	}

	t.Run("WhereNothingOrdersThem", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var http, consumer time.Duration
			a := build(t, ingress("http", &http, 0), ingress("consumer", &consumer, slow))
			require.NoError(t, a.start())
			require.NoError(t, a.stop())
			assert.Zero(t, consumer)
			assert.Zero(t, http, "not after the slow one")
		})
	})

	t.Run("ButAfterHolds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var http, registration time.Duration
			a := build(t, ingress("http", &http, 0), ingress("registration", &registration, slow, "http"))
			require.NoError(t, a.start())
			require.NoError(t, a.stop())
			assert.Zero(t, registration)
			assert.Equal(t, slow, http, "the registration is taken back first")
		})
	})
}
