package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
)

// TestStopThatIsTooShort: the time of a stop ends between the two writes. The
// transfer is saved, and completed in the next life.
func TestStopThatIsTooShort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, time.Hour)
	first.post(`{"id":"1","from":"alice","to":"bob","amount":300}`)
	require.Eventually(t, func() bool { return first.audit().InTransit == 300 }, childLimit, time.Millisecond)
	receipt := first.stop(short)
	lifecycletest.AssertBalanced(t, receipt)
	assert.EqualValues(t, 1, receipt.Total.Saved)
	assert.Zero(t, receipt.Total.Lost)
	assert.EqualValues(t, 300, auditOf(t, dir).InTransit)

	second := start(t, dir, 0)
	second.post(`{"id":"2","from":"alice","to":"bob","amount":1}`) // is taken after the replay
	lifecycletest.AssertClean(t, second.stop(enough))
	assert.Equal(t, Audit{
		Balances: map[string]int64{"alice": 699, "bob": 1301},
		Sum:      2000, Opening: 2000, Whole: 2, Conserved: true,
	}, auditOf(t, dir))
}

// TestRefusedAndSentAgain: who has not enough money gets a dead letter, which
// is carried out when it is sent again and there is enough.
func TestRefusedAndSentAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, 0)
	first.post(`{"id":"1","from":"alice","to":"bob","amount":1200}`)
	first.post(`{"id":"2","from":"bob","to":"alice","amount":500}`)
	lifecycletest.AssertBalanced(t, first.stop(enough))
	assert.Equal(t, 1, auditOf(t, dir).Whole)
	letters, err := lettersIn(t.Context(), dir)
	require.NoError(t, err)
	require.Len(t, letters, 1)
	letter := letters[0]
	assert.Equal(t, "1", letter.ID)
	assert.Equal(t, "lane:transfers", letter.Component)
	assert.Equal(t, journal.ReasonPermanent, letter.Reason)
	assert.Contains(t, letter.Last, "alice has less than 1200 cents")

	second := start(t, dir, 0)
	require.NoError(t, second.box.Redrive(t.Context(), letter))
	lifecycletest.AssertClean(t, second.stop(enough))
	assert.Equal(t, Audit{
		Balances: map[string]int64{"alice": 300, "bob": 1700},
		Sum:      2000, Opening: 2000, Whole: 2, Conserved: true,
	}, auditOf(t, dir))
	letters, err = lettersIn(t.Context(), dir)
	require.NoError(t, err)
	assert.Empty(t, letters)
}
