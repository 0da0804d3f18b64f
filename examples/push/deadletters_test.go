package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/examples/push/provider"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
)

// TestDeadLettersAreSentAgain: what the provider has refused goes into a CSV,
// a person mends the receivers there, and the platform sends it again. It is
// what lastcall deadletters export and import do.
func TestDeadLettersAreSentAgain(t *testing.T) {
	t.Parallel()
	p := newBench(t, 1000, provider.Behaviour{})
	var box *journal.DeadLetters
	a := p.start(t, fx.Populate(&box))
	require.Equal(t, p.expected, p.settle(t))
	require.Positive(t, p.expected.Failed)

	var key string // of one of them
	for letter, err := range box.All(t.Context()) {
		require.NoError(t, err)
		key = letter.Key
	}
	var file bytes.Buffer
	n, err := deadletter.Export(&file, deadletter.CSV, box.All(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, p.expected.Failed, n)
	assert.Contains(t, file.String(), "unknown receiver")

	mended := strings.NewReader(strings.ReplaceAll(file.String(), provider.Gone, "moved-"))
	sum, err := deadletter.SendBack(t.Context(), box, deadletter.Import(mended, deadletter.CSV), deadletter.Options{})
	require.NoError(t, err)
	assert.Equal(t, p.expected.Failed, sum.Done)

	tally := newTally(p.Settings)
	assert.Eventually(t, func() bool {
		s, err := tally.Sum()
		return err == nil && s.Failed == 0 && s.Delivered == p.expected.Delivered+p.expected.Failed
	}, time.Minute, tick)
	left, err := box.Len(t.Context())
	require.NoError(t, err)
	assert.Zero(t, left)
	a.RequireStop()
	assert.Zero(t, p.twice())

	var out bytes.Buffer
	require.NoError(t, where(&out, p.Settings, strings.Replace(key, provider.Gone, "moved-", 1)))
	assert.Contains(t, out.String(), "delivered")
}
