package pool

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogramBuckets spans 1 µs to about 9 hours, each bucket twice the last.
const histogramBuckets = 36

// Histogram counts durations in buckets that double.
type Histogram struct {
	// Count and Sum are of all samples.
	Count uint64        `json:"count"`
	Sum   time.Duration `json:"sum"`
	// Buckets[i] counts samples below [BucketBound](i) and not below the one
	// before. The last takes all that is longer.
	Buckets [histogramBuckets]uint64 `json:"buckets"`
}

// BucketBound is the upper bound of bucket i: 1 µs, 2 µs, 4 µs and so on.
func BucketBound(i int) time.Duration { return time.Microsecond << i }

// Mean is the average; zero without samples.
func (h Histogram) Mean() time.Duration {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / time.Duration(h.Count)
}

// Quantile is the upper bound of the bucket in which the q-th part of the
// samples ends (0.99 for p99): at most twice the true value. Zero without
// samples.
func (h Histogram) Quantile(q float64) time.Duration {
	var total uint64
	for _, n := range h.Buckets {
		total += n
	}
	rank, seen := q*float64(total), uint64(0)
	for i, n := range h.Buckets {
		seen += n
		if n > 0 && float64(seen) >= rank {
			return BucketBound(i)
		}
	}
	return 0
}

// histogram is the live one. It is fed with samples only, so that plain
// atomics are cheap enough.
type histogram struct {
	sum     atomic.Int64
	buckets [histogramBuckets]atomic.Uint64
}

func (h *histogram) record(nanos int64) {
	nanos = max(0, nanos)
	h.sum.Add(nanos)
	i := bits.Len64(uint64(nanos) / uint64(time.Microsecond))
	h.buckets[min(i, histogramBuckets-1)].Add(1)
}

func (h *histogram) snapshot() (s Histogram) {
	for i := range h.buckets {
		s.Buckets[i] = h.buckets[i].Load()
		s.Count += s.Buckets[i]
	}
	s.Sum = time.Duration(h.sum.Load())
	return s
}

// slowestSampling is how many tasks pass between two timed ones at most.
const slowestSampling = 64

// sampler chooses the tasks that are timed: all of them when they come slower
// than the clock is worth, down to 1 in 64 under load. Guarded by the inbox.
type sampler struct {
	left, period int64
	last         int64
}

func newSampler() sampler { return sampler{period: 1} }

func (s *sampler) due() bool {
	s.left--
	return s.left < 0
}

// took adapts the period: a clock reading costs about 50 ns, so one every 5 µs
// is a hundredth of the time.
func (s *sampler) took(now int64) {
	const worth = int64(5 * time.Microsecond)
	if now-s.last < worth {
		s.period = min(2*s.period, slowestSampling)
	} else {
		s.period = max(s.period/2, 1)
	}
	s.last = now
	s.left = s.period - 1
}
