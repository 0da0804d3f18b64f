package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := pool.New("sms", pool.Config{Workers: -1, MinWorkers: -1, Queue: -2, Policy: 9, IdleTimeout: -1, StopBudget: -1})
	for _, field := range []string{"pool sms", "workers:", "min_workers:", "queue:", "policy:", "idle_timeout:", "stop_budget:"} {
		require.ErrorContains(t, err, field)
	}
	_, err = pool.New("sms", pool.Config{Workers: 2, MinWorkers: 3})
	require.ErrorContains(t, err, "min_workers: is 3, must not exceed workers (2)")

	require.EqualError(t, pool.Config{Workers: -3}.Validate(), fmt.Sprintf("workers: is -3, must be from 1 to %d, or 0 for the number of CPUs", 1<<20),
		"nothing is said of min_workers, which is right")

	p, err := pool.New("sms", pool.Config{})
	require.NoError(t, err)
	assert.Equal(t, pool.Limits{Workers: runtime.GOMAXPROCS(0), Queue: 1024}, p.Limits())
}

func TestPool(t *testing.T) {
	t.Parallel()

	t.Run("RunsWhatWasSubmittedBeforeStart", func(t *testing.T) {
		t.Parallel()
		p, err := pool.New("early", pool.Config{Workers: 1, Queue: 2, Policy: pool.Abort})
		require.NoError(t, err)
		log := newLog()
		require.NoError(t, p.Submit(t.Context(), log.task("a")))
		require.NoError(t, p.Submit(t.Context(), log.task("b")))
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrFull, "the queue bounds it")
		require.NoError(t, p.Start(t.Context()))
		_, err = p.Stop(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, log.all())
		require.ErrorIs(t, p.Start(t.Context()), pool.ErrClosed)
		require.ErrorIs(t, p.Resize(pool.Limits{Workers: 2}), pool.ErrClosed)
	})

	t.Run("KeepsOrderWithOneWorker", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1, Queue: 5000})
		var got []int
		for i := range 5000 {
			require.NoError(t, p.Submit(t.Context(), func(context.Context) { got = append(got, i) }))
		}
		require.NoError(t, p.Drain(t.Context()))
		for i, n := range got {
			require.Equal(t, i, n)
		}
		assert.Len(t, got, 5000)
	})

	t.Run("SubmitBatchAcceptsAPrefix", func(t *testing.T) {
		t.Parallel()
		p, log, release := full(t, pool.Abort)
		require.NoError(t, p.Resize(pool.Limits{Queue: 4}))
		n, err := p.SubmitBatch(t.Context(), []func(context.Context){log.task("c"), log.task("d"), log.task("e")})
		require.ErrorIs(t, err, pool.ErrFull)
		assert.Equal(t, 2, n)
		release()
		require.NoError(t, p.Drain(t.Context()))
		assert.Equal(t, []string{"a", "b", "c", "d"}, log.all())
	})

	t.Run("SubmitBatchWaitsForRoom", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2, Queue: 3})
		var ran atomic.Int64
		tasks := make([]func(context.Context), 100)
		for i := range tasks {
			tasks[i] = func(context.Context) { ran.Add(1) }
		}
		n, err := p.SubmitBatch(t.Context(), tasks)
		require.NoError(t, err)
		assert.Equal(t, 100, n)
		require.NoError(t, p.Drain(t.Context()))
		assert.EqualValues(t, 100, ran.Load())
	})

	t.Run("NilTaskIsAnErrorAndNotCounted", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{})
		require.Error(t, p.Submit(t.Context(), nil))
		require.Error(t, p.TrySubmit(t.Context(), nil))
		require.Error(t, p.SubmitKey(t.Context(), "k", nil))
		_, err := p.SubmitBatch(t.Context(), []func(context.Context){nil})
		require.Error(t, err)
		assert.Zero(t, p.Gate().Ledger().Offered)
	})

	t.Run("PanicAndGoexitFailTheTaskAndSpareTheWorker", func(t *testing.T) {
		t.Parallel()
		panics := make(chan *pool.PanicError, 2)
		p := newPool(t, pool.Config{Workers: 1}, pool.WithPanicHandler(func(e *pool.PanicError) {
			panics <- e
			panic("the handler itself")
		}))
		cause := errors.New("boom")
		require.NoError(t, p.Submit(t.Context(), func(context.Context) { panic(cause) }))
		require.NoError(t, p.Submit(t.Context(), func(context.Context) { runtime.Goexit() }))
		require.NoError(t, p.Submit(t.Context(), nothing))
		require.NoError(t, p.Drain(t.Context()))

		boom := <-panics
		require.ErrorIs(t, boom, cause)
		assert.Contains(t, boom.Stack, "pool_test.go", "the stack shows where")
		assert.ErrorContains(t, <-panics, "Goexit")
		ledger := p.Gate().Ledger()
		assert.EqualValues(t, 2, ledger.Failed)
		assert.EqualValues(t, 1, ledger.Done)
		assert.Equal(t, 1, p.Stats().Workers)
	})

	t.Run("SlowTaskDoesNotHideTheRestOfItsBatch", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2, Queue: 4096})
		holdA, runningA, releaseA := block()
		holdB, runningB, releaseB := block()
		require.NoError(t, p.Submit(t.Context(), holdA))
		require.NoError(t, p.Submit(t.Context(), holdB))
		<-runningA
		<-runningB
		// A worker that comes back takes a batch; its first task is slow.
		slow, running, releaseSlow := block()
		var ran sync.WaitGroup
		ran.Add(300)
		require.NoError(t, p.Submit(t.Context(), slow))
		for range 300 {
			require.NoError(t, p.Submit(t.Context(), func(context.Context) { ran.Done() }))
		}
		releaseA()
		<-running
		releaseB()
		ran.Wait() // would hang if they were hidden
		assert.Eventually(t, func() bool { return p.Gate().Ledger().Inside == 1 }, time.Minute, time.Millisecond,
			"a task has ended when its worker says so")
		releaseSlow()
	})

	t.Run("IdleWorkersGoAndTheLeastStay", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 8, MinWorkers: 2, IdleTimeout: time.Minute})
			assert.Equal(t, 2, p.Stats().Workers)
			for range 8 {
				require.NoError(t, p.Submit(t.Context(), func(context.Context) { time.Sleep(time.Second) }))
			}
			synctest.Wait()
			assert.Equal(t, 8, p.Stats().Busy)
			time.Sleep(59 * time.Second)
			assert.Equal(t, 8, p.Stats().Workers)
			time.Sleep(2*time.Minute + time.Second)
			synctest.Wait()
			assert.Equal(t, 2, p.Stats().Workers)
			require.NoError(t, p.Submit(t.Context(), nothing))
			require.NoError(t, p.Drain(t.Context()))
		})
	})

	t.Run("StatsFitTogether", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, _, release := full(t, pool.Abort)
			time.Sleep(10 * time.Second)
			s := p.Stats()
			assert.Equal(t, 1, s.Workers)
			assert.Equal(t, 1, s.Busy)
			assert.Equal(t, 2, s.Queued)
			assert.Equal(t, 2, s.Capacity)
			assert.EqualValues(t, 3, s.Ledger.Inside)
			assert.Positive(t, s.Wait.Count)
			time.Sleep(5 * time.Second)
			assert.GreaterOrEqual(t, p.Stats().OldestWait, 5*time.Second, "the clock starts at the first look at the latest")
			assert.LessOrEqual(t, p.Stats().OldestWait, 15*time.Second)
			release()
			require.NoError(t, p.Drain(t.Context()))
			assert.GreaterOrEqual(t, p.Stats().Run.Quantile(1), 15*time.Second)
			assert.GreaterOrEqual(t, p.Stats().Run.Sum, 15*time.Second)
			assert.Zero(t, p.Stats().OldestWait)
		})
	})

	t.Run("ResizeKeepsWhatIsQueuedBeyondTheNewBound", func(t *testing.T) {
		t.Parallel()
		p, log, release := full(t, pool.Abort)
		require.NoError(t, p.Resize(pool.Limits{Queue: 1}))
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrFull)
		err := p.Resize(pool.Limits{Workers: -2, Queue: -7})
		require.ErrorContains(t, err, "workers:")
		require.ErrorContains(t, err, "queue:")
		assert.Equal(t, 1, p.Limits().Queue, "a wrong resize changes nothing")
		release()
		require.NoError(t, p.Drain(t.Context()))
		assert.Equal(t, []string{"a", "b"}, log.all())
	})

	t.Run("MoreWorkersTakeUpTheBacklogAtOnce", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 100})
			for range 10 {
				require.NoError(t, p.Submit(t.Context(), func(context.Context) { time.Sleep(time.Hour) }))
			}
			synctest.Wait()
			assert.Equal(t, 1, p.Stats().Busy)
			require.NoError(t, p.Resize(pool.Limits{Workers: 10}))
			synctest.Wait()
			assert.Equal(t, 10, p.Stats().Busy)
			require.NoError(t, p.Resize(pool.Limits{Workers: 3}))
			require.NoError(t, p.Drain(t.Context()))
			synctest.Wait()
			assert.Equal(t, 3, p.Stats().Workers)
		})
	})
}

