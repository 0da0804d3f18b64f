package crashtest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// column is a column of the promise table: a mode of the journal, and for how
// much "saved" stands.
type column struct {
	mode, sync string
}

var columns = []column{
	{"off", "process"},
	{"onstop", "process"},
	{"always", "process"},
	{"always", "50ms"},
	{"always", "always"},
}

func (c column) name() string {
	if c.mode == "always" {
		return c.mode + "," + c.sync
	}
	return c.mode
}

// config is that of the service in this column.
func (c column) config(h *house, more string) string {
	return fmt.Sprintf("http: {addr: '127.0.0.1:0'}\n"+
		"journal: {dir: %q, segment_bytes: 64KiB, max_bytes: 8MiB, sync: %s}\n"+
		"lanes: {work: {journal: %s}}\nbatchers: {work: {journal: %s}}\n", h.journals(), c.sync, c.mode, c.mode) + more
}

// Configurations of a life that is cut, and of one that comes to its end. What
// is cut keeps a long reserve: on a machine that is busy, and with a disk that
// is, even what heeds the cut takes a while.
const (
	hasty = "lifecycle: {stop_timeout: 5s, reserve: 2500ms}\nsink: {latency: 1s}\n"
	stuck = patient + "sink: {latency: 1h}\n"
	fast  = "sink: {latency: 0s}\n"

	patient = "lifecycle: {stop_timeout: 120s, reserve: 60s, grace: 60s}\n"
)

const exitWorkLost = 4

// TestPromise is the promise table of the README: each row a function, each
// column a subtest.
func TestPromise(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		do   func(*house, column)
	}{
		{"StopInTime", stopInTime},
		{"StopTooShort", stopTooShort},
		{"SecondSignal", secondSignal},
		{"ThirdSignal", thirdSignal},
		{"Panic", panics},
		{"FailsForGood", failsForGood},
		{"DiskFull", diskFull},
		{"Kill9", kill9},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range columns {
				t.Run(c.name(), func(t *testing.T) {
					t.Parallel()
					row.do(newHouse(t), c)
				})
			}
		})
	}
}

// fill gives the service more than it can do in time.
func (l *life) fill() {
	l.t.Helper()
	require.Equal(l.t, 200, l.post("lane", ids("lane", 200)...))
	require.Equal(l.t, 200, l.post("batch", ids("batch", 200)...))
}

func stopInTime(h *house, c column) {
	l := h.start(c.config(h, "sink: {latency: 2ms}\n"))
	l.fill()
	l.signal(syscall.SIGTERM)
	require.Zero(h.t, l.end(), l.logs)
	assert.Empty(h.t, h.missing())
	for id, n := range h.delivered() {
		assert.Equal(h.t, 1, n, id)
	}
}

func stopTooShort(h *house, c column) {
	l := h.start(c.config(h, hasty))
	l.fill()
	l.signal(syscall.SIGTERM)
	h.cutShort(c, l.end(), l)
}

func secondSignal(h *house, c column) {
	l := h.start(c.config(h, stuck))
	l.fill()
	l.signalHeard(syscall.SIGTERM)
	l.signal(syscall.SIGTERM)
	h.cutShort(c, l.end(), l)
}

// signalHeard returns when the service stops, and another signal is not taken
// for a copy of this one.
func (l *life) signalHeard(sig syscall.Signal) {
	l.t.Helper()
	l.signal(sig)
	require.Eventually(l.t, func() bool { return strings.Contains(l.logs.String(), `"msg":"stopping"`) }, long, 10*time.Millisecond)
	time.Sleep(150 * time.Millisecond)
}

// long is for how long tests wait for what must come.
const long = 2 * time.Minute

// cutShort is what must be true after a stop that left something over: it is
// counted as lost without a journal, and in the next life done with one.
func (h *house) cutShort(c column, exit int, l *life) {
	h.t.Helper()
	if c.mode == "off" {
		require.Equal(h.t, exitWorkLost, exit, l.logs)
		assert.Len(h.t, h.missing(), h.lost(), "the receipt counts what is missing")
		assert.NotEmpty(h.t, h.missing())
		return
	}
	require.Zero(h.t, exit, l.logs)
	assert.GreaterOrEqual(h.t, h.saved(), len(h.missing()), "a handler that was cut may have delivered all the same")
	assert.NotEmpty(h.t, h.missing())
	h.settle(c.config(h, fast))
	assert.Empty(h.t, h.missing())
}

// lost and saved are what the receipt says of the lane and the batcher.
func (h *house) lost() (n int) {
	for _, g := range h.receipt().Gates {
		n += int(g.Ledger.Lost)
	}
	return n
}

