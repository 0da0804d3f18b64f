package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
)

func TestMaxAge(t *testing.T) {
	t.Parallel()

	t.Run("WhatIsTooOldWhenItsFlushBeginsIsNotGivenToTheSink", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var r recorder
			var g gravedigger
			var flushes []batch.Flush
			b := started(t, r.sink, batch.Config{MaxAge: time.Minute, Linger: time.Hour}, g.option(),
				batch.WithFlushed[int](func(f batch.Flush) { flushes = append(flushes, f) }))
			addN(t, b, 0, 2)
			time.Sleep(time.Second)
			n, err := b.AddAll(t.Context(), []int{2, 3})
			require.NoError(t, err)
			require.Equal(t, 2, n)
			time.Sleep(time.Minute) // the second two are just not too old
			err = b.Flush(t.Context())
			require.ErrorIs(t, err, batch.ErrExpired)
			require.ErrorContains(t, err, "batch orders: flush: 2 items: expired: older than max_age")
			require.Equal(t, []int{2, 3}, r.items())
			require.Len(t, g.burials(), 2)
			require.NotEmpty(t, g.burials()[0].ID)
			require.Equal(t, journal.ReasonExpired, g.burials()[0].Reason)
			require.Zero(t, g.burials()[0].Attempts)
			require.Equal(t, 2, flushes[0].Failed)
			require.Equal(t, 1, flushes[0].Calls)

			addN(t, b, 4, 1)
			time.Sleep(2 * time.Minute)
			require.ErrorIs(t, b.Flush(t.Context()), batch.ErrExpired)
			require.Zero(t, flushes[1].Calls, "nothing was left for the sink")
			finish(t, b)
			require.Equal(t, intake.Ledger{Offered: 5, Accepted: 5, Done: 2, Failed: 3}, b.Gate().Ledger())
		})
	})

	t.Run("RetriesOfAFlushThatHasBegunGoOn", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			sink := func(context.Context, []int) error {
				if calls++; calls < 4 {
					return batch.Unavailable(errors.New("down"))
				}
				return nil
			}
			b := started(t, sink, batch.Config{MaxAge: time.Minute, MaxItems: 1, Retry: batch.Retry{InitialDelay: time.Hour}})
			addN(t, b, 0, 1)
			require.NoError(t, b.Flush(t.Context()))
			stopped(t, b)
			require.Equal(t, 4, calls)
		})
	})

	t.Run("AgeIsThatOfAllLivesAndALetterSentAgainIsNewWork", func(t *testing.T) {
		t.Parallel()
		for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(0)
				box := boxIn(t, s)
				cfg := batch.Config{MaxAge: time.Minute, FlushTimeout: time.Hour, Journal: mode}
				opts := []batch.Option[int]{batch.WithJournal[int](s), batch.WithDeadLetters[int](box)}
				b := started(t, hang, cfg, opts...)
				addN(t, b, 0, 1)
				time.Sleep(40 * time.Second) // it is with the sink
				addN(t, b, 1, 1)
				require.Len(t, stopWithin(b, 0), 2)
				require.NoError(t, b.Save(t.Context()))

				time.Sleep(40 * time.Second)
				var r recorder
				b = started(t, r.sink, cfg, opts...)
				addN(t, b, 2, 1) // when the replay has ended
				finish(t, b)
				require.Equal(t, []int{1, 2}, r.items())
				l := letters(t, box)
				require.Len(t, l, 1)
				require.Equal(t, journal.ReasonExpired, l[0].Reason)
				require.Equal(t, "0", string(l[0].Payload))

				b = started(t, r.sink, cfg, opts...)
				require.NoError(t, box.Redrive(t.Context(), l[0]))
				finish(t, b)
				require.Equal(t, []int{1, 2, 0}, r.items())
				require.Empty(t, s.inside(t, ordersJournal))
				require.NoError(t, box.Close())
			})
		}
	})
}