func TestKey(t *testing.T) {
	t.Parallel()

	t.Run("TasksOfOneKeyRunOneAfterAnotherInOrder", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 8, Queue: 64})
		const keys, each = 5, 300
		var running [keys]atomic.Int32
		var got [keys][]int // guarded by the promise under test
		for i := range each {
			for k := range keys {
				require.NoError(t, p.SubmitKey(t.Context(), fmt.Sprint(k), func(context.Context) {
					assert.EqualValues(t, 1, running[k].Add(1))
					got[k] = append(got[k], i)
					runtime.Gosched()
					running[k].Add(-1)
				}))
			}
		}
		require.NoError(t, p.Drain(t.Context()))
		for k := range keys {
			require.Len(t, got[k], each)
			assert.IsIncreasing(t, got[k])
		}
	})

	t.Run("BusyKeyHoldsNoWorker", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2, Queue: 64})
		hold, running, release := block()
		require.NoError(t, p.SubmitKey(t.Context(), "k", hold))
		<-running
		for range 10 {
			require.NoError(t, p.SubmitKey(t.Context(), "k", nothing))
		}
		other := make(chan struct{})
		require.NoError(t, p.SubmitKey(t.Context(), "other", func(context.Context) { close(other) }))
		<-other
		assert.Equal(t, 10, p.Stats().Queued)
		release()
	})

	t.Run("PanicFreesTheKey", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2})
		require.NoError(t, p.SubmitKey(t.Context(), "k", func(context.Context) { panic("x") }))
		ran := make(chan struct{})
		require.NoError(t, p.SubmitKey(t.Context(), "k", func(context.Context) { close(ran) }))
		<-ran
	})
}

