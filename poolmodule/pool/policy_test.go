package pool_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// full returns a pool of one worker that is busy and a queue of two that is
// full, the log of what ran, and what frees the worker.
func full(t *testing.T, policy pool.Policy, opts ...pool.Option) (p *pool.Pool, log *log, release func()) {
	p = newPool(t, pool.Config{Workers: 1, Queue: 2, Policy: policy}, opts...)
	log = newLog()
	task, running, release := block()
	require.NoError(t, p.Submit(t.Context(), task))
	<-running
	require.NoError(t, p.Submit(t.Context(), log.task("a")))
	require.NoError(t, p.Submit(t.Context(), log.task("b")))
	return p, log, release
}

// log remembers what ran, in order.
type log struct {
	mu    sync.Mutex
	names []string
}

func newLog() *log { return &log{} }

func (l *log) add(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
}

func (l *log) task(name string) func(context.Context) { return func(context.Context) { l.add(name) } }

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.names...)
}

func TestPolicy(t *testing.T) {
	t.Parallel()

	t.Run("AbortRefuses", func(t *testing.T) {
		t.Parallel()
		p, log, release := full(t, pool.Abort)
		err := p.Submit(t.Context(), log.task("c"))
		require.ErrorIs(t, err, pool.ErrFull)
		assert.ErrorContains(t, err, "pool test: full")
		release()
		require.NoError(t, p.Drain(t.Context()))
		assert.Equal(t, []string{"a", "b"}, log.all())
		assert.EqualValues(t, 1, p.Gate().Ledger().Rejected)
	})

	t.Run("CallerRunsAtOnceAndIsCounted", func(t *testing.T) {
		t.Parallel()
		p, log, release := full(t, pool.CallerRuns)
		require.NoError(t, p.Submit(t.Context(), log.task("c")))
		assert.Equal(t, []string{"c"}, log.all())
		require.NoError(t, p.Submit(t.Context(), func(context.Context) { panic("in the caller") }))
		ledger := p.Gate().Ledger()
		assert.EqualValues(t, 1, ledger.Done)
		assert.EqualValues(t, 1, ledger.Failed)
		assert.EqualValues(t, 3, ledger.Inside)
		release()
	})

	t.Run("DiscardNewestDropsTheNewcomer", func(t *testing.T) {
		t.Parallel()
		var dropped []pool.Discard
		p, log, release := full(t, pool.DiscardNewest, pool.WithDiscardHandler(func(d pool.Discard) { dropped = append(dropped, d) }))
		require.NoError(t, p.Submit(t.Context(), log.task("c")))
		release()
		require.NoError(t, p.Drain(t.Context()))
		assert.Equal(t, []string{"a", "b"}, log.all())
		assert.Equal(t, []pool.Discard{{Pool: "test"}}, dropped)
		assert.EqualValues(t, 1, p.Gate().Ledger().Dropped)
	})

	t.Run("DiscardOldestDropsWhatWaitedLongest", func(t *testing.T) {
		t.Parallel()
		p, log, release := full(t, pool.DiscardOldest)
		require.NoError(t, p.Submit(t.Context(), log.task("c")))
		release()
		require.NoError(t, p.Drain(t.Context()))
		assert.Equal(t, []string{"b", "c"}, log.all())
	})

	t.Run("DiscardOldestLooksAtLinesBehindKeysFirst", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2, Queue: 2, Policy: pool.DiscardOldest})
		log := newLog()
		holder, running, release := block()
		require.NoError(t, p.SubmitKey(t.Context(), "k", holder))
		<-running
		require.NoError(t, p.SubmitKey(t.Context(), "k", log.task("in line")))
		other, running, releaseOther := block()
		require.NoError(t, p.Submit(t.Context(), other))
		<-running // the second worker met the line before it came here
		require.NoError(t, p.Submit(t.Context(), log.task("a")))
		require.NoError(t, p.Submit(t.Context(), log.task("b")))
		release()
		releaseOther()
		require.NoError(t, p.Drain(t.Context()))
		assert.ElementsMatch(t, []string{"a", "b"}, log.all())
		assert.EqualValues(t, 1, p.Gate().Ledger().Dropped)
	})

	t.Run("BlockedSubmittersGetInInTheirOrder", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, log, release := full(t, pool.Block)
			var wg sync.WaitGroup
			for _, name := range []string{"c", "d", "e", "f"} {
				wg.Go(func() { assert.NoError(t, p.Submit(t.Context(), log.task(name))) })
				synctest.Wait()
			}
			assert.Equal(t, 4, p.Stats().Submitters)
			require.ErrorIs(t, p.TrySubmit(t.Context(), log.task("x")), pool.ErrFull, "nobody overtakes")
			release()
			wg.Wait()
			require.NoError(t, p.Drain(t.Context()))
			assert.Equal(t, []string{"a", "b", "c", "d", "e", "f"}, log.all())
		})
	})

	t.Run("BlockedSubmitterOfALongQueueDoesNotWaitForSlowTasks", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 512})
			for range 513 {
				require.NoError(t, p.Submit(t.Context(), func(context.Context) { time.Sleep(time.Second) }))
			}
			began := time.Now()
			require.NoError(t, p.Submit(t.Context(), nothing))
			assert.LessOrEqual(t, time.Since(began), 66*time.Second, "half a queue takes four minutes, a batch one")
			require.NoError(t, p.Drain(t.Context()))
		})
	})

	t.Run("TaskThatSubmitsIsNotHeldUpByRoomThatItsOwnBatchHasSetFree", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t, pool.Config{Workers: 1, Queue: 64})
			first, running, release := block()
			require.NoError(t, p.Submit(t.Context(), first))
			<-running
			for i := range 64 {
				require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
					if i == 7 { // the last of a batch
						ctx, cancel := context.WithTimeout(ctx, time.Minute)
						defer cancel()
						assert.NoError(t, p.Submit(ctx, nothing))
					}
				}))
			}
			for range 2 {
				go func() { assert.NoError(t, p.Submit(t.Context(), nothing)) }()
			}
			synctest.Wait()
			require.Equal(t, 2, p.Stats().Submitters)

			release()
			synctest.Wait()
			assert.Zero(t, p.Stats().Submitters)
			assert.EqualValues(t, 68, p.Gate().Ledger().Done)
		})
	})
	t.Run("BlockedSubmitterLeavesWhenItsContextEnds", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, log, release := full(t, pool.Block)
			ctx, cancel := context.WithCancel(t.Context())
			result := make(chan error)
			go func() { result <- p.Submit(ctx, log.task("c")) }()
			synctest.Wait()
			cancel()
			require.ErrorIs(t, <-result, context.Canceled)
			release()
			require.NoError(t, p.Drain(t.Context()))
			assert.Equal(t, []string{"a", "b"}, log.all())
		})
	})

	t.Run("DrainSendsBlockedRootSubmittersHomeAndLetsLineageWait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p, log, release := full(t, pool.Block)
			request, mark := intake.Mark(t.Context())
			defer mark.End()
			root, inside := make(chan error, 1), make(chan error, 1)
			go func() { root <- p.Submit(t.Context(), log.task("root")) }()
			go func() { inside <- p.Submit(request, log.task("inside")) }()
			synctest.Wait()
			p.Gate().Drain()
			require.ErrorIs(t, <-root, pool.ErrDraining)
			release()
			require.NoError(t, <-inside)
			require.NoError(t, p.Drain(t.Context()))
			assert.Equal(t, []string{"a", "b", "inside"}, log.all())
		})
	})

	t.Run("NoQueueHandsOverToFreeWorkersOnly", func(t *testing.T) {
		t.Parallel()
		p := newPool(t, pool.Config{Workers: 2, Queue: pool.NoQueue, Policy: pool.Abort})
		first, _, releaseFirst := block()
		second, _, releaseSecond := block()
		require.NoError(t, p.Submit(t.Context(), first))
		require.NoError(t, p.Submit(t.Context(), second))
		require.ErrorIs(t, p.Submit(t.Context(), nothing), pool.ErrFull)
		releaseFirst()
		releaseSecond()
	})

	t.Run("NamesAreReadFromYAML", func(t *testing.T) {
		t.Parallel()
		var cfg pool.Config
		require.NoError(t, yaml.Unmarshal([]byte("{workers: 3, policy: discard_oldest}"), &cfg))
		assert.Equal(t, pool.Config{Workers: 3, Policy: pool.DiscardOldest}, cfg)
		require.ErrorContains(t, yaml.Unmarshal([]byte("policy: drop"), &cfg), "use one of block, abort, caller_runs")
		out, err := yaml.Marshal(map[string]pool.Policy{"policy": pool.CallerRuns})
		require.NoError(t, err)
		assert.Equal(t, "policy: caller_runs\n", string(out))
	})
}

