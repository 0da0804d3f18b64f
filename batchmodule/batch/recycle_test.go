package batch

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// Looks inside, because memory that is kept cannot be seen from outside.
func TestRecycledSlicesHoldAtMostOneBuffer(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	sink := func(context.Context, []int) error { <-hold; return nil }
	b, err := New("orders", sink, Config{MaxItems: 8, Buffer: 100}, WithKey(strconv.Itoa))
	require.NoError(t, err)
	for i := range 100 { // append gives a slice of one a capacity of one
		require.NoError(t, b.Add(t.Context(), i))
	}
	require.NoError(t, b.Start(t.Context()))
	close(hold)
	require.NoError(t, b.Flush(t.Context()))
	for i := range 800 { // the slices grow while they are used again
		require.NoError(t, b.Add(t.Context(), i/8))
	}
	require.NoError(t, b.Flush(t.Context()))

	b.mu.Lock()
	kept := 0
	for _, s := range b.free {
		kept += cap(s.items)
	}
	assert.Positive(t, kept)
	assert.LessOrEqual(t, kept, 100)
	assert.Equal(t, kept, b.freeCap)
	b.mu.Unlock()
	_, err = b.Stop(t.Context())
	require.NoError(t, err)
}

// Looks inside for the same reason.
func TestRecycledTagsHoldNothing(t *testing.T) {
	t.Parallel()
	sink := func(_ context.Context, items []int) error {
		if items[0] == 0 {
			return Permanent(errors.New("no"))
		}
		return nil
	}
	b, err := New("orders", sink, Config{MaxItems: 4},
		WithJournal[int](journaltest.NewMemory(0)), WithDeadLetters[int](journal.NewDeadLetters(journaltest.NewMemory(0))))
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context()))
	_, err = b.AddAll(t.Context(), []int{0, 1, 2, 3})
	require.NoError(t, err)
	_ = b.Flush(t.Context()) // one of them failed

	b.mu.Lock()
	require.Len(t, b.free, 1)
	tags := b.free[0].tags
	require.GreaterOrEqual(t, cap(tags), 4)
	for _, held := range tags[:4] {
		assert.Zero(t, held)
	}
	b.mu.Unlock()
	require.NoError(t, b.Save(t.Context()))
}
