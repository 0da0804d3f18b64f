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
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/intake"
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

// TestGateWhoseComponentPanics: a component that cannot be told that its gate
// drains ends neither the stop nor the process, and its work is saved.
func TestGateWhoseComponentPanics(t *testing.T) {
	t.Parallel()
	for _, parallel := range []bool{false, true} {
		var done diary
		gate := func(name string) *intake.Gate {
			return intake.New(name, intake.OnChange(func() { panic("boom") }))
		}
		pool, http := gate("pool"), gate("http")
		a := build(t, configured(lifecycle.Config{Parallel: parallel}),
			hook(lifecycle.Hook{Name: "pool", Gate: pool, PreDestroy: done.note("pool saved")}),
			hook(lifecycle.Hook{Name: "http", Gate: http, Band: lifecycle.Ingress}))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"pool saved"}, done.read())
		assert.Equal(t, []intake.State{intake.Draining, intake.Draining}, []intake.State{http.State(), pool.State()})
		require.Len(t, a.Receipt().Notes, 2)
		for _, note := range a.Receipt().Notes {
			assert.Contains(t, note, "boom")
		}
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

// TestLogThatWasStuckForAMoment: it is heard again, in order.
func TestLogThatWasStuckForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		slow := zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
			if e.Message == "component started" {
				time.Sleep(time.Second)
			}
			return nil
		}))
		a := build(t, fx.Supply(slow), hook(lifecycle.Hook{Name: "one", OnStart: func(context.Context) error { return nil }}))
		var receipt strings.Builder
		a.PrintReceipt(&receipt)
		require.NoError(t, a.start())
		time.Sleep(time.Minute)
		require.NoError(t, a.stop())
		var said []string
		for _, e := range logs.All() {
			said = append(said, e.Message)
		}
		assert.Equal(t, []string{"component started", "started", "stopping", "stopped"}, said)
		assert.Contains(t, receipt.String(), "stopped cleanly")
	})
}

// TestLogThatPanics does not end the process in the middle of a stop.
func TestLogThatPanics(t *testing.T) {
	t.Parallel()
	core, _ := observer.New(zap.InfoLevel)
	broken := zap.New(core, zap.Hooks(func(zapcore.Entry) error { panic("the log is broken") }))
	var done diary
	a := build(t, fx.Supply(broken), hook(lifecycle.Hook{Name: "backup", PreDestroy: done.note("destroyed")}))
	require.NoError(t, a.start())
	require.NoError(t, a.stop())
	assert.Equal(t, []string{"destroyed"}, done.read())
}

// TestHooksOfOneConstructorKeepTheirOrderInIngress: whoever is moved there, or
// comes from one constructor, does not stop at once.
func TestHooksOfOneConstructorKeepTheirOrderInIngress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var done diary
		slowly := func(name string) fx.Hook {
			return fx.Hook{OnStop: func(context.Context) error {
				done.add(name + " begins")
				time.Sleep(time.Second)
				done.add(name + " ends")
				return nil
			}}
		}
		type server struct{}
		type sessions struct{}
		a := build(t,
			fx.Provide(func(lc fx.Lifecycle) *server {
				lifecycle.Append(lc, lifecycle.Hook{Name: "server", Band: lifecycle.Ingress})
				return &server{}
			}, func(lc fx.Lifecycle, _ *server) *sessions {
				lc.Append(slowly("connection"))
				lc.Append(slowly("session"))
				return &sessions{}
			}),
			fx.Invoke(func(*sessions) {}))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"session begins", "session ends", "connection begins", "connection ends"}, done.read())
	})
}

// TestReserveIsForBackupHooks: neither the receipt nor the grace of a hook
// takes it.
func TestReserveIsForBackupHooks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		config  lifecycle.Config
		budget  lifecycle.Budget
		timeout time.Duration
		want    time.Duration
	}{
		{"SmallReserve", lifecycle.Config{Reserve: 50 * time.Millisecond}, lifecycle.Budget{}, patience, 20 * time.Millisecond},
		{"BudgetThatEndsJustBefore", lifecycle.Config{}, lifecycle.Budget{Stop: 390 * time.Millisecond}, 500 * time.Millisecond, 40 * time.Millisecond},
		{"ShareOfNearlyAll", lifecycle.Config{}, lifecycle.Budget{Share: 0.98}, 500 * time.Millisecond, 40 * time.Millisecond},
		{"LongGrace", lifecycle.Config{Grace: 3 * time.Second}, lifecycle.Budget{Stop: 11900 * time.Millisecond}, patience, time.Second},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			var got time.Duration
			a := build(t, configured(tt.config), hook(lifecycle.Hook{Budget: tt.budget, OnStop: hanging(t),
				PreDestroy: func(ctx context.Context) error {
					deadline, _ := ctx.Deadline()
					got = time.Until(deadline)
					return nil
				}}))
			require.NoError(t, a.start())
			require.Error(t, a.stopIn(tt.timeout))
			assert.GreaterOrEqual(t, got, tt.want)
		})
	}
}

// TestCutShortensAGrace that is running: the stop is over when the reserve is.
func TestCutShortensAGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const reserve = 5 * time.Second
		a := build(t, configured(lifecycle.Config{Grace: 10 * time.Second, Reserve: reserve}),
			hook(lifecycle.Hook{OnStop: hanging(t), Budget: lifecycle.Budget{Stop: time.Second}}))
		require.NoError(t, a.start())
		const cut = 2 * time.Second
		time.AfterFunc(cut, func() { a.Cut(nil) })
		began := time.Now()
		require.Error(t, a.stopIn(time.Minute))
		assert.LessOrEqual(t, time.Since(began), cut+reserve)
	})
}
