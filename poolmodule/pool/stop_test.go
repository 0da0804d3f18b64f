package pool_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestStop(t *testing.T) {
	t.Parallel()

	t.Run("AtTheDeadlineEveryOneOf200TasksIsAccountedFor", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 4, Queue: 200})
			var ran [200]atomic.Int32
			for i := range ran {
				require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
					ran[i].Add(1)
					select {
					case <-time.After(100 * time.Millisecond):
					case <-ctx.Done():
						assert.ErrorIs(t, context.Cause(ctx), pool.ErrStopped)
					}
				}))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
			defer cancel()
			tasks, err := p.Stop(ctx)
			require.NoError(t, err)
			ledger := p.Gate().Ledger()
			assert.EqualValues(t, 44, ledger.Done, "ten rounds of four, and four that were cut")
			assert.Len(t, tasks, 156)
			assert.EqualValues(t, 156, ledger.Inside)
			assert.True(t, ledger.Balanced())

			for _, task := range tasks[:100] {
				require.NoError(t, task.Run(t.Context()))
				require.ErrorIs(t, task.Run(t.Context()), pool.ErrSettled)
			}
			for _, task := range tasks[100:] {
				task.Save()
				task.Lose()
			}
			for i := range ran {
				want := 1
				if i >= 144 {
					want = 0 // in order: the last ones are those that were saved
				}
				assert.EqualValues(t, want, ran[i].Load(), "task %d", i)
			}
			ledger = p.Gate().Ledger()
			assert.EqualValues(t, 144, ledger.Done)
			assert.EqualValues(t, 56, ledger.Saved)
			assert.Zero(t, ledger.Inside)
		})
	})

	t.Run("HandsBackInOrderAcrossBatchesQueueAndKeys", func(t *testing.T) {
		t.Parallel()
		p, err := pool.New("order", pool.Config{Workers: 1, Queue: 1024})
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context()))
		log := newLog()
		hold, running, release := block()
		require.NoError(t, p.SubmitKey(t.Context(), "a", hold))
		<-running
		require.NoError(t, p.SubmitKey(t.Context(), "a", log.task("a1")))
		slow, runningSlow, releaseSlow := block()
		require.NoError(t, p.Submit(t.Context(), slow))
		for _, name := range []string{"p1", "p2", "p3"} {
			require.NoError(t, p.Submit(t.Context(), log.task(name)))
		}
		require.NoError(t, p.SubmitKey(t.Context(), "b", log.task("b1")))
		require.NoError(t, p.Submit(t.Context(), log.task("p4")))
		release()
		<-runningSlow // a1 has run, p1.. may be in the worker's batch

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tasks, err := p.Stop(ended)
		require.ErrorContains(t, err, "1 tasks still run")
		require.Len(t, tasks, 5)
		assert.Equal(t, "b", tasks[3].Key())
		for _, task := range tasks {
			require.NoError(t, task.Run(t.Context()))
		}
		assert.Equal(t, []string{"a1", "p1", "p2", "p3", "b1", "p4"}, log.all())

		releaseSlow()
		again, err := p.Stop(context.Background())
		assert.Len(t, again, 5)
		require.Error(t, err, "the same result")
		for p.Gate().Ledger().Inside > 0 {
			runtime.Gosched() // the one that did not heed its context is counted when it ends
		}
		assert.EqualValues(t, 8, p.Gate().Ledger().Done)
	})

	t.Run("NeverStartedHandsEverythingBackAtOnce", func(t *testing.T) {
		t.Parallel()
		p, err := pool.New("never", pool.Config{})
		require.NoError(t, err)
		require.NoError(t, p.Submit(t.Context(), nothing))
		f, err := pool.Go(t.Context(), p, func(context.Context) (int, error) { return 1, nil })
		require.NoError(t, err)
		tasks, err := p.Stop(context.Background())
		require.NoError(t, err)
		require.Len(t, tasks, 2)
		tasks[0].Save()
		tasks[1].Lose()
		_, err = f.Wait(t.Context())
		require.ErrorIs(t, err, pool.ErrStopped)
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrClosed)
	})

	t.Run("LaterCallWithoutTimeCutsTheFirstShort", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1})
			require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
			require.NoError(t, p.Submit(t.Context(), nothing))
			first := make(chan int)
			go func() {
				tasks, _ := p.Stop(context.Background())
				first <- len(tasks)
			}()
			synctest.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			tasks, err := p.Stop(ended)
			require.NoError(t, err)
			assert.Len(t, tasks, 1)
			assert.Equal(t, 1, <-first)
		})
	})

	t.Run("BudgetAndGraceBoundIt", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, err := pool.New("stuck", pool.Config{StopBudget: 2 * time.Second})
			require.NoError(t, err)
			require.NoError(t, p.Start(t.Context()))
			hold, running, release := block()
			require.NoError(t, p.Submit(t.Context(), hold))
			<-running
			began := time.Now()
			_, err = p.Stop(context.Background())
			require.ErrorIs(t, err, pool.ErrStopped)
			assert.Equal(t, 2100*time.Millisecond, time.Since(began))
			assert.EqualValues(t, 1, p.Gate().Ledger().Inside)
			release()
			synctest.Wait()
			assert.EqualValues(t, 1, p.Gate().Ledger().Done)
		})
	})

	t.Run("OneGraceForALaneAndThePool", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, err := pool.New("stuck", pool.Config{})
			require.NoError(t, err)
			hold, running, release := block()
			l, err := pool.NewLane(p, "stuck", func(ctx context.Context, _ int) error {
				hold(ctx)
				return nil
			}, pool.LaneConfig{})
			require.NoError(t, err)
			require.NoError(t, p.Start(t.Context()))
			require.NoError(t, l.Submit(t.Context(), 1))
			<-running
			began := time.Now()
			_, err = p.Stop(ended())
			require.ErrorIs(t, err, pool.ErrStopped)
			assert.Equal(t, 100*time.Millisecond, time.Since(began))
			release()
			synctest.Wait()
		})
	})

	t.Run("BlockedSubmitterIsSentHome", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, err := pool.New("full", pool.Config{Queue: 1})
			require.NoError(t, err)
			require.NoError(t, p.Submit(t.Context(), nothing))
			refused := make(chan error)
			go func() { refused <- p.Submit(context.Background(), nothing) }()
			synctest.Wait()
			tasks, err := p.Stop(t.Context())
			require.NoError(t, err)
			assert.Len(t, tasks, 1)
			err = <-refused
			assert.True(t, errorIsAny(err, pool.ErrClosed, pool.ErrDraining), "%v", err)
		})
	})
}