func (h *house) saved() (n int) {
	for _, g := range h.receipt().Gates {
		n += int(g.Ledger.Saved)
	}
	return n
}

func thirdSignal(h *house, c column) {
	l := h.start(c.config(h, patient+"sink: {stubborn: true}\n"))
	l.fill()
	l.signalHeard(syscall.SIGTERM)
	l.signal(syscall.SIGINT) // cuts the waiting; what does not heed that has its grace
	l.signal(syscall.SIGTERM)
	// Whichever of the two has come last.
	require.Contains(h.t, []int{128 + int(syscall.SIGTERM), 128 + int(syscall.SIGINT)}, l.end(), l.logs)
	h.killed(c)
}

func kill9(h *house, c column) {
	l := h.start(c.config(h, "sink: {latency: 1s}\n"))
	l.fill()
	require.Eventually(h.t, func() bool { return len(h.delivered()) > 0 }, long, 10*time.Millisecond)
	l.signal(syscall.SIGKILL)
	require.Equal(h.t, 128+int(syscall.SIGKILL), l.end())
	h.killed(c)
}

// killed is what must be true when there was no stop.
func (h *house) killed(c column) {
	h.t.Helper()
	missing := len(h.missing())
	require.NotZero(h.t, missing)
	if c.mode == "always" {
		l := h.settle(c.config(h, fast))
		assert.Contains(h.t, l.logs.String(), "killed: ")
		return
	}
	l := h.start(c.config(h, fast))
	l.signal(syscall.SIGTERM)
	require.Zero(h.t, l.end(), l.logs)
	assert.Len(h.t, h.missing(), missing, "memory was the only place it was in")
	if c.mode == "onstop" {
		assert.Contains(h.t, l.logs.String(), "killed: 0 entries recovered")
	}
}

func panics(h *house, c column) { h.fails(c, "panic", "asked to") }

func failsForGood(h *house, c column) { h.fails(c, "refuse", "asked to") }

// fails: what cannot be done is in the box, and the rest is done.
func (h *house) fails(c column, word, reason string) {
	l := h.start(c.config(h, fast))
	bad := ids(word, 3)
	require.Equal(h.t, 3, l.post("lane", bad...))
	require.Equal(h.t, 1, l.post("batch", word+"-in-a-batch"))
	require.Equal(h.t, 20, l.post("lane", ids("lane", 20)...))
	require.Equal(h.t, 20, l.post("batch", ids("batch", 20)...))
	l.signal(syscall.SIGTERM)
	require.Zero(h.t, l.end(), l.logs)
	assert.Len(h.t, h.missing(), 4)
	letters := h.letters()
	assert.Len(h.t, letters, 4)
	for _, id := range h.missing() {
		assert.Contains(h.t, letters[id].Last, reason, id)
	}
}

// diskFull: what finds no room is refused, nothing that was accepted is lost,
// and when there is room again work is taken.
func diskFull(h *house, c column) {
	const many = 500
	cfg := func(more string) string {
		return fmt.Sprintf("http: {addr: '127.0.0.1:0'}\njournal: {dir: %q, segment_bytes: 64KiB, max_bytes: 128KiB, sync: %s}\n"+
			"lanes: {work: {journal: %s}}\nbatchers: {work: {journal: off}}\n", h.journals(), c.sync, c.mode) + more
	}
	l := h.start(cfg(stuck))
	accepted := l.post("lane", large(ids("lane", many))...)
	l.signalHeard(syscall.SIGTERM)
	l.signal(syscall.SIGTERM)
	exit := l.end()
	switch c.mode {
	case "always":
		require.Less(h.t, accepted, many, "there was room for all of it")
		require.Zero(h.t, exit, l.logs)
		h.settle(cfg(fast))
		assert.Empty(h.t, h.missing())
		l = h.start(cfg(fast))
		assert.Equal(h.t, 10, l.post("lane", ids("later", 10)...), "there is room again")
		l.signal(syscall.SIGTERM)
		require.Zero(h.t, l.end(), l.logs)
	default: // the disk is not asked before the stop
		require.Equal(h.t, many, accepted)
		require.Equal(h.t, exitWorkLost, exit, l.logs)
		lost := h.lost()
		require.NotZero(h.t, lost)
		h.settleBut(lost, cfg(fast))
	}
}

// settleBut is settle when some were lost, and counted.
func (h *house) settleBut(lost int, cfg string) {
	h.t.Helper()
	l := h.start(cfg)
	require.Eventually(h.t, func() bool { return len(h.missing()) <= lost }, long, 10*time.Millisecond)
	l.signal(syscall.SIGTERM)
	require.Zero(h.t, l.end(), l.logs)
	assert.Len(h.t, h.missing(), lost, "as many as the receipt said")
}
