package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

const (
	stormSubmitters = 16
	stormEach       = 4000 // more than any brings in before the stop
)

var stormQueues = []int{pool.NoQueue, 1, 7, 64, 300, 2048}

// TestStorm has many submitters use every way in, while workers and queue change
// and somebody keeps looking at the ledgers, until a stop with little time comes
// at a random moment. What was accepted ran or came back, exactly once.
func TestStorm(t *testing.T) {
	t.Parallel()
	rounds := 6
	if os.Getenv("LONG_TESTS") != "" {
		rounds = 150
	}
	for policy := pool.Block; policy <= pool.DiscardOldest; policy++ {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			for range rounds {
				newStorm(t, policy).run(t)
			}
		})
	}
}

type storm struct {
	pool  *pool.Pool
	lane  *pool.Lane[int]
	ended [stormSubmitters * stormEach]atomic.Int32 // how often each ran or came back
	in    [stormSubmitters * stormEach]bool         // accepted; of its submitter until it is over
	total atomic.Int64
	last  int64 // when so many are accepted the stop comes
	begin sync.Once
	stop  chan struct{} // closed when the stop is to come
	over  chan struct{}
}

func newStorm(t *testing.T, policy pool.Policy) *storm {
	t.Helper()
	s := &storm{last: rand.Int64N(20_000), stop: make(chan struct{}), over: make(chan struct{})}
	var err error
	s.pool, err = pool.New("storm", pool.Config{
		Workers: 1 + rand.IntN(6), Queue: stormQueues[rand.IntN(len(stormQueues))], Policy: policy, IdleTimeout: time.Millisecond,
	})
	require.NoError(t, err)
	s.lane, err = pool.NewLane(s.pool, "items", func(_ context.Context, id int) error {
		s.work(id)
		return nil
	}, pool.LaneConfig{}, pool.WithSave(func(_ context.Context, items []int) error {
		for _, id := range items {
			s.work(id)
		}
		return nil
	}))
	require.NoError(t, err)
	return s
}

func (s *storm) work(id int) {
	s.ended[id].Add(1)
	if id%64 == 0 {
		runtime.Gosched()
	}
}

func (s *storm) task(id int) func(context.Context) {
	return func(context.Context) { s.work(id) }
}

func (s *storm) result(id int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		s.work(id)
		return id, nil
	}
}

func (s *storm) run(t *testing.T) {
	t.Helper()
	require.NoError(t, s.pool.Start(t.Context()))
	var submitting, watching sync.WaitGroup
	for i := range stormSubmitters {
		submitting.Go(func() { s.submit(i*stormEach, (i+1)*stormEach) })
	}
	watching.Go(func() { s.resize(t) })
	watching.Go(func() { s.pause(s.pool.Gate()) })
	watching.Go(func() { s.pause(s.lane.Gate()) })
	watching.Go(func() { s.watch(t, s.pool.Gate()) })
	watching.Go(func() { s.watch(t, s.lane.Gate()) })

	<-s.stop
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(3000))*time.Microsecond)
	defer cancel()
	tasks, err := s.pool.Stop(ctx)
	if err != nil { // a busy machine leaves a task no time in all of its grace
		require.ErrorIs(t, err, pool.ErrStopped)
	}
	for s.pool.Stats().Busy > 0 {
		runtime.Gosched()
	}
	items, err := s.lane.Stop(context.Background())
	submitting.Wait()
	close(s.over)
	watching.Wait()
	s.settle(t, tasks, items, err == nil)
}

// submit brings in tasks from one to another, or until a drain refuses them.
func (s *storm) submit(from, to int) {
	ctx := context.Background()
	for id := from; id < to; {
		var err error
		accepted, offered := 0, 1
		switch rand.IntN(7) {
		case 0, 1:
			err = s.pool.Submit(ctx, s.task(id))
		case 2:
			err = s.pool.TrySubmit(ctx, s.task(id))
		case 3:
			err = s.pool.SubmitKey(ctx, fmt.Sprint(id%3), s.task(id))
		case 4:
			err = s.lane.Submit(ctx, id)
		case 5:
			_, err = pool.Go(ctx, s.pool, s.result(id))
		case 6:
			batch := make([]func(context.Context), min(1+rand.IntN(100), to-id))
			for i := range batch {
				batch[i] = s.task(id + i)
			}
			accepted, err = s.pool.SubmitBatch(ctx, batch)
			offered = len(batch)
		}
		if err == nil {
			accepted = offered
		}
		for i := range accepted {
			s.in[id+i] = true
		}
		if s.total.Add(int64(accepted)) >= s.last {
			s.begin.Do(func() { close(s.stop) })
		}
		var refused *intake.Error
		switch {
		case errors.Is(err, pool.ErrPaused) && errors.As(err, &refused):
			_ = refused.AwaitOpen(ctx) // what ends the waiting is told again
			id += accepted
			continue
		case errorIsAny(err, pool.ErrDraining, pool.ErrClosed):
			return
		}
		id += offered
	}
	s.begin.Do(func() { close(s.stop) })
}

