package pool_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

const (
	benchWorkers = 4
	benchQueue   = 4096
)

var benchSubmitters = []int{1, 16, 256}

// split calls submit b.N times in all from n goroutines.
func split(b *testing.B, n int, submit func()) {
	b.Helper()
	share := b.N / n
	var wg sync.WaitGroup
	for i := range n {
		times := share
		if i == 0 {
			times += b.N % n
		}
		wg.Go(func() {
			for range times {
				submit()
			}
		})
	}
	wg.Wait()
}

// BenchmarkChannel is what one writes by hand: a buffered channel and
// workers. It is bounded, and nothing else.
func BenchmarkChannel(b *testing.B) {
	for _, n := range benchSubmitters {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			tasks := make(chan func(context.Context), benchQueue)
			var workers sync.WaitGroup
			ctx := context.Background()
			for range benchWorkers {
				workers.Go(func() {
					for task := range tasks {
						task(ctx)
					}
				})
			}
			task := func(context.Context) {}
			split(b, n, func() { tasks <- task })
			close(tasks)
			workers.Wait()
		})
	}
}

func BenchmarkSubmit(b *testing.B) {
	for _, n := range benchSubmitters {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			p := startedPool(b)
			ctx := context.Background()
			task := func(context.Context) {}
			split(b, n, func() { _ = p.Submit(ctx, task) })
			_ = p.Drain(ctx)
		})
	}
}

func startedPool(b *testing.B) *pool.Pool {
	b.Helper()
	p, err := pool.New("bench", pool.Config{Workers: benchWorkers, Queue: benchQueue})
	if err != nil {
		b.Fatal(err)
	}
	_ = p.Start(b.Context())
	b.Cleanup(func() { _, _ = p.Stop(context.Background()) })
	return p
}

func BenchmarkSubmitBatch(b *testing.B) {
	b.ReportAllocs()
	p := startedPool(b)
	ctx := context.Background()
	tasks := make([]func(context.Context), 64)
	for i := range tasks {
		tasks[i] = func(context.Context) {}
	}
	for left := b.N; left > 0; left -= len(tasks) {
		_, _ = p.SubmitBatch(ctx, tasks[:min(left, len(tasks))])
	}
	_ = p.Drain(ctx)
}

func BenchmarkLane(b *testing.B) {
	b.ReportAllocs()
	p := startedPool(b)
	ctx := context.Background()
	l, err := pool.NewLane(p, "bench", func(context.Context, int) error { return nil }, pool.LaneConfig{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		_ = l.Submit(ctx, i)
	}
	_ = l.Drain(ctx)
}
