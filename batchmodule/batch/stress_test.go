package batch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// parcel is the n-th item of a producer.
type parcel struct{ from, n int }

// crowd is a batcher with many producers, on real threads.
type crowd struct {
	*batch.Batcher[parcel]
	t        *testing.T
	accepted atomic.Int64 // as the producers were told
	sent     []int        // by producer, so many of its items were accepted

	mu        sync.Mutex
	delivered []parcel
}

const producers = 16

func newCrowd(t *testing.T, cfg batch.Config, opts ...batch.Option[parcel]) *crowd {
	t.Helper()
	c := &crowd{t: t, sent: make([]int, producers)}
	b, err := batch.New("orders", c.sink, cfg, opts...)
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	c.Batcher = b
	return c
}

func (c *crowd) sink(_ context.Context, items []parcel) error {
	runtime.Gosched() // so that some stops find a flush in flight
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivered = append(c.delivered, items...)
	return nil
}

// produce adds items until the batcher takes none any more.
func (c *crowd) produce(p int) {
	for {
		n, err := c.offer(p, c.sent[p])
		c.sent[p] += n
		c.accepted.Add(int64(n))
		var refused *intake.Error
		switch {
		case errors.Is(err, batch.ErrPaused) && errors.As(err, &refused):
			_ = refused.AwaitOpen(c.t.Context()) // what ends the waiting is told again
		case errors.Is(err, batch.ErrDraining), errors.Is(err, batch.ErrClosed):
			return
		case err != nil:
			assert.ErrorIs(c.t, err, batch.ErrFull)
			runtime.Gosched()
		}
	}
}

// offer gives the next item, or the next three.
func (c *crowd) offer(p, n int) (int, error) {
	var err error
	switch n % 13 {
	case 0:
		return c.AddAll(c.t.Context(), []parcel{{p, n}, {p, n + 1}, {p, n + 2}})
	case 5:
		err = c.TryAdd(c.t.Context(), parcel{p, n})
	default:
		err = c.Add(c.t.Context(), parcel{p, n})
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

// pause pauses the gate now and then, until the crowd has gone. While it is
// paused nobody gets in.
func (c *crowd) pause(gone <-chan struct{}) {
	for {
		resume := c.Gate().Pause()
		before := c.Gate().Ledger().Accepted
		runtime.Gosched()
		assert.Equal(c.t, before, c.Gate().Ledger().Accepted)
		resume()
		for range rand.IntN(50) {
			runtime.Gosched()
		}
		select {
		case <-gone:
			return
		default:
		}
	}
}

// look checks snapshots, and flushes, until the crowd has gone.
func (c *crowd) look(cfg batch.Config, gone <-chan struct{}) {
	for {
		s := c.Stats()
		assert.True(c.t, s.Ledger.Balanced(), s.Ledger)
		assert.LessOrEqual(c.t, s.Inside, cfg.Buffer)
		select {
		case <-gone:
			return
		default:
			_ = c.Flush(c.t.Context())
		}
	}
}

// check compares what was told with what has come: each producer's items, all of
// them, once and in their order.
func (c *crowd) check(left []parcel) {
	came := make([]int, producers)
	for _, it := range append(c.delivered, left...) {
		require.Equal(c.t, came[it.from], it.n, "of producer %d", it.from)
		came[it.from]++
	}
	require.Equal(c.t, c.sent, came)
}

// TestCrowdMeetsAStopAtAnyMoment has producers, flushes and snapshots run into
// a drain and a stop.
func TestCrowdMeetsAStopAtAnyMoment(t *testing.T) {
	t.Parallel()
	byProducer := batch.WithKey(func(it parcel) string { return strconv.Itoa(it.from) })
	for _, tt := range []struct {
		give string
		cfg  batch.Config
		opts func() []batch.Option[parcel]
	}{
		{"OneLine", batch.Config{MaxItems: 100, Buffer: 1000}, nil},
		{"SmallBatches", batch.Config{MaxItems: 3, Buffer: 7}, nil},
		{"Reject", batch.Config{MaxItems: 10, Buffer: 20, WhenFull: batch.Reject}, nil},
		{"Keys", batch.Config{MaxItems: 20, Buffer: 1000, Parallel: 4}, func() []batch.Option[parcel] {
			return []batch.Option[parcel]{byProducer}
		}},
		{"FewerKeysThanProducers", batch.Config{MaxItems: 5, Buffer: 50, Parallel: 2, MaxKeys: producers / 2}, func() []batch.Option[parcel] {
			return []batch.Option[parcel]{byProducer}
		}},
		{"Tags", batch.Config{MaxItems: 50, Buffer: 500}, func() []batch.Option[parcel] {
			return []batch.Option[parcel]{batch.WithDeadLetters[parcel](journal.NewDeadLetters(journaltest.NewMemory(0)))}
		}},
	} {
		t.Run(tt.give, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				var opts []batch.Option[parcel]
				if tt.opts != nil {
					opts = tt.opts()
				}
				newCrowd(t, tt.cfg, opts...).meetStop(tt.cfg)
			}
		})
	}
}

func (c *crowd) meetStop(cfg batch.Config) {
	t := c.t
	var crowd, looker sync.WaitGroup
	gone := make(chan struct{})
	for p := range producers {
		crowd.Go(func() { c.produce(p) })
	}
	looker.Go(func() { c.look(cfg, gone) })
	looker.Go(func() { c.pause(gone) })
	for moment := rand.Int64N(3000); c.accepted.Load() < moment; {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if rand.IntN(2) == 0 {
		cancel() // the stop has no time: some are left over
	}
	c.Gate().Drain()
	drained := c.Gate().Ledger().Accepted
	left, err := c.Stop(ctx)
	if len(left) == 0 {
		require.NoError(t, err)
	}
	crowd.Wait()
	close(gone)
	looker.Wait()

	l := c.Gate().Ledger()
	require.True(t, l.Balanced(), l)
	require.Equal(t, drained, l.Accepted, "what was admitted before the drain was in the snapshot after it")
	require.EqualValues(t, c.accepted.Load(), l.Accepted)
	if errors.Is(err, batch.ErrHung) {
		return // this machine did not let a sink return in time: what it had is in both
	}
	require.EqualValues(t, len(c.delivered), l.Done)
	require.EqualValues(t, len(left), l.Inside)
	c.check(left)
}

// TestAddAllocatesNothing leaves out what is made once for a whole batch. It is
// not parallel, as it counts for the whole process.
func TestAddAllocatesNothing(t *testing.T) {
	for name, opts := range map[string][]batch.Option[int]{
		"WithoutKeys": nil,
		"WithKeys":    {batch.WithKey(func(i int) string { return "key" })},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := batch.New("orders", discard, batch.Config{MaxItems: 5000}, opts...)
			require.NoError(t, err)
			require.Zero(t, testing.AllocsPerRun(2000, func() { _ = b.Add(t.Context(), 1) }))
			_, _ = b.Stop(t.Context()) // it was never started
		})
	}
}