func TestFuture(t *testing.T) {
	t.Parallel()
	p := newPool(t, pool.Config{Workers: 1})

	f, err := pool.Go(t.Context(), p, func(context.Context) (int, error) { return 42, nil })
	require.NoError(t, err)
	n, err := f.Wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 42, n)

	f, err = pool.Go(t.Context(), p, func(context.Context) (int, error) { panic("no number") })
	require.NoError(t, err)
	_, err = f.Wait(t.Context())
	var perr *pool.PanicError
	require.ErrorAs(t, err, &perr)
	assert.Equal(t, "no number", perr.Value)

	hold, running, release := block()
	require.NoError(t, p.Submit(t.Context(), hold))
	<-running
	f, err = pool.Go(t.Context(), p, func(context.Context) (int, error) { return 0, errors.New("not today") })
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Wait(ended)
	require.ErrorIs(t, err, context.Canceled)
	release()
	_, err = f.Wait(t.Context())
	require.EqualError(t, err, "not today")
	require.NoError(t, p.Drain(t.Context()))
	assert.EqualValues(t, 2, p.Gate().Ledger().Failed)
}

// TestFutureIsToldOnce has a result come while several begin to wait for it.
func TestFutureIsToldOnce(t *testing.T) {
	t.Parallel()
	p := newPool(t, pool.Config{Workers: 4})
	var waiting sync.WaitGroup
	for i := range 2000 {
		f, err := pool.Go(t.Context(), p, func(context.Context) (int, error) { return i, nil })
		require.NoError(t, err)
		for range 3 {
			waiting.Go(func() {
				<-f.Done()
				n, err := f.Wait(context.Background())
				assert.NoError(t, err)
				assert.Equal(t, i, n)
			})
		}
	}
	waiting.Wait()
}

