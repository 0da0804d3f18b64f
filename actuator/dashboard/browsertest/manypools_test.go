package browsertest

import (
	"context"
	"fmt"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// openMany makes pools that are not declared one by one: Fx looks for circles in
// the whole graph at each constructor, and would take minutes for a thousand. So
// they have panels like those of poolmodule.
func openMany(lc fx.Lifecycle, n int) ([]*pool.Pool, error) {
	var many []*pool.Pool
	for i := range n {
		name := fmt.Sprintf("pool:p%04d", i)
		p, err := pool.New(name, pool.Config{Workers: 2, Queue: 16})
		if err != nil {
			return nil, err
		}
		many = append(many, p)
		lifecycle.Append(lc, lifecycle.Hook{
			Name: name, Gate: p.Gate(), OnStart: p.Start,
			OnStop: func(ctx context.Context) error { _, err := p.Stop(ctx); return err },
			Panel: &lifecycle.Panel{
				Kind: "pool", Stats: func() any { return p.Stats() }, Metrics: func() []lifecycle.Metric { return metrics(p.Stats()) },
				Health: func(context.Context) lifecycle.Health { return lifecycle.Health{Status: lifecycle.Up} },
				Knobs: func() []lifecycle.Knob {
					return []lifecycle.Knob{{Name: "workers", Type: lifecycle.IntKnob, Value: int64(p.Limits().Workers), Min: int64(1)}}
				},
				Turn: func(_ context.Context, v map[string]any) error {
					return p.Resize(pool.Limits{Workers: int(v["workers"].(int64))})
				},
			},
		})
	}
	return many, nil
}

// metrics are as many as those of poolmodule.
func metrics(s pool.Stats) []lifecycle.Metric {
	all := []lifecycle.Metric{histogram("queue_wait_seconds", s.Wait), histogram("run_seconds", s.Run)}
	for _, gauge := range []struct {
		name  string
		value int
	}{
		{"workers", s.Workers}, {"idle_workers", s.Idle}, {"busy_workers", s.Busy}, {"max_workers", s.Limits.Workers},
		{"min_workers", s.Limits.MinWorkers}, {"queued_tasks", s.Queued}, {"queue_capacity", s.Capacity}, {"retrying_items", s.Retrying},
		{"entering_items", s.Entering}, {"waiting_submitters", s.Submitters},
		{"oldest_wait_seconds", int(s.OldestWait.Seconds())}, {"longest_run_seconds", int(s.LongestRun.Seconds())},
	} {
		all = append(all, lifecycle.Metric{Name: gauge.name, Value: float64(gauge.value)})
	}
	return all
}

func histogram(name string, h pool.Histogram) lifecycle.Metric {
	m := lifecycle.Metric{Name: name, Type: lifecycle.Distribution, Count: h.Count, Sum: h.Sum.Seconds(), Buckets: map[float64]uint64{}}
	below := uint64(0)
	for i, n := range h.Buckets {
		if below += n; i%2 == 0 && i > 0 && i < 33 {
			m.Buckets[pool.BucketBound(i).Seconds()] = below
		}
	}
	return m
}
