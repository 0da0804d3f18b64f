package harness

import (
	"fmt"
	"math"
	"strings"

	"github.com/dustin/go-humanize"
)

// Metric is something that is measured. Two are the same if all fields are.
type Metric struct {
	// Name heads the column.
	Name string
	// Unit says how a value is printed.
	Unit Unit
	// Plain metrics are shown without their ratio to the baseline: where the
	// baseline's is zero or means nothing.
	Plain bool
}

// What every trial measures, per unit of work. Allocations are those of all
// goroutines.
var (
	Wall   = Metric{Name: "wall", Unit: Nanoseconds}
	CPU    = Metric{Name: "CPU", Unit: Nanoseconds}
	Allocs = Metric{Name: "allocs", Unit: Count, Plain: true}
	Bytes  = Metric{Name: "bytes", Unit: Memory, Plain: true}
)

// What [Trial.Latencies] gives.
var (
	P50 = Metric{Name: "p50", Unit: Nanoseconds}
	P99 = Metric{Name: "p99", Unit: Nanoseconds}
)

// Unit is how values are printed.
type Unit int

// The units.
const (
	Nanoseconds Unit = iota // "81.2 ns", "1.53 ms"
	Count                   // "0.25", "12,400"
	Memory                  // "2.1 KiB"
	PerSecond               // "12,400/s"
	Times                   // "1.02 ×"
)

// Format prints a value to three significant digits.
func (u Unit) Format(v float64) string {
	switch u {
	case Nanoseconds:
		v, prefix := humanize.ComputeSI(v * 1e-9)
		return digits(v) + " " + prefix + "s"
	case Memory:
		if v < 1024 {
			return digits(v) + " B"
		}
		return humanize.IBytes(uint64(v))
	case PerSecond:
		return digits(v) + "/s"
	case Times:
		return ratio(v)
	default:
		return digits(v)
	}
}

// digits never prints more than two decimals, nor a power of ten.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return humanize.Comma(int64(math.Round(v)))
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func ratio(v float64) string { return strings.TrimSuffix(digits(v), ".00") + " ×" }
