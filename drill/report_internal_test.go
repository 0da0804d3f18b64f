package drill

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDuplicatesThatNoKillExplains: an id that came three times in the last
// life, which nobody killed, or in the life before its kill.
func TestDuplicatesThatNoKillExplains(t *testing.T) {
	t.Parallel()
	judged := func(again int, kills ...Kill) *Report {
		d := &drill{cfg: Config{Kills: kills}, settled: true}
		d.book.tag = "d"
		p := d.book.open(1, 0)
		i, id := p.next(0)
		p.answer(0, i, Accepted)
		d.book.close(p)
		d.book.open(0, 0)
		d.lives = []*Life{{Number: 1, Exit: 137, Sent: 1, Ready: 1}, {Number: 2, kind: settling, Ready: 1}}
		for range 3 {
			d.book.deliver(id, again)
		}
		return d.report(nil)
	}

	for _, life := range []int{1, 2} {
		require.ErrorIs(t, judged(life, Sigkill(1).AtMost(0)).Err(), ErrDuplicated, "life %d", life)
		require.ErrorIs(t, judged(life, Sigkill(1).AtMost(8), Sigterm(1).AtMost(1)).Err(), ErrDuplicated, "the strictest bound holds")
		require.NoError(t, judged(life, Sigkill(1), Sigterm(1).AtMost(2)).Err())
		require.NoError(t, judged(life, Sigkill(1)).Err(), "nobody gave a bound")
	}
	report := judged(2, Sigkill(1).AtMost(0))
	assert.ErrorContains(t, report.Err(), "life 2")
	assert.Contains(t, report.String(), "2 > 0")
}
