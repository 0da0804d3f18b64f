package batch_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// byHand is what one writes by hand: a channel, a slice for each key, and a
// select with a ticker.
type byHand struct {
	in   chan int
	done sync.WaitGroup
}

// newByHand makes one. The key is nil where there are none: then there is one
// slice, and no map.
func newByHand(maxItems, buffer int, key func(int) string, sink batch.Sink[int]) *byHand {
	h := &byHand{in: make(chan int, buffer)}
	loop := func() { h.collect(maxItems, sink) }
	if key != nil {
		loop = func() { h.collectKeyed(maxItems, key, sink) }
	}
	h.done.Go(loop)
	return h
}

func (h *byHand) collect(maxItems int, sink batch.Sink[int]) {
	items := make([]int, 0, maxItems)
	flush := func() {
		_ = sink(context.Background(), items)
		items = items[:0]
	}
	defer flush()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case item, ok := <-h.in:
			if !ok {
				return
			}
			if items = append(items, item); len(items) == maxItems {
				flush()
			}
		case <-ticker.C:
			flush()
		}
	}
}

func (h *byHand) collectKeyed(maxItems int, key func(int) string, sink batch.Sink[int]) {
	open := map[string][]int{}
	flush := func() {
		for k, items := range open {
			_ = sink(context.Background(), items)
			open[k] = items[:0]
		}
	}
	defer flush()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case item, ok := <-h.in:
			if !ok {
				return
			}
			k := key(item)
			open[k] = append(open[k], item)
			if len(open[k]) == maxItems {
				_ = sink(context.Background(), open[k])
				open[k] = open[k][:0]
			}
		case <-ticker.C:
			flush()
		}
	}
}

func discard(context.Context, []int) error { return nil }

// BenchmarkAdd compares Add with what one writes by hand, per item. What counts
// is the ratio within one run:
//
//	go test -run none -bench Add$ -benchtime 300ms -count 6 . | benchstat -col /by -
func BenchmarkAdd(b *testing.B) {
	const maxItems = 1000
	names := make([]string, 64)
	for i := range names {
		names[i] = "key-" + strconv.Itoa(i)
	}
	for _, tt := range []struct {
		keys   int
		key    func(int) string
		buffer int
	}{
		{1, nil, 10 * maxItems},
		{64, func(i int) string { return names[i%64] }, 2 * 64 * maxItems},
	} {
		for _, producers := range []int{1, 16} {
			name := fmt.Sprintf("keys=%d/producers=%d/by=", tt.keys, producers)
			b.Run(name+"hand", func(b *testing.B) {
				h := newByHand(maxItems, tt.buffer, tt.key, discard)
				produce(b, producers, func(i int) { h.in <- i })
				close(h.in)
				h.done.Wait()
			})
			b.Run(name+"batcher", func(b *testing.B) {
				benchmarkBatcher(b, producers, batch.Config{MaxItems: maxItems, Buffer: tt.buffer}, batch.WithKey(tt.key))
			})
		}
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