// pause pauses a gate now and then.
func (s *storm) pause(g *intake.Gate) {
	for !s.isOver() {
		resume := g.Pause()
		if rand.IntN(4) == 0 {
			g.Pause()() // another one, that ends first
		}
		resume()
		for range rand.IntN(50) {
			runtime.Gosched()
		}
	}
}

func (s *storm) resize(t *testing.T) {
	t.Helper()
	for !s.isOver() {
		workers := 1 + rand.IntN(8)
		err := s.pool.Resize(pool.Limits{Workers: workers, MinWorkers: rand.IntN(workers+1) - 1, Queue: stormQueues[rand.IntN(len(stormQueues))]})
		if err != nil {
			assert.ErrorIs(t, err, pool.ErrClosed)
			return
		}
		runtime.Gosched()
	}
}

// watch looks whether every snapshot fits together, and none takes anything
// back.
func (s *storm) watch(t *testing.T, gate *intake.Gate) {
	t.Helper()
	var last intake.Ledger
	for !s.isOver() {
		l := gate.Ledger()
		if !assert.True(t, l.Balanced(), "%s", l) ||
			!assert.True(t, l.Offered >= last.Offered && l.Accepted >= last.Accepted && l.Finished() >= last.Finished(), "%s after %s", l, last) {
			return
		}
		last = l
		assert.True(t, s.pool.Stats().Ledger.Balanced())
		runtime.Gosched()
	}
}

func (s *storm) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// settle runs what came back, and counts. An item that was running and handed
// back all the same may be done twice.
func (s *storm) settle(t *testing.T, tasks []pool.Task, items []int, isOnce bool) {
	t.Helper()
	for _, task := range tasks {
		require.NoError(t, task.Run(context.Background()))
	}
	require.EqualValues(t, len(items), s.lane.Gate().Ledger().Inside)
	require.NoError(t, s.lane.Save(context.Background()))
	ledger := s.pool.Gate().Ledger().Plus(s.lane.Gate().Ledger())
	require.True(t, ledger.Balanced(), "%s", ledger)
	require.Zero(t, ledger.Inside, "%s", ledger)
	if !isOnce {
		return
	}
	accepted, ended := 0, 0
	for id := range s.ended {
		n := int(s.ended[id].Load())
		if n > 1 || n > 0 && !s.in[id] {
			require.Fail(t, "must not have run so often", "task %d ran %d times; accepted: %t", id, n, s.in[id])
		}
		ended += n
		if s.in[id] {
			accepted++
		}
	}
	require.EqualValues(t, ledger.Accepted, accepted)
	require.EqualValues(t, accepted-ended, ledger.Dropped)
}

// TestStormKeepsOrder has one submitter and one worker, and a queue that changes.
func TestStormKeepsOrder(t *testing.T) {
	t.Parallel()
	p := newPool(t, pool.Config{Workers: 1, Queue: 64})
	var ran []int
	over := make(chan struct{})
	var resizing sync.WaitGroup
	resizing.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				assert.NoError(t, p.Resize(pool.Limits{Queue: stormQueues[rand.IntN(len(stormQueues))]}))
				runtime.Gosched()
			}
		}
	})
	task := func(id int) func(context.Context) {
		return func(context.Context) { ran = append(ran, id) }
	}
	const all = 20_000
	for id := 0; id < all; {
		switch rand.IntN(3) {
		case 0:
			require.NoError(t, p.Submit(t.Context(), task(id)))
			id++
		case 1:
			if p.TrySubmit(t.Context(), task(id)) == nil {
				id++
			}
		case 2:
			batch := make([]func(context.Context), min(1+rand.IntN(200), all-id))
			for i := range batch {
				batch[i] = task(id + i)
			}
			n, err := p.SubmitBatch(t.Context(), batch)
			require.NoError(t, err)
			id += n
		}
	}
	close(over)
	resizing.Wait()
	require.NoError(t, p.Drain(t.Context()))
	require.Len(t, ran, all)
	require.IsIncreasing(t, ran)
}
