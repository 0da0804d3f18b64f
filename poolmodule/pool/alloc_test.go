package pool_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestAllocations is not parallel: the allocations of all goroutines count.
func TestAllocations(t *testing.T) {
	p := newPool(t, pool.Config{Workers: 1, MinWorkers: 1})
	l, err := pool.NewLane(p, "sms", func(context.Context, int) error { return nil }, pool.LaneConfig{})
	require.NoError(t, err)
	submitted := make(chan struct{})
	tell := func(context.Context) { submitted <- struct{}{} }

	closure := testing.AllocsPerRun(1000, func() {
		_ = p.Submit(t.Context(), tell)
		<-submitted
	})
	assert.Zero(t, closure, "a closure")
	p.Gate().Pause()()
	afterwards := testing.AllocsPerRun(1000, func() {
		_ = p.Submit(t.Context(), tell)
		<-submitted
		for p.Stats().Idle == 0 {
			runtime.Gosched() // it parks, which must not cost it what it has
		}
	})
	assert.Zero(t, afterwards, "a closure, when a pause is over")
	item := testing.AllocsPerRun(1000, func() {
		_ = l.Submit(t.Context(), 1)
		_ = p.Submit(t.Context(), tell) // behind the item: one worker
		<-submitted
	})
	assert.LessOrEqual(t, item, 1.0, "a lane item")

	future := testing.AllocsPerRun(1000, func() {
		_, _ = pool.Go(t.Context(), p, func(context.Context) (int, error) { return 0, nil })
		_ = p.Submit(t.Context(), tell) // behind it
		<-submitted
	})
	assert.LessOrEqual(t, future, 1.0, "a future that nobody waits for")

	for _, mode := range []journal.Mode{journal.OnStop, journal.Always} {
		kept, err := pool.NewLane(p, string(mode), func(ctx context.Context, _ []byte) error {
			_, _ = pool.ItemOf(ctx)
			return nil
		}, pool.LaneConfig{Journal: mode}, pool.WithJournal[[]byte](&nowhere{}), pool.WithCodec(raw), pool.WithID(func([]byte) string { return "given" }))
		require.NoError(t, err)
		require.NoError(t, kept.Start(t.Context()))
		item := testing.AllocsPerRun(1000, func() {
			_ = kept.Submit(t.Context(), nil)
			_ = p.Submit(t.Context(), tell)
			<-submitted
		})
		assert.LessOrEqual(t, item, 1.0, "a lane item that knows its ID, with the journal %s", mode)
	}
}
