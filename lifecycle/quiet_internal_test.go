package lifecycle

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/intake"
)

// relay is components that hand one item on, each time to the one that has
// just been seen empty: whoever looks at them one after another sees nobody
// with it, and yet there is no moment at which nothing is inside.
type relay struct {
	ledgers []intake.Ledger
	holder  int
}

func newRelay(n int) (gates []*intake.Gate) {
	r := &relay{ledgers: make([]intake.Ledger, n), holder: n - 1}
	r.ledgers[r.holder] = intake.Ledger{Offered: 1, Accepted: 1, Inside: 1}
	for i := range n {
		gates = append(gates, intake.New("relay", intake.Counted(func() intake.Ledger {
			seen := r.ledgers[i]
			r.handTo(i)
			return seen
		})))
	}
	return gates
}

func (r *relay) handTo(next int) {
	if next == r.holder {
		return
	}
	// It is taken before it is let go.
	r.ledgers[next].Offered++
	r.ledgers[next].Accepted++
	r.ledgers[next].Inside++
	r.ledgers[r.holder].Inside--
	r.ledgers[r.holder].Done++
	r.holder = next
}

func TestQuietIsNotSeenWhereEveryLookFindsNothing(t *testing.T) {
	t.Parallel()
	for n := 2; n <= 5; n++ {
		gates := newRelay(n)
		insideSeen := 0
		for range 100 {
			for _, g := range gates {
				insideSeen += int(g.Ledger().Inside)
			}
			assert.False(t, quiet(gates))
		}
		assert.Zero(t, insideSeen, "one look at each sees nothing")
	}
}

func TestLooksForLeaks(t *testing.T) {
	t.Parallel()
	left := []goroutines{{count: 1}}
	for _, tt := range []struct {
		give           string
		look, patience time.Duration
		want           int
	}{
		{"QuickLooksAreRepeated", 0, 100 * time.Millisecond, leakLooks},
		{"SlowLookIsTheOnlyOne", 60 * time.Millisecond, 100 * time.Millisecond, 1},
		{"LooksThatFitAreRepeated", 30 * time.Millisecond, 100 * time.Millisecond, 3},
		{"WithoutTimeThereIsOne", time.Microsecond, 0, 1},
	} {
		t.Run(tt.give, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looks := 0
				found := lookAgain(tt.patience, func() []goroutines { looks++; time.Sleep(tt.look); return left })
				assert.Equal(t, left, found)
				assert.Equal(t, tt.want, looks)
			})
		})
	}

	t.Run("NothingIsFoundAtOnce", func(t *testing.T) {
		assert.Empty(t, lookAgain(time.Hour, func() []goroutines { return nil }))
	})
}
