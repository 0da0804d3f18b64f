package lifecycle_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// shelf keeps changes in memory.
type shelf struct {
	mu     sync.Mutex
	values map[string]any
	by     string
	keep   func(context.Context) error // called first, without the lock
}

func (s *shelf) Keep(ctx context.Context, values map[string]any, by string) (map[string]any, error) {
	if s.keep != nil {
		if err := s.keep(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]any{}
	}
	was := map[string]any{}
	for key, value := range values {
		if kept, ok := s.values[key]; ok {
			was[key] = kept
		}
		if s.values[key] = value; value == nil {
			delete(s.values, key)
		}
	}
	s.by = by
	return was, nil
}

func (s *shelf) kept() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

// persist asks for the seats of the desk to be kept.
func (h house) persist(values map[string]any) (lifecycle.Turned, error) {
	return h.Turn(context.Background(), front, lifecycle.Change{Values: values, By: "alice", Persist: true})
}

func TestTurnPersist(t *testing.T) {
	t.Parallel()

	t.Run("KeepsWhatIsInForceByItsKey", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		var s shelf
		s.keep = func(context.Context) error {
			assert.EqualValues(t, 8, d.get("seats"), "it is in force before it is kept")
			return nil
		}
		a.PersistIn(&s)
		turned, err := a.persist(map[string]any{"seats": 8.0})
		require.NoError(t, err)
		assert.True(t, turned.Persisted)
		assert.Equal(t, map[string]any{"desks.front.seats": int64(8)}, s.kept())
		assert.True(t, a.Audit()[0].Persisted)
		assert.Equal(t, "alice", s.by)
		require.NoError(t, a.stop())
	})

	t.Run("KeepsAlsoWhatIsSoAlready", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		var s shelf
		a.PersistIn(&s)
		turned, err := a.persist(map[string]any{"seats": 4})
		require.NoError(t, err)
		assert.NotZero(t, turned.Seq)
		assert.Zero(t, d.turns, "the component had nothing to do")
		assert.Equal(t, map[string]any{"desks.front.seats": int64(4)}, s.kept())
		require.NoError(t, a.stop())
	})

	t.Run("IsRefusedWhereItCannotBe", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		_, err := a.persist(map[string]any{"seats": 8})
		require.ErrorIs(t, err, lifecycle.ErrNotKept)
		require.ErrorContains(t, err, "start with a configuration file")
		var s shelf
		a.PersistIn(&s)
		_, err = a.persist(map[string]any{"seats": 8, "open": false, "load": 1})
		require.ErrorIs(t, err, lifecycle.ErrNotKept)
		var wrong *lifecycle.KnobErrors
		require.ErrorAs(t, err, &wrong)
		assert.Len(t, wrong.Wrong, 2, "both that have no key")
		_, err = a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, Persist: true, For: time.Hour})
		require.ErrorContains(t, err, "leave one of both out")
		assert.Zero(t, d.turns)
		assert.Empty(t, s.kept())
		assert.Len(t, a.Audit(), 3)
		require.NoError(t, a.stop())
	})

	t.Run("DryRunKeepsNothing", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		ch := lifecycle.Change{Values: map[string]any{"seats": 8}, Persist: true, DryRun: true}
		_, err := a.Turn(t.Context(), front, ch)
		require.ErrorIs(t, err, lifecycle.ErrNotKept)
		var s shelf
		a.PersistIn(&s)
		turned, err := a.Turn(t.Context(), front, ch)
		require.NoError(t, err)
		assert.True(t, turned.Persisted)
		assert.Empty(t, s.kept())
		require.NoError(t, a.stop())
	})

	t.Run("IsTakenBackWhenItIsNotKept", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		full := errors.New("the disk is full")
		for _, keep := range []func(context.Context) error{
			func(context.Context) error { return full },
			func(context.Context) error { panic(full) },
		} {
			a.PersistIn(&shelf{keep: keep})
			turned, err := a.persist(map[string]any{"seats": 8})
			require.ErrorIs(t, err, lifecycle.ErrNotKept)
			require.ErrorIs(t, err, full)
			require.ErrorContains(t, err, "so it was taken back")
			assert.False(t, turned.Persisted)
			assert.EqualValues(t, 4, d.get("seats"))
			_, revision, err := a.Knobs(front)
			require.NoError(t, err)
			assert.Equal(t, revision, turned.Revision)
		}
		assert.Equal(t, 4, d.turns, "there and back, twice")
		require.NoError(t, a.stop())
	})

	t.Run("OrSaysThatItCouldNotBeTakenBack", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		a.PersistIn(&shelf{keep: func(context.Context) error {
			d.refuses(errors.New("no room"))
			return errors.New("the disk is full")
		}})
		_, err := a.persist(map[string]any{"seats": 8})
		require.ErrorContains(t, err, "the disk is full; it is in force until the next start, as it could not be taken back: no room")
		assert.EqualValues(t, 8, d.get("seats"))
		require.NoError(t, a.stop())
	})

	bubble(t, "IsTakenBackAlsoWhenTheTimeIsOver", func(t *testing.T) {
		d, a := startedDesk(t)
		a.PersistIn(&shelf{keep: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		d.during = func(ctx context.Context) error { return ctx.Err() }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Turn(ctx, front, lifecycle.Change{Values: map[string]any{"seats": 8}, Persist: true})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.EqualValues(t, 4, d.get("seats"), "with time of its own")
		require.NoError(t, a.stop())
	})

	bubble(t, "WhatHeldForATimeStillEndsWhenTheKeepingFailed", func(t *testing.T) {
		d, a := startedDesk(t)
		_, err := a.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": 8}, For: time.Minute})
		require.NoError(t, err)
		a.PersistIn(&shelf{keep: func(context.Context) error { return errors.New("the disk is full") }})
		_, err = a.persist(map[string]any{"seats": 16})
		require.Error(t, err)
		assert.EqualValues(t, 8, d.get("seats"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.EqualValues(t, 4, d.get("seats"))
		require.NoError(t, a.stop())
	})
}

func TestTextKnob(t *testing.T) {
	t.Parallel()
	greeting := "hello"
	a := build(t, hook(lifecycle.Hook{Name: "host", Panel: &lifecycle.Panel{
		Knobs: func() []lifecycle.Knob {
			return []lifecycle.Knob{{Name: "greeting", Type: lifecycle.TextKnob, Value: greeting}}
		},
		Turn: func(_ context.Context, values map[string]any) error {
			greeting = values["greeting"].(string)
			return nil
		},
	}}))
	require.NoError(t, a.start())
	_, err := a.Turn(t.Context(), "host", lifecycle.Change{Values: map[string]any{"greeting": "good evening"}})
	require.NoError(t, err)
	assert.Equal(t, "good evening", greeting)
	_, err = a.Turn(t.Context(), "host", lifecycle.Change{Values: map[string]any{"greeting": 5}})
	require.ErrorContains(t, err, "greeting: 5 is no text")
	_, err = a.Turn(t.Context(), "host", lifecycle.Change{Values: map[string]any{"greeting": string(make([]byte, 1001))}})
	require.ErrorContains(t, err, "give at most 1000")
	require.NoError(t, a.stop())
}
