package actuator

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// A series says what a list of all samples would say, however often a number
// moves, stands still, or is not there.
func TestSeriesIsAListOfItsSamples(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counter := rapid.Bool().Draw(t, "counter")
		start := rapid.Int64Range(1e9, 1e9+1000).Draw(t, "start")
		slot, value := start, float64(rapid.Uint32().Draw(t, "value"))
		if counter {
			value *= 1e4 // far beyond what a float32 counts
		}
		s := newSeries(slot, value, counter)
		want := map[int64]float64{slot: value}
		for range rapid.IntRange(0, 600).Draw(t, "samples") {
			missed := rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 0, 3, 200}).Draw(t, "missed")
			for i := range missed {
				want[slot+1+i] = math.NaN() // whoever reads knows which these are
			}
			slot += 1 + missed
			if grow := rapid.SampledFrom([]float64{0, 0, 0, 1, 1000}).Draw(t, "grow"); counter {
				value += grow
			} else if grow > 0 {
				value = float64(float32(grow * rapid.Float64Range(-1, 1).Draw(t, "gauge")))
			}
			s.add(slot, value)
			want[slot] = value
		}
		from := slot - historySlots + 1
		for i, got := range s.points(from, slot) {
			at := from + int64(i)
			switch value, known := want[at]; {
			case !known:
				assert.True(t, math.IsNaN(got), "slot %d before the first is %v", at-start, got)
			case !math.IsNaN(value):
				// The first gauge is as great as a float32 can only nearly be.
				assert.InEpsilon(t, value+1e-30, got+1e-30, 1e-6, "slot %d", at-start)
				if counter {
					assert.Equal(t, value, got, "slot %d", at-start) //nolint:testifylint // to the last digit
				}
			}
		}
	})
}

func TestSeriesCostsLittleAgainWhenItStandsStill(t *testing.T) {
	t.Parallel()
	s := newSeries(1000, 1, false)
	s.add(1001, 1)
	assert.Nil(t, s.ring)
	s.add(1002, 2)
	assert.NotNil(t, s.ring)
	for slot := int64(1003); slot < 1003+historySlots; slot++ {
		s.add(slot, 2)
	}
	assert.Nil(t, s.ring)
	assert.Equal(t, points{2, 2, 2}, s.points(1003+historySlots-3, 1003+historySlots-1))
}
