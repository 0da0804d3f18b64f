package batch_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// channelBatcher is what one writes by hand: a channel, a slice and a select.
type channelBatcher struct {
	in   chan int
	done sync.WaitGroup
}

func newChannelBatcher(maxItems int, sink batch.Sink[int]) *channelBatcher {
	c := &channelBatcher{in: make(chan int, 10*maxItems)}
	c.done.Go(func() {
		items := make([]int, 0, maxItems)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		flush := func() {
			_ = sink(context.Background(), items)
			items = items[:0]
		}
		for {
			select {
			case item, ok := <-c.in:
				if !ok {
					flush()
					return
				}
				if items = append(items, item); len(items) == maxItems {
					flush()
				}
			case <-ticker.C:
				flush()
			}
		}
	})
	return c
}

func discard(context.Context, []int) error { return nil }

// BenchmarkAdd compares Add with a channel, per item. The ratio of lines of
// the same number of producers is what counts.
func BenchmarkAdd(b *testing.B) {
	const maxItems = 1000
	for _, producers := range []int{1, 16} {
		name := strconv.Itoa(producers)
		b.Run("channel/producers="+name, func(b *testing.B) {
			c := newChannelBatcher(maxItems, discard)
			produce(b, producers, func(i int) { c.in <- i })
			close(c.in)
			c.done.Wait()
		})
		b.Run("batcher/producers="+name, func(b *testing.B) {
			benchmarkBatcher(b, producers, batch.Config{MaxItems: maxItems})
		})
		b.Run("keyed64/producers="+name, func(b *testing.B) {
			keys := make([]string, 64)
			for i := range keys {
				keys[i] = "key-" + strconv.Itoa(i)
			}
			benchmarkBatcher(b, producers, batch.Config{MaxItems: maxItems, Buffer: 64 * 2 * maxItems},
				batch.WithKey(func(i int) string { return keys[i%64] }))
		})
	}
}

func benchmarkBatcher(b *testing.B, producers int, cfg batch.Config, opts ...batch.Option[int]) {
	b.Helper()
	ctx := context.Background()
	batcher, err := batch.New("bench", discard, cfg, opts...)
	require.NoError(b, err)
	require.NoError(b, batcher.Start(ctx))
	produce(b, producers, func(i int) { _ = batcher.Add(ctx, i) })
	left, err := batcher.Stop(ctx)
	require.NoError(b, err)
	require.Empty(b, left)
	require.EqualValues(b, b.N, batcher.Stats().Ledger.Done)
}

// produce calls add b.N times, from so many goroutines.
func produce(b *testing.B, producers int, add func(int)) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := p; i < b.N; i += producers {
				add(i)
			}
		})
	}
	wg.Wait()
}
