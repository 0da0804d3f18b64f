package harness

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// Trial is one run of one contestant. Its methods are called by one goroutine.
type Trial struct {
	// N is how much work is to be done.
	N int
	// Short says that the work is to be done, but nothing will be made of the
	// numbers.
	Short bool

	from, to usage
	begun    bool
	ended    bool
	did      int
	values   sample
}

// sample is what one trial measured.
type sample map[Metric]float64

// usage is what the process has used up to a moment.
type usage struct {
	at       time.Time
	cpu      time.Duration
	switches int64 // how often a thread went to sleep
	allocs   uint64
	bytes    uint64
}

// Begin begins the measured part, after a garbage collection.
func (t *Trial) Begin() {
	runtime.GC()
	t.begun = true
	t.from.readMemory()
	t.from.readClocks()
}

// End ends the measured part. did is how much work was really done in it, as
// the contestant's own counting has it.
func (t *Trial) End(did int) {
	t.to.readClocks()
	t.to.readMemory()
	t.ended = true
	t.did = did
}

func (u *usage) readClocks() {
	u.cpu, u.switches = process()
	u.at = time.Now()
}

// readMemory stops the world, so it stays outside of what the clocks see.
func (u *usage) readMemory() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	u.allocs, u.bytes = mem.Mallocs, mem.TotalAlloc
}

// Set gives a value of the contestant's own.
func (t *Trial) Set(m Metric, v float64) { t.values[m] = v }

// Latencies sets [P50] and [P99]. It sorts its argument.
func (t *Trial) Latencies(all []time.Duration) {
	t.Set(P50, Percentile(all, 0.50))
	t.Set(P99, Percentile(all, 0.99))
}

// Percentile is the time in nanoseconds that the part p of all do not exceed,
// NaN if there are none. It sorts its argument.
func Percentile(all []time.Duration, p float64) float64 {
	slices.Sort(all)
	x := make([]float64, len(all))
	for i, d := range all {
		x[i] = float64(d)
	}
	return quantile(x, p)
}

// Elapsed is the wall time between Begin and End, CPUTime the processor time.
func (t *Trial) Elapsed() time.Duration { return t.to.at.Sub(t.from.at) }

// CPUTime is the processor time between Begin and End.
func (t *Trial) CPUTime() time.Duration { return t.to.cpu - t.from.cpu }

// Switches is how often, between Begin and End, a thread of the process gave
// its processor up to wait for something: a timer that polls shows here.
func (t *Trial) Switches() int64 { return t.to.switches - t.from.switches }

// finish turns what was counted into values per unit of work.
func (t *Trial) finish() (sample, error) {
	if !t.begun || !t.ended {
		return nil, errors.New("it did not call Begin and End")
	}
	if t.did != t.N {
		return nil, fmt.Errorf("it did %d of %d", t.did, t.N)
	}
	n := float64(t.N)
	t.values[Wall] = float64(t.Elapsed()) / n
	t.values[CPU] = float64(t.CPUTime()) / n
	t.values[Allocs] = float64(t.to.allocs-t.from.allocs) / n
	t.values[Bytes] = float64(t.to.bytes-t.from.bytes) / n
	return t.values, nil
}

// Footprint is the memory that is held now, heap and stacks, in bytes. It
// collects garbage first, twice: what a sync.Pool keeps goes with the second.
func Footprint() float64 {
	runtime.GC()
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return float64(mem.HeapAlloc + mem.StackInuse)
}

// Median is the lower median of all, NaN if there are none. It sorts its
// argument.
func Median(all []float64) float64 {
	slices.Sort(all)
	return quantile(all, 0.5)
}

func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return nan
	}
	return stat.Quantile(p, stat.Empirical, sorted, nil)
}
