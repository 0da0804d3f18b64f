package lifecycle_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// seats turns the seats, for a time if d is not 0, and returns the number of
// the change.
func (h house) seats(t *testing.T, n int, d time.Duration) uint64 {
	t.Helper()
	turned, err := h.Turn(t.Context(), front, lifecycle.Change{Values: map[string]any{"seats": n}, For: d, By: "alice"})
	require.NoError(t, err)
	require.NotZero(t, turned.Seq)
	return turned.Seq
}

func (h house) undo(t *testing.T, seq uint64) (lifecycle.Turned, error) {
	t.Helper()
	return h.Rollback(t.Context(), seq, "bob", "there", false)
}

func TestRollback(t *testing.T) {
	t.Parallel()

	t.Run("GoesBackToWhatWasBefore", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		turned, err := a.turn(map[string]any{"seats": 8, "pause": "2s"})
		require.NoError(t, err)
		_, err = a.turn(map[string]any{"load": 1})
		require.NoError(t, err, "another knob")
		back, err := a.undo(t, turned.Seq)
		require.NoError(t, err)
		assert.Equal(t, turned.Before, back.After)
		assert.Equal(t, turned.After, back.Before)
		assert.Equal(t, turned.Seq, back.Undoes)
		assert.Equal(t, "bob", back.By)
		assert.EqualValues(t, 4, d.get("seats"))
		assert.Equal(t, time.Second, d.get("pause"))
		assert.InDelta(t, 1, d.get("load"), 0)
		assert.Equal(t, back, a.Audit()[2])
		require.NoError(t, a.stop())
	})

	t.Run("StepByStepAndForwardAgain", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		first, second := a.seats(t, 8, 0), a.seats(t, 16, 0)
		_, err := a.undo(t, first)
		require.ErrorIs(t, err, lifecycle.ErrStale)
		require.ErrorContains(t, err, "change 2 has turned seats")
		back, err := a.undo(t, second)
		require.NoError(t, err)
		assert.EqualValues(t, 8, d.get("seats"))
		_, err = a.undo(t, second)
		require.ErrorIs(t, err, lifecycle.ErrStale, "it was taken back already")
		_, err = a.undo(t, first)
		require.NoError(t, err, "the second does not count any more")
		assert.EqualValues(t, 4, d.get("seats"))
		_, err = a.undo(t, back.Seq)
		require.ErrorIs(t, err, lifecycle.ErrStale)
		last := a.Audit()[len(a.Audit())-1]
		require.NotEmpty(t, last.Error)
		_, err = a.undo(t, last.Seq)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo, "that was the refusal")
		_, err = a.undo(t, 6)
		require.NoError(t, err, "what took back the first is taken back")
		assert.EqualValues(t, 8, d.get("seats"))
		_, err = a.undo(t, back.Seq)
		require.NoError(t, err)
		assert.EqualValues(t, 16, d.get("seats"))
		_, err = a.undo(t, first)
		require.ErrorIs(t, err, lifecycle.ErrStale, "the second counts again")
		require.NoError(t, a.stop())
	})

	t.Run("RefusesWhatCannotBe", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		for _, seq := range []uint64{0, 1, 1 << 63} {
			_, err := a.undo(t, seq)
			require.ErrorIs(t, err, lifecycle.ErrNoEntry)
		}
		_, err := a.turn(map[string]any{"seats": 0})
		require.Error(t, err)
		_, err = a.undo(t, 1)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo)
		seq := a.seats(t, 8, 0)
		d.put("seats", int64(9))
		_, err = a.undo(t, seq)
		require.ErrorIs(t, err, lifecycle.ErrStale)
		require.ErrorContains(t, err, "seats is 9")
		d.put("seats", int64(8))
		d.refuses(errors.New("no room"))
		_, err = a.undo(t, seq)
		require.ErrorContains(t, err, "no room")
		assert.EqualValues(t, 8, d.get("seats"))
		d.refuses(nil)
		_, err = a.undo(t, seq)
		require.NoError(t, err)
		require.NoError(t, a.stop())
		_, err = a.undo(t, seq)
		require.ErrorIs(t, err, lifecycle.ErrNotUp)
	})

	t.Run("RefusesWhatTheAuditNoLongerHas", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		seq := a.seats(t, 8, 0)
		for range 1000 {
			_, err := a.turn(map[string]any{"load": "full"})
			require.Error(t, err)
		}
		_, err := a.undo(t, seq)
		require.ErrorIs(t, err, lifecycle.ErrNoEntry)
		require.NoError(t, a.stop())
	})

	t.Run("NotOfAnAction", func(t *testing.T) {
		t.Parallel()
		_, a := startedKitchen(t)
		_, entry, err := a.cook(t.Context(), soup())
		require.NoError(t, err)
		_, err = a.undo(t, entry.Seq)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo)
		require.NoError(t, a.stop())
	})

	t.Run("DryRunSaysWhatWouldBe", func(t *testing.T) {
		t.Parallel()
		d, a := startedDesk(t)
		seq := a.seats(t, 8, 0)
		back, err := a.Rollback(t.Context(), seq, "", "", true)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{"seats": int64(4)}, back.After)
		assert.Contains(t, back.From, "rollback_test.go")
		assert.Zero(t, back.Seq)
		assert.EqualValues(t, 8, d.get("seats"))
		assert.Len(t, a.Audit(), 1)
		require.NoError(t, a.stop())
	})

	t.Run("WhatWasKeptIsKeptAsItWas", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		var s shelf
		a.PersistIn(&s)
		turned, err := a.persist(map[string]any{"seats": 8})
		require.NoError(t, err)
		back, err := a.undo(t, turned.Seq)
		require.NoError(t, err)
		assert.True(t, back.Persisted)
		assert.Empty(t, s.kept(), "nothing was")

		again, err := a.undo(t, back.Seq)
		require.NoError(t, err)
		assert.EqualValues(t, 8, again.After["seats"])
		assert.Equal(t, map[string]any{"desks.front.seats": int64(8)}, s.kept())

		// Between the two it was turned and not kept: each goes back to its own.
		_, err = a.turn(map[string]any{"seats": 9})
		require.NoError(t, err)
		turned, err = a.persist(map[string]any{"seats": 10})
		require.NoError(t, err)
		back, err = a.undo(t, turned.Seq)
		require.NoError(t, err)
		assert.EqualValues(t, 9, back.After["seats"])
		assert.Equal(t, map[string]any{"desks.front.seats": int64(8)}, s.kept())
		require.NoError(t, a.stop())
	})

	t.Run("WhatWasSoAlreadyIsNoLongerKept", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		var s shelf
		a.PersistIn(&s)
		turned, err := a.persist(map[string]any{"seats": 4})
		require.NoError(t, err)
		require.NotEmpty(t, s.kept())
		_, err = a.undo(t, turned.Seq)
		require.NoError(t, err)
		assert.Empty(t, s.kept())
		require.NoError(t, a.stop())
	})
}

