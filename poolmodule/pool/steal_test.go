package pool

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLateThief has the owner of a batch take the last of it between a thief's
// look and its grip. The thief must not go away: another batch holds work, and
// a worker that parks then is a lost wake-up.
func TestLateThief(t *testing.T) {
	t.Parallel()
	p, err := New("test", Config{Workers: 2})
	require.NoError(t, err)
	p.lock()
	defer p.unlock()
	workers := p.spawnLocked(2)
	p.reaper.Stop()
	for i, w := range workers {
		w.batch = []entry{{work: plain(func(context.Context) {})}}
		p.beginBatchLocked(w, 1, uint64(i))
	}

	stolen, pos := p.robOldestLocked(anywhere, func(left int) int {
		workers[0].claim()
		return left
	})
	require.Len(t, stolen, 1)
	require.EqualValues(t, 1, pos, "that of the second")
	require.Zero(t, workers[0].left()+workers[1].left())
}

// TestSlowTaskHoldsUpNobody has one that does not end, and so much work that
// the queue is never empty. What came right behind it must not wait for either.
func TestSlowTaskHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, err := New("test", Config{Workers: 2})
		require.NoError(t, err)
		const behind = 100
		var done atomic.Int32
		work := func(context.Context) { time.Sleep(time.Millisecond) }
		require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) { <-ctx.Done() }))
		for range behind {
			require.NoError(t, p.Submit(t.Context(), func(ctx context.Context) {
				work(ctx)
				done.Add(1)
			}))
		}
		for range 900 {
			require.NoError(t, p.Submit(t.Context(), work))
		}
		require.NoError(t, p.Start(t.Context()))
		for range 5000 {
			require.NoError(t, p.Submit(t.Context(), work))
		}
		require.EqualValues(t, behind, done.Load())
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		tasks, err := p.Stop(ended)
		require.NoError(t, err)
		require.NotEmpty(t, tasks)
	})
}

// TestOldestOfBatchesAndLines has a batch that was taken before, and one taken
// after, a job that waits for its key.
func TestOldestOfBatchesAndLines(t *testing.T) {
	t.Parallel()
	p, err := New("test", Config{Workers: 2})
	require.NoError(t, err)
	p.lock()
	defer p.unlock()
	workers := p.spawnLocked(2)
	p.reaper.Stop()
	in := func(at int) work { return &job{pos: uint64(at)} }
	for i, at := range []int{1, 3} {
		workers[i].batch = []entry{{work: in(at)}}
		p.beginBatchLocked(workers[i], 1, uint64(at))
	}
	waiting := &job{pos: 2, key: "k", keyed: true}
	p.keys[waiting.id()] = &keyState{line: []*job{waiting}}
	p.keyWaitingLocked(waiting, +1)
	p.queue.base = 4
	p.enqueueLocked(entry{work: in(4)})

	for want := uint64(1); want <= 4; want++ {
		e, ok := p.takeOldestLocked()
		require.True(t, ok)
		require.Equal(t, want, e.work.(*job).pos)
	}
	_, ok := p.takeOldestLocked()
	require.False(t, ok)
}
