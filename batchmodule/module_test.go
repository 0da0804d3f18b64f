package batchmodule_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type Order int

// store is what sinks and savers stand on in these tests.
type store struct {
	mu                   sync.Mutex
	written, saved, dead []Order
	broken               bool
}

func newStore() *store { return &store{} }

func (s *store) write(_ context.Context, orders []Order) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return batch.Unavailable(errors.New("the store is down"))
	}
	if slices.Contains(orders, 13) {
		return batch.Permanent(errors.New("unlucky"))
	}
	s.written = append(s.written, orders...)
	return nil
}

func newSink(s *store) batch.Sink[Order] { return s.write }

func newSaver(s *store) func(context.Context, []Order) error {
	return func(_ context.Context, orders []Order) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.saved = append(s.saved, orders...)
		return nil
	}
}

func newMorgue(s *store) func(context.Context, batch.DeadLetter[Order]) {
	return func(_ context.Context, l batch.DeadLetter[Order]) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dead = append(s.dead, l.Item)
	}
}

// neverFull is a Config under which only a drain flushes.
var neverFull = batch.Config{Linger: time.Hour}

func TestProvide(t *testing.T) {
	t.Parallel()
	lifecycles := map[string]fx.Option{"Bare": fx.Options(), "WithLifecycle": lifecycle.Module()}

	for name, with := range lifecycles {
		t.Run(name+"/StopFlushesWhatWasAdded", func(t *testing.T) {
			t.Parallel()
			var s *store
			var orders *batch.Batcher[Order]
			app := fxtest.New(t, with, fx.Provide(newStore),
				batchmodule.Provide[Order]("orders", newSink, neverFull),
				fx.Populate(&s, &orders))
			app.RequireStart()
			for i := range 5 {
				require.NoError(t, orders.Add(t.Context(), Order(i)))
			}
			app.RequireStop()
			assert.Equal(t, []Order{0, 1, 2, 3, 4}, s.written)
			assert.EqualValues(t, 5, orders.Gate().Ledger().Done)
			require.ErrorIs(t, orders.Add(t.Context(), 1), batch.ErrClosed)
		})

		t.Run(name+"/WhatTheTimeDidNotSufficeForIsSaved", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var s *store
				var orders *batch.Batcher[Order]
				cfg := batch.Config{Linger: time.Hour, StopBudget: 20 * time.Millisecond}
				app := fxtest.New(t, with, fx.Provide(newStore),
					batchmodule.Provide[Order]("orders", newSink, cfg, batchmodule.SaveWith[Order](newSaver)),
					fx.Populate(&s, &orders))
				app.RequireStart()
				s.broken = true
				require.NoError(t, orders.Add(t.Context(), 7))
				app.RequireStop()
				assert.Equal(t, []Order{7}, s.saved)
				assert.EqualValues(t, 1, orders.Gate().Ledger().Saved)
			})
		})
	}

	t.Run("LeftoversThatNobodySavesAreAnError", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var s *store
			var orders *batch.Batcher[Order]
			app := fxtest.New(t, lifecycle.Module(), fx.Provide(newStore), fx.StopTimeout(300*time.Millisecond),
				batchmodule.Provide[Order]("orders", newSink, neverFull), fx.Populate(&s, &orders))
			app.RequireStart()
			s.broken = true
			require.NoError(t, orders.Add(t.Context(), 7))
			stop, cancel := context.WithTimeout(t.Context(), app.StopTimeout())
			defer cancel()
			require.ErrorContains(t, app.Stop(stop), "batch orders: save: 1 item: lost: nobody saves leftovers")
			assert.EqualValues(t, 1, orders.Gate().Ledger().Lost)
		})
	})

	t.Run("DeadLettersObserversAndCoreOptionsComeTogether", func(t *testing.T) {
		t.Parallel()
		var s *store
		var orders *batch.Batcher[Order]
		var keys []string
		newObserver := func(*store) func(batch.Flush) { return func(f batch.Flush) { keys = append(keys, f.Key) } }
		app := fxtest.New(t, fx.Provide(newStore),
			batchmodule.Provide[Order]("orders", newSink, neverFull,
				batchmodule.DeadLetterWith[Order](newMorgue),
				batchmodule.FlushedWith[Order](newObserver),
				batchmodule.Options(batch.WithKey(func(o Order) string { return fmt.Sprint(o % 2) }))),
			fx.Populate(&s, &orders)).RequireStart()
		_, err := orders.AddAll(t.Context(), []Order{1, 2, 13, 4})
		require.NoError(t, err)
		app.RequireStop()
		assert.Equal(t, []Order{13}, s.dead)
		assert.ElementsMatch(t, []Order{1, 2, 4}, s.written)
		assert.Equal(t, []string{"1", "0"}, keys)
	})

	t.Run("SaverGivenInCodeIsKept", func(t *testing.T) {
		t.Parallel()
		var saved []Order
		var orders *batch.Batcher[Order]
		fxtest.New(t, fx.Provide(newStore),
			batchmodule.Provide[Order]("orders", newSink, neverFull,
				batchmodule.Options(batch.WithSave(func(_ context.Context, o []Order) error { saved = o; return nil }))),
			fx.Populate(&orders))
		require.NoError(t, orders.Add(t.Context(), 1))
		require.NoError(t, orders.Save(t.Context()))
		assert.Equal(t, []Order{1}, saved)
	})

	t.Run("TwoOfOneTypeAreToldApartByTag", func(t *testing.T) {
		t.Parallel()
		var s *store
		var got struct {
			fx.In
			EU *batch.Batcher[Order]
			US *batch.Batcher[Order] `name:"us"`
		}
		var american []Order
		app := fxtest.New(t, fx.Provide(newStore),
			batchmodule.Provide[Order]("eu", newSink, neverFull),
			batchmodule.Provide[Order]("us", func(_ context.Context, o []Order) error {
				american = append(american, o...)
				return nil
			}, neverFull, batchmodule.Named[Order]()),
			fx.Populate(&s, &got)).RequireStart()
		require.NoError(t, got.EU.Add(t.Context(), 1))
		require.NoError(t, got.US.Add(t.Context(), 2))
		app.RequireStop()
		assert.Equal(t, []Order{1}, s.written)
		assert.Equal(t, []Order{2}, american)
	})

	t.Run("WorksInsideAModule", func(t *testing.T) {
		t.Parallel()
		var orders *batch.Batcher[Order]
		app := fxtest.New(t, lifecycle.Module(),
			fx.Module("shop", fx.Provide(newStore), batchmodule.Provide[Order]("orders", newSink, neverFull)),
			fx.Populate(&orders)).RequireStart()
		require.NoError(t, orders.Add(t.Context(), 1))
		app.RequireStop()
		assert.EqualValues(t, 1, orders.Gate().Ledger().Done)
	})
}