// TestStartStopStress starts, feeds and stops pools from many goroutines.
func TestStartStopStress(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for i := range 50 {
				p, err := pool.New("stress", pool.Config{Workers: 3, MinWorkers: i % 3, Queue: 8})
				assert.NoError(t, err)
				var users sync.WaitGroup
				for range 3 {
					users.Go(func() {
						_ = p.Start(context.Background())
						for p.Submit(context.Background(), nothing) == nil && i%2 == 0 {
						}
					})
				}
				for range 2 {
					users.Go(func() {
						ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*10*time.Microsecond)
						defer cancel()
						tasks, err := p.Stop(ctx)
						if err != nil { // a worker that got no processor for all of the grace
							assert.ErrorIs(t, err, pool.ErrStopped)
						}
						for _, task := range tasks {
							task.Lose()
						}
					})
				}
				users.Wait()
				assert.Eventually(t, func() bool { return p.Gate().Ledger().Inside == 0 }, time.Minute, time.Millisecond)
				ledger := p.Gate().Ledger()
				assert.True(t, ledger.Balanced(), "%s", ledger)
			}
		})
	}
	wg.Wait()
}

func TestStopBesideResize(t *testing.T) {
	t.Parallel()
	p, err := pool.New("resized", pool.Config{Workers: 1})
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		close(begun)
		for p.Resize(pool.Limits{Workers: 2}) == nil {
			runtime.Gosched()
		}
	}()
	<-begun
	_, err = p.Stop(context.Background())
	require.NoError(t, err)
	<-ended
}

func TestStopWhileACallerRunsATask(t *testing.T) {
	// full returns a pool whose only worker holds a task that ends when it is
	// cut, so that the next task runs on its submitter's goroutine.
	full := func(t *testing.T) *pool.Pool {
		p, err := pool.New("full", pool.Config{Workers: 1, Queue: pool.NoQueue, Policy: pool.CallerRuns})
		require.NoError(t, err)
		require.NoError(t, p.Start(t.Context()))
		require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
		synctest.Wait()
		return p
	}

	t.Run("OneThatHeedsItsContextHasItsGrace", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := full(t)
			go func() {
				_ = p.Submit(t.Context(), func(ctx context.Context) {
					<-ctx.Done()
					time.Sleep(20 * time.Millisecond)
				})
			}()
			synctest.Wait()
			assert.Equal(t, 2, p.Stats().Busy)

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := p.Stop(ctx)
			require.NoError(t, err)
			ledger := p.Gate().Ledger()
			assert.Zero(t, ledger.Inside)
			assert.EqualValues(t, 2, ledger.Done)
		})
	})

	t.Run("OneThatDoesNotHeedItIsToldOf", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := full(t)
			task, running, release := block()
			go func() { _ = p.Submit(t.Context(), task) }()
			<-running
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			_, err := p.Stop(ctx)
			require.ErrorIs(t, err, pool.ErrStopped)
			require.ErrorContains(t, err, "1 tasks still run")
			assert.Equal(t, time.Second+100*time.Millisecond, time.Since(began))
			assert.EqualValues(t, 1, p.Gate().Ledger().Inside)
			release()
			synctest.Wait()
			assert.Zero(t, p.Gate().Ledger().Inside)
		})
	})
}
