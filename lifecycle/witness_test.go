package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func witness(w lifecycle.Witness) fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle) { lifecycle.Attend(lc, w) })
}

// noting is a witness that notes when it opens and closes.
func (d *diary) witness(name string) lifecycle.Witness {
	return lifecycle.Witness{Name: name, Open: d.note("open " + name), Close: func(context.Context) { d.add("close " + name) }}
}

func TestWitness(t *testing.T) {
	t.Parallel()

	t.Run("IsThereBeforeAndAfterEverythingElse", func(t *testing.T) {
		t.Parallel()
		var done diary
		var a house
		w := done.witness("outside")
		w.Close = func(context.Context) {
			done.add("close outside")
			assert.NotNil(t, a.Receipt())
			assert.Equal(t, lifecycle.Stopped, a.State())
		}
		a = build(t, hook(done.noting(lifecycle.Hook{Name: "a", Band: lifecycle.Sink})), witness(w))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"open outside", "start a", "stop a", "destroy a", "close outside"}, done.read())
		require.Len(t, a.Receipt().Components, 1, "it is not counted")
	})

	t.Run("ThatDoesNotOpenFailsTheStart", func(t *testing.T) {
		t.Parallel()
		for name, open := range map[string]func(context.Context) error{
			"Error": func(context.Context) error { return errBroken },
			"Panic": func(context.Context) error { panic(errBroken) },
		} {
			var done diary
			w := done.witness("outside")
			w.Open = open
			a := build(t, hook(done.noting(lifecycle.Hook{Name: "a"})), witness(w))
			err := a.start()
			require.ErrorIs(t, err, errBroken, name)
			require.ErrorContains(t, err, "open witness outside")
			assert.Equal(t, []string{"destroy a", "close outside"}, done.read())
			assert.Equal(t, lifecycle.ExitStartFailed, a.Receipt().ExitCode())
		}
	})

	bubble(t, "ThatHangsWhileItOpensFailsTheStart", func(t *testing.T) {
		var done diary
		w := done.witness("outside")
		w.Open = hanging(t)
		a := build(t, hook(done.noting(lifecycle.Hook{Name: "a"})), witness(w))
		var hang *lifecycle.HangError
		require.ErrorAs(t, a.start(), &hang)
		assert.Equal(t, []string{"destroy a", "close outside"}, done.read())
	})

	t.Run("SeesAStartThatFails", func(t *testing.T) {
		t.Parallel()
		var done diary
		h := done.noting(lifecycle.Hook{Name: "a"})
		h.OnStart = func(context.Context) error { return errBroken }
		a := build(t, hook(h), witness(done.witness("outside")))
		require.ErrorIs(t, a.start(), errBroken)
		assert.Equal(t, []string{"open outside", "destroy a", "close outside"}, done.read())
	})

	t.Run("IsClosedWhenTheGraphCannotBeBuilt", func(t *testing.T) {
		t.Parallel()
		var done diary
		a := fx.New(fx.NopLogger, lifecycle.Module(), witness(done.witness("outside")), fx.Invoke(func() error { return errBroken }))
		require.ErrorIs(t, a.Err(), errBroken)
		assert.Equal(t, []string{"close outside"}, done.read())
	})

	bubble(t, "ThatHangsDoesNotHoldTheStop", func(t *testing.T) {
		hang := hanging(t)
		stuck := lifecycle.Witness{Name: "stuck", Close: func(ctx context.Context) { _ = hang(ctx) }}
		var done diary
		a := build(t, witness(stuck), witness(done.witness("well")), witness(lifecycle.Witness{Close: func(context.Context) { panic("boom") }}))
		require.NoError(t, a.start())
		began := time.Now()
		require.NoError(t, a.stop())
		assert.Equal(t, time.Second, time.Since(began))
		assert.Equal(t, []string{"open well", "close well"}, done.read())
		assert.True(t, a.Receipt().Clean())
	})

	bubble(t, "HasLessTimeIfTheStopHas", func(t *testing.T) {
		var left time.Duration
		a := build(t, witness(lifecycle.Witness{Close: func(ctx context.Context) {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
		}}), hook(lifecycle.Hook{OnStop: hanging(t)}))
		require.NoError(t, a.start())
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		defer cancel()
		require.Error(t, a.Stop(ctx))
		assert.Equal(t, 100*time.Millisecond, left)
	})

	bubble(t, "HasClosedWhenAnyStopReturns", func(t *testing.T) {
		const slow = 50 * time.Millisecond
		var done diary
		a := build(t, witness(lifecycle.Witness{Close: func(ctx context.Context) {
			deadline, _ := ctx.Deadline()
			assert.Equal(t, time.Second, time.Until(deadline))
			time.Sleep(slow)
			done.add("closed")
		}}), hook(lifecycle.Hook{OnStop: sleeping(time.Second)}))
		require.NoError(t, a.start())
		go func() { assert.NoError(t, a.stop()) }()
		synctest.Wait()
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"closed"}, done.read())
		synctest.Wait()
	})

	t.Run("IsNoLeak", func(t *testing.T) {
		t.Parallel()
		end := make(chan struct{})
		over := make(chan struct{})
		a := build(t, witness(lifecycle.Witness{
			Open: func(context.Context) error {
				go func() { defer close(over); <-end }()
				return nil
			},
			Close: func(context.Context) { close(end); <-over },
		}))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Empty(t, a.Receipt().Leaks)
	})

	t.Run("IsAPlainHookWithoutTheModule", func(t *testing.T) {
		t.Parallel()
		var done diary
		a := fx.New(fx.NopLogger, witness(done.witness("outside")), fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.StartStopHook(done.note("start a"), done.note("stop a")))
		}))
		require.NoError(t, a.Start(t.Context()))
		require.NoError(t, a.Stop(t.Context()))
		assert.Equal(t, []string{"open outside", "start a", "stop a", "close outside"}, done.read())
	})

	t.Run("ThatComesAfterTheEndIsToldSo", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zap.WarnLevel)
		var done diary
		var lc fx.Lifecycle
		a := build(t, fx.Supply(zap.New(core)), fx.Populate(&lc))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		lifecycle.Attend(lc, done.witness("late"))
		require.Eventually(t, func() bool { return logs.Len() == 1 }, patience, time.Millisecond)
		assert.Equal(t, map[string]any{"witness": "late", "will be closed": false}, logs.All()[0].ContextMap())
		assert.Empty(t, done.read())
	})

	t.Run("ThatComesTooLateIsClosed", func(t *testing.T) {
		t.Parallel()
		var done diary
		a := build(t, fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{OnStart: func(context.Context) error {
				lifecycle.Attend(lc, done.witness("late"))
				return errors.Join()
			}})
		}))
		require.NoError(t, a.start())
		require.NoError(t, a.stop())
		assert.Equal(t, []string{"close late"}, done.read())
	})
}
