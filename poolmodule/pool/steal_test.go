package pool

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLateThief has the owner of a batch take the last of it between a thief's
// look and its grip. The thief must not go away: another batch holds work, and
// a worker that parks then is a lost wake-up.
func TestLateThief(t *testing.T) {
	t.Parallel()
	p, err := New("test", Config{Workers: 2})
	require.NoError(t, err)
	p.lock()
	defer p.unlock()
	workers := p.spawnLocked(2)
	p.reaper.Stop()
	for i, w := range workers {
		w.batch = []entry{{work: plain(func(context.Context) {})}}
		p.beginBatchLocked(w, 1, uint64(i))
	}

	stolen, pos := p.robOldestLocked(func(left int) int {
		workers[0].claim()
		return left
	})
	require.Len(t, stolen, 1)
	require.EqualValues(t, 1, pos, "that of the second")
	require.Zero(t, workers[0].left()+workers[1].left())
}
