package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestSurplusWorkersEndNoMoreThanTheirTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := pool.New("surplus", pool.Config{Workers: 4, Queue: 4096})
		require.NoError(t, err)
		log := newLog() // of what runs once there is a single worker
		var running atomic.Int32
		var isSingle atomic.Bool
		for i := range 1000 {
			require.NoError(t, p.Submit(t.Context(), func(context.Context) {
				running.Add(1)
				if isSingle.Load() {
					log.add(strconv.Itoa(i))
				}
				time.Sleep(time.Second)
				running.Add(-1)
			}))
		}
		require.NoError(t, p.Start(t.Context()))
		synctest.Wait()
		require.EqualValues(t, 4, running.Load())

		require.NoError(t, p.Resize(pool.Limits{Workers: 1}))
		assert.Equal(t, 996, p.Stats().Queued)
		isSingle.Store(true)
		time.Sleep(10*time.Second + time.Millisecond)
		assert.EqualValues(t, 1, running.Load())
		assert.Equal(t, 1, p.Stats().Workers)
		assert.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, log.all(), "the first worker had the first batch")
		require.NoError(t, p.Drain(t.Context()))
		_, err = p.Stop(t.Context())
		require.NoError(t, err)
	})
}

// TestResizeStorm is the test that finds the races of a pool: workers and
// queue change in both directions while many submit, and every task must run
// exactly once.
func TestResizeStorm(t *testing.T) {
	t.Parallel()
	for _, policy := range []pool.Policy{pool.Block, pool.Abort, pool.CallerRuns} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			const submitters, each = 32, 400
			p := newPool(t, pool.Config{Workers: 4, Queue: 64, Policy: policy})

			var ran [submitters][each]atomic.Int32
			var submitting, resizing sync.WaitGroup
			for s := range submitters {
				submitting.Go(func() {
					for i := range each {
						task := func(context.Context) {
							ran[s][i].Add(1)
							if i%50 == 0 {
								runtime.Gosched()
							}
						}
						err := p.Submit(t.Context(), task)
						for errors.Is(err, pool.ErrFull) {
							runtime.Gosched()
							err = p.Submit(t.Context(), task)
						}
						assert.NoError(t, err)
					}
				})
			}
			over := make(chan struct{})
			for range 2 {
				resizing.Go(func() {
					for {
						select {
						case <-over:
							return
						default:
						}
						workers := 1 + rand.IntN(16)
						queue := []int{pool.NoQueue, 1, 7, 64, 2048}[rand.IntN(5)]
						assert.NoError(t, p.Resize(pool.Limits{Workers: workers, MinWorkers: rand.IntN(workers+1) - 1, Queue: queue}))
						assert.True(t, p.Gate().Ledger().Balanced())
						runtime.Gosched()
					}
				})
			}
			submitting.Wait()
			close(over)
			resizing.Wait()
			require.NoError(t, p.Drain(t.Context()))

			for s := range ran {
				for i := range ran[s] {
					require.EqualValues(t, 1, ran[s][i].Load(), "task %d of submitter %d", i, s)
				}
			}
			ledger := p.Gate().Ledger()
			assert.EqualValues(t, submitters*each, ledger.Done)
			assert.True(t, ledger.Balanced(), "%s", ledger)
		})
	}
}
