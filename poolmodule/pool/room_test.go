package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestRoom looks at how much the queue takes where batches, retries and those
// who wait make that less than plain.
func TestRoom(t *testing.T) {
	t.Parallel()

	// inBatch leaves one worker with a task that holds it up, and a part of the
	// full queue behind it in its batch.
	inBatch := func(t *testing.T, p *pool.Pool) (release func()) {
		t.Helper()
		first, running, goOn := block()
		require.NoError(t, p.Submit(t.Context(), first))
		<-running
		second, running, release := block()
		require.NoError(t, p.Submit(t.Context(), second))
		for p.TrySubmit(t.Context(), nothing) == nil {
		}
		require.Equal(t, p.Limits().Queue, p.Stats().Queued)
		goOn()
		<-running
		return release
	}

	t.Run("WhatIsInBatchesCountsAsQueued", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 64})
			defer inBatch(t, p)()
			require.NoError(t, p.TrySubmit(t.Context(), nothing))
			require.ErrorIs(t, p.TrySubmit(t.Context(), nothing), pool.ErrFull)
			require.Equal(t, 64, p.Stats().Queued)
		})
	})

	t.Run("NobodyOvertakesThoseWhoWait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 256})
			release := inBatch(t, p)
			for p.TrySubmit(t.Context(), nothing) == nil {
			}
			go func() { assert.NoError(t, p.Submit(t.Context(), nothing)) }()
			synctest.Wait()
			require.NoError(t, p.Resize(pool.Limits{Queue: 300})) // there is room, and not half of it
			require.Equal(t, 1, p.Stats().Submitters)
			require.ErrorIs(t, p.TrySubmit(t.Context(), nothing), pool.ErrFull)
			n, err := p.SubmitBatch(ended(), []func(context.Context){nothing, nothing})
			require.ErrorIs(t, err, context.Canceled)
			require.Zero(t, n)
			release()
			synctest.Wait()
			require.Zero(t, p.Stats().Submitters)
		})
	})

	t.Run("RobbedBatchGivesItsRoomBack", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 64})
			release := inBatch(t, p)
			require.NoError(t, p.Resize(pool.Limits{Workers: 2}))
			synctest.Wait()
			require.Zero(t, p.Stats().Queued, "the second worker has robbed the first")
			release()
			synctest.Wait()

			one, running, release1 := block()
			require.NoError(t, p.Submit(t.Context(), one))
			<-running
			defer release1()
			other, running, release2 := block()
			require.NoError(t, p.Submit(t.Context(), other))
			<-running
			defer release2()
			for range 64 {
				require.NoError(t, p.TrySubmit(t.Context(), nothing))
			}
			require.ErrorIs(t, p.TrySubmit(t.Context(), nothing), pool.ErrFull)
		})
	})

	// retrying fills n places with items that wait for their next try.
	retrying := func(t *testing.T, p *pool.Pool, name string, n int) *pool.Lane[int] {
		t.Helper()
		fails := func(context.Context, int) error { return errors.New("not yet") }
		l, err := pool.NewLane(p, name, fails, pool.LaneConfig{Retry: pool.Retry{MaxAttempts: 2, InitialDelay: time.Minute, Jitter: -1}})
		require.NoError(t, err)
		for range n {
			require.NoError(t, l.Submit(t.Context(), 0))
		}
		synctest.Wait()
		require.Equal(t, n, l.Stats().Retrying)
		return l
	}

	for name, queue := range map[string]int{
		"LaneThatLeavesLetsInWhoWaited":                      pool.NoQueue,
		"WhoIsLetInLateByALongQueueFindsAWorkerThatIsParked": 256,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPool(t, pool.Config{Workers: 1, Queue: queue})
				l := retrying(t, p, "one", 1)
				retrying(t, p, "others", max(0, queue))
				go func() { assert.NoError(t, p.Submit(t.Context(), nothing)) }()
				synctest.Wait()
				require.Equal(t, 1, p.Stats().Submitters)

				_, err := l.Stop(ended())
				require.NoError(t, err)
				time.Sleep(time.Second)
				require.EqualValues(t, 1, p.Gate().Ledger().Done)
			})
		})
	}
}