func TestLineage(t *testing.T) {
	t.Parallel()

	t.Run("TaskMaySubmitWhileThePoolDrains", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 1})
		log := newLog()
		hold, drained := make(chan struct{}), make(chan error)
		require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
			<-hold
			assert.NoError(t, ctx.Err(), "a drain does not cancel")
			assert.NoError(t, p.Submit(ctx, func(ctx context.Context) {
				log.add("child")
				assert.NoError(t, p.Submit(ctx, log.task("grandchild")))
			}))
		}))
		p.Gate().Drain()
		go func() { drained <- p.Drain(context.Background()) }()
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrDraining)
		close(hold)
		require.NoError(t, <-drained)
		assert.Equal(t, []string{"child", "grandchild"}, log.all())
	})

	t.Run("RightEndsWithTheTaskOnceADrainHasBegun", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 2})
			other := intake.New("batcher")
			var before, after context.Context
			require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) { before = ctx }))
			synctest.Wait()
			hold, running, release := block()
			require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
				hold(ctx)
				assert.NoError(t, p.Submit(ctx, func(ctx context.Context) { after = ctx }))
			}))
			<-running
			p.Gate().Drain()
			other.Drain()
			release()
			require.NoError(t, p.Drain(t.Context()))
			require.ErrorIs(t, p.Submit(before, nothing), pool.ErrDraining)
			require.ErrorIs(t, other.Admit(before), intake.ErrDraining)
			require.ErrorIs(t, other.Admit(after), intake.ErrDraining)
		})
	})

	t.Run("RightOfAnItemEndsWhereItsLaneDrainsAlone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 2})
			var kept context.Context
			keep := func(ctx context.Context, _ int) error {
				kept = ctx
				return nil
			}
			hold, running, release := block()
			for _, isParked := range []bool{true, false} {
				l, err := pool.NewLane(p, fmt.Sprint(isParked), keep, pool.LaneConfig{})
				require.NoError(t, err)
				require.NoError(t, l.Submit(t.Context(), 1))
				synctest.Wait()
				if !isParked {
					require.NoError(t, p.Submit(t.Context(), hold)) // to who was the last to park
					<-running
				}
				require.NoError(t, l.Drain(t.Context()))
				if !isParked {
					release()
					synctest.Wait()
				}
				require.ErrorIs(t, l.Submit(kept, 2), pool.ErrDraining)
			}
		})
	})
}

// TestNilContext is about a slip that used to show only when the pool is full or
// drains, and then left it locked, or a stranger in the line.
func TestNilContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var none context.Context
		p := newPool(t, pool.Config{Workers: 1, Queue: 1})
		hold, running, release := block()
		require.NoError(t, p.Submit(t.Context(), hold))
		<-running
		require.NoError(t, p.Submit(t.Context(), nothing))
		require.ErrorContains(t, p.Submit(none, nothing), "the context is nil")
		p.Gate().Drain()
		require.ErrorContains(t, p.TrySubmit(none, nothing), "the context is nil")
		assert.Zero(t, p.Stats().Submitters)
		release()
	})
}