func TestSinkShapes(t *testing.T) {
	t.Parallel()
	write := func(context.Context, []Order) error { return nil }

	for name, sink := range map[string]any{
		"TheSinkItself":        write,
		"PlainConstructor":     func() func(context.Context, []Order) error { return write },
		"ConstructorWithError": func(*store) (batch.Sink[Order], error) { return write, nil },
		"FxInStruct": func(struct {
			fx.In
			Store *store `optional:"true"`
		}) batch.Sink[Order] {
			return write
		},
		"Annotated": fx.Annotate(func(*store) batch.Sink[Order] { return write }, fx.ParamTags(`name:"primary"`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fxtest.New(t,
				fx.Provide(newStore, fx.Annotate(newStore, fx.ResultTags(`name:"primary"`))),
				batchmodule.Provide[Order]("orders", sink, batch.Config{}, batchmodule.SaveWith[Order](newSaver)),
				fx.Invoke(func(*batch.Batcher[Order]) {})).RequireStart().RequireStop()
		})
	}

	t.Run("ErrorOfTheConstructorIsTheAppsError", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger,
			batchmodule.Provide[Order]("orders", func() (batch.Sink[Order], error) { return nil, errors.New("no table") }, batch.Config{}),
			fx.Invoke(func(*batch.Batcher[Order]) {}))
		require.ErrorContains(t, app.Err(), "no table")
	})

	t.Run("WrongShapesAreExplained", func(t *testing.T) {
		t.Parallel()
		app := fx.New(fx.NopLogger, batchmodule.Provide[Order]("orders", func() int { return 1 }, batch.Config{},
			batchmodule.SaveWith[Order](func() {})))
		for _, want := range []string{
			`batchmodule: Provide("orders")`,
			"sink: is a func() int; its first result must be func(context.Context, []batchmodule_test.Order) error",
			"save: is a func(); its first result must be",
		} {
			assert.ErrorContains(t, app.Err(), want)
		}
		app = fx.New(fx.NopLogger, batchmodule.Provide[Order]("orders", nil, batch.Config{}))
		require.ErrorContains(t, app.Err(), "sink: is nil")
	})
}
