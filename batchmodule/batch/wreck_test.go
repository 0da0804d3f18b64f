package batch

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/intake"
)

// Breaks the inside, because nothing known from outside does.
func TestDefectInAFlushLosesItsBatchLoudlyAndTheBatcherLives(t *testing.T) {
	t.Parallel()
	sink := func(context.Context, []int) error { return nil }
	reports := make(chan Flush, 2)
	b, err := New("orders", sink, Config{Linger: time.Hour}, WithFlushed[int](func(f Flush) { reports <- f }))
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	_, err = b.AddAll(t.Context(), []int{1, 2})
	require.NoError(t, err)

	b.mu.Lock()
	b.slots++ // the flight is this test's
	b.sealLocked(b.open.first, TriggerManual)
	d := b.newDelivery(b.nextLocked())
	b.mu.Unlock()
	d.pieces = []piece{{n: 3}} // of two
	b.fly(d)

	report := <-reports
	assert.Equal(t, 2, report.Lost)
	var p *PanicError
	require.ErrorAs(t, report.Err, &p)
	assert.Contains(t, p.Stack, "delivery.go")

	require.NoError(t, b.Add(t.Context(), 3))
	_, err = b.Stop(t.Context())
	require.NoError(t, err)
	assert.Equal(t, intake.Ledger{Offered: 3, Accepted: 3, Done: 1, Lost: 2}, b.Gate().Ledger())
	require.Error(t, b.Save(t.Context()))
}
