package poolmodule

import (
	"time"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func count(name, help string, n int) lifecycle.Metric {
	return lifecycle.Metric{Name: name, Help: help, Value: float64(n)}
}

// Of the buckets of a histogram every second bound is shown, from 4 µs to 72
// minutes: each is a time series of its own, and a pool has two histograms.
const (
	firstBound = 2
	lastBound  = 32
	boundStep  = 2
)

func distribution(name, help string, h pool.Histogram) lifecycle.Metric {
	buckets := make(map[float64]uint64, (lastBound-firstBound)/boundStep+1)
	below := uint64(0)
	for i, n := range h.Buckets {
		below += n
		if i >= firstBound && i <= lastBound && i%boundStep == 0 {
			buckets[pool.BucketBound(i).Seconds()] = below
		}
	}
	return lifecycle.Metric{
		Name: name, Help: help, Type: lifecycle.Distribution,
		Count: h.Count, Sum: h.Sum.Seconds(), Buckets: buckets,
	}
}

func stopBudget(key string, value time.Duration) lifecycle.Knob {
	return lifecycle.Knob{
		Name: "stop_budget", Key: key, Type: lifecycle.DurationKnob, Value: value, Cold: true,
		Help: "Bounds the time of its stop; 0: the time that all have.",
	}
}
