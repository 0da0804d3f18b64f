package main

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

// inTest is the demonstration, in a directory of the test.
func inTest(t *testing.T, d demo) *demo {
	t.Helper()
	d.out = t.Output()
	d.Dir = t.TempDir()
	return &d
}

// TestStopped is the demonstration: 20,000 rows, a provider that takes 200 ms,
// SIGTERM after 1.5 s, and a second life. All of it in processes of their own.
func TestStopped(t *testing.T) {
	t.Parallel()
	story := demo{rows: 20_000, latency: 200 * time.Millisecond, stopAfter: 1500 * time.Millisecond, stopTimeout: 3 * time.Second}

	t.Run("NaiveLosesMost", func(t *testing.T) {
		t.Parallel()
		d := inTest(t, story)
		d.naive, d.patience = true, 3*time.Second
		o, err := d.play(t.Context())
		require.NoError(t, err)
		// On a machine that is busy with other things it may not have read
		// all rows by then.
		accepted := o.first.Ended() + o.first.Inside
		assert.Greater(t, o.Lost(), accepted/2, "of %d", accepted)
		assert.Zero(t, o.exitCode, "and it says that all is well")
		log, err := os.ReadFile(d.log())
		require.NoError(t, err)
		assert.Contains(t, string(log), "graceful shutdown: success")
	})

	t.Run("OursLosesNothing", func(t *testing.T) {
		t.Parallel()
		d := inTest(t, story)
		d.patience = time.Minute
		o, err := d.play(t.Context())
		require.NoError(t, err)
		assert.Zero(t, o.exitCode)
		assert.Zero(t, o.lost)
		assert.Positive(t, o.saved, "it was stopped in the middle")
		assert.Zero(t, o.Lost())
		assert.Equal(t, o.expected, o.sum)
		assert.Equal(t, o.expected.Delivered, o.sent.Delivered)
		assert.Zero(t, o.sent.Duplicates, "each receiver has it once")
	})
}

// TestKilledAtAnyMoment kills the platform again and again, while the provider
// fails now and then, and lets it finish at last. LONG_TESTS=1 kills it a
// hundred times.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills, rows := 5, 6000
	if os.Getenv("LONG_TESTS") != "" {
		kills, rows = 100, 20_000
	}
	d := inTest(t, demo{rows: rows, latency: 200 * time.Millisecond, patience: time.Minute, stopTimeout: 15 * time.Second})
	expected, err := d.prepare()
	require.NoError(t, err)
	service, err := d.startProvider(t.Context())
	require.NoError(t, err)
	defer func() { _, _ = service.end(syscall.SIGKILL) }()
	defer d.client.Close()
	require.NoError(t, d.client.Behave(t.Context(), provider.Behaviour{Latency: d.latency, ErrorRate: 0.05, Deduplicate: true}))

	for range kills {
		platform, err := d.start(t.Context())
		require.NoError(t, err)
		after := time.Duration(50+rand.IntN(1450)) * time.Millisecond
		<-time.After(after)
		code, err := platform.end(syscall.SIGKILL)
		require.NoError(t, err)
		require.Equal(t, -1, code, "it was killed, and had not ended before: %s", tail(t, d.log()))
		sum, err := newTally(d.Settings).Sum()
		require.NoError(t, err)
		t.Logf("killed after %v: %v", after, sum)
	}

	require.NoError(t, d.client.Behave(t.Context(), provider.Behaviour{Latency: fast, ErrorRate: 0.05, Deduplicate: true}))
	platform, err := d.start(t.Context())
	require.NoError(t, err)
	sum, err := d.settle(t.Context())
	require.NoError(t, err)
	code, err := platform.end(syscall.SIGTERM)
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, expected, sum)

	sent, err := d.client.Sum(t.Context())
	require.NoError(t, err)
	assert.Equal(t, expected.Delivered, sent.Delivered)
	assert.Zero(t, sent.Duplicates, "each receiver has it once")
	t.Logf("%d messages came again after the kills", sent.Repeated)

	again := 0
	for row, n := range acceptedRows(t, d.Settings) {
		again += n - 1
		assert.LessOrEqual(t, n, kills+1, row)
	}
	assert.LessOrEqual(t, again, kills, "a kill makes it read the row again that was in flight, and no other")
}

// acceptedRows is how often each row was accepted.
func acceptedRows(t *testing.T, s Settings) map[string]int {
	t.Helper()
	times := map[string]int{}
	r := Reader{path: s.records()}
	for e, err := range r.News() {
		require.NoError(t, err)
		for _, to := range e.To {
			if e.State == Accepted {
				times[to.Row]++
			}
		}
	}
	return times
}

// tail is the end of a log.
func tail(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text[max(0, len(text)-2000):])
}