func TestHookThatPanicsOfAVictim(t *testing.T) {
	t.Parallel()
	var told []*pool.PanicError
	p, err := pool.New("small", pool.Config{Workers: 1, Queue: 1, Policy: pool.DiscardOldest},
		pool.WithPanicHandler(func(e *pool.PanicError) { told = append(told, e) }),
		pool.WithDiscardHandler(func(pool.Discard) { panic("discard handler") }))
	require.NoError(t, err)
	lane, err := pool.NewLane(p, "lane", func(context.Context, int) error { return nil }, pool.LaneConfig{},
		pool.WithResult(func(context.Context, pool.Result[int]) { panic("result hook") }))
	require.NoError(t, err)

	require.NoError(t, lane.Submit(t.Context(), 1))
	require.NotPanics(t, func() { err = lane.Submit(t.Context(), 2) }, "2 is not to blame for 1")
	require.NoError(t, err)
	require.Len(t, told, 2)
	assert.Equal(t, "result hook", told[0].Value)
	assert.Equal(t, "discard handler", told[1].Value)
	assert.NotEmpty(t, told[1].Stack)

	_, err = p.Stop(context.Background())
	require.NoError(t, err)
	require.Error(t, lane.Save(t.Context()), "there is no saver")
	ledger := lane.Gate().Ledger()
	assert.EqualValues(t, 1, ledger.Dropped)
	assert.True(t, ledger.Balanced(), "%s", ledger)
}
