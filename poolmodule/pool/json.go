package pool

import (
	"encoding/json"
	"time"
)

// durationText is a duration that says its unit in JSON, as time.ParseDuration
// reads it: "1.5s".
type durationText time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d durationText) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// The types below stand in the JSON for the struct whose name they bear: what
// they embed has no methods, and what they are embedded in has fields that take
// the place of those of the same name.
type (
	statsFields   Stats
	runningFields Running
)

// MarshalJSON writes durations as text: "1.5s".
func (s Stats) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		statsFields
		OldestWait durationText `json:"oldest_wait"`
		LongestRun durationText `json:"longest_run"`
	}{statsFields(s), durationText(s.OldestWait), durationText(s.LongestRun)})
}

// MarshalJSON writes durations as text: "1.5s".
func (r Running) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		runningFields
		SeenFor durationText `json:"seen_for"`
	}{runningFields(r), durationText(r.SeenFor)})
}

type bucketJSON struct {
	// Below is the upper bound; the last bucket has none.
	Below durationText `json:"below,omitzero"`
	Count uint64       `json:"count"`
}

// MarshalJSON writes what a person wants to know of the samples, and those
// buckets that hold some, each with its upper bound. Durations are text: "1.5s".
func (h Histogram) MarshalJSON() ([]byte, error) {
	buckets := []bucketJSON{}
	for i, n := range h.Buckets {
		if n == 0 {
			continue
		}
		b := bucketJSON{Count: n}
		if i < histogramBuckets-1 {
			b.Below = durationText(BucketBound(i))
		}
		buckets = append(buckets, b)
	}
	return json.Marshal(struct {
		Count   uint64       `json:"count"`
		Sum     durationText `json:"sum"`
		Mean    durationText `json:"mean"`
		P50     durationText `json:"p50"`
		P99     durationText `json:"p99"`
		Buckets []bucketJSON `json:"buckets"`
	}{h.Count, durationText(h.Sum), durationText(h.Mean()), durationText(h.Quantile(0.5)), durationText(h.Quantile(0.99)), buckets})
}