// TestRollbackForATime: what held for a time only does not come to life again.
func TestRollbackForATime(t *testing.T) {
	t.Parallel()

	bubble(t, "EndsItEarly", func(t *testing.T) {
		d, a := startedDesk(t)
		seq := a.seats(t, 8, time.Minute)
		back, err := a.undo(t, seq)
		require.NoError(t, err)
		assert.EqualValues(t, 4, d.get("seats"))
		time.Sleep(time.Hour)
		assert.Len(t, a.Audit(), 2, "and not again")
		_, err = a.undo(t, back.Seq)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo, "its time is over")
		require.NoError(t, a.stop())
	})

	bubble(t, "WhatLiesBelowStillEnds", func(t *testing.T) {
		d, a := startedDesk(t)
		a.seats(t, 8, time.Hour)
		seq := a.seats(t, 16, time.Minute)
		_, err := a.undo(t, seq)
		require.NoError(t, err)
		assert.EqualValues(t, 8, d.get("seats"))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.EqualValues(t, 4, d.get("seats"))
		require.NoError(t, a.stop())
	})

	bubble(t, "OneThatIsOverIsNotMadeToStay", func(t *testing.T) {
		d, a := startedDesk(t)
		a.seats(t, 8, time.Minute)
		stays := a.seats(t, 16, 0)
		time.Sleep(time.Hour)
		_, err := a.undo(t, stays)
		require.NoError(t, err)
		assert.EqualValues(t, 4, d.get("seats"), "not the 8 of a minute")
		require.NoError(t, a.stop())
	})

	bubble(t, "OneThatEndedByItselfIsNoChange", func(t *testing.T) {
		d, a := startedDesk(t)
		seq := a.seats(t, 8, 0)
		a.seats(t, 16, time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, a.Audit(), 3)
		assert.EqualValues(t, 2, a.Audit()[2].Undoes)
		_, err := a.undo(t, 3)
		require.ErrorIs(t, err, lifecycle.ErrNoUndo)
		_, err = a.undo(t, seq)
		require.NoError(t, err)
		assert.EqualValues(t, 4, d.get("seats"))
		require.NoError(t, a.stop())
	})

	bubble(t, "OneThatIsRefusedStillEndsByItself", func(t *testing.T) {
		d, a := startedDesk(t)
		seq := a.seats(t, 8, time.Minute)
		d.refuses(errors.New("no room"))
		_, err := a.undo(t, seq)
		require.Error(t, err)
		d.refuses(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.EqualValues(t, 4, d.get("seats"))
		require.NoError(t, a.stop())
	})

	bubble(t, "OfSeveralAtOnceOneWins", func(t *testing.T) {
		d, a := startedDesk(t)
		seq := a.seats(t, 8, 0)
		said := make(chan error)
		for range 10 {
			go func() { _, err := a.Rollback(t.Context(), seq, "bob", "", false); said <- err }()
		}
		won := 0
		for range 10 {
			if err := <-said; err == nil {
				won++
			} else {
				require.ErrorIs(t, err, lifecycle.ErrStale)
			}
		}
		assert.Equal(t, 1, won)
		assert.EqualValues(t, 4, d.get("seats"))
		require.NoError(t, a.stop())
	})
}
