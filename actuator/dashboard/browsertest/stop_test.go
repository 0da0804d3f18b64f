package browsertest

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A stop is watched to its end, and the next process by the same page. What is
// left to say when the receipt is there has 50 ms: on a busy machine it may be
// cut, but not each time.
func TestStopIsWatchedAndTheNextProcessToo(t *testing.T) {
	addr, dir := freeAddress(t), t.TempDir()
	p := openAt(t, addr, dir, shop{})
	tb := newTab(t, p.url())
	// Between two processes nobody answers, which a browser logs.
	tb.allow("ERR_CONNECTION", "ERR_INCOMPLETE_CHUNKED", "ERR_EMPTY_RESPONSE", "ERR_ABORTED")
	tb.open(p)
	tb.visit("lifecycle")
	tb.js(`window.never = "reloaded"; window.states = [];
		new MutationObserver(() => window.states.push(document.body.dataset.state)).observe(document.body, { attributes: true, attributeFilter: ["data-state"] })`)
	seen := false
	for life := 0; life < 5 && !seen; life++ {
		p.order("work 4 1s")
		require.Eventually(t, func() bool { return p.call("GET", "/drain", nil)["inside"].(float64) > 0 }, patience, 10*time.Millisecond)
		tb.js(`window.states.length = 0`)
		p.signal(syscall.SIGTERM)
		tb.until(`["draining", "stopping"].includes(document.body.dataset.state)`)
		assert.NotRegexp(t, `\bundefined\b|\bNaN\b`, is[string](tb, `document.body.innerText`))
		p.wait()
		tb.until(`["stopped", "reconnecting"].includes(document.body.dataset.state)`)
		states := is[[]string](tb, `window.states`)
		t.Logf("the page went through %v", states)
		seen = states[len(states)-1] == "stopped"
		if seen {
			tb.until(`/clean|lost|exit/i.test(document.querySelector("main").innerText)`)
		}
		p = openAt(t, addr, dir, shop{})
		tb.js(`const began = performance.now(); window.resumed = new Promise((resolve) => {
			const timer = setInterval(() => { if (document.body.dataset.state === "running") { clearInterval(timer); resolve(performance.now() - began) } }, 10) })`)
		took := time.Duration(is[float64](tb, `window.resumed`) * float64(time.Millisecond))
		t.Logf("the page shows the next process %v after that is ready", took.Round(time.Millisecond))
		assert.Less(t, took, 30*time.Second, "5 s on a machine with nothing else to do")
		assert.Equal(t, "reloaded", is[string](tb, `window.never`), "it is the same page")
	}
	assert.True(t, seen, "the end of the stop was never shown")
}

func TestDrainIsTakenBackAndStopStops(t *testing.T) {
	p := open(t, shop{}, "endpoints: {shutdown: true}")
	tb := newTab(t, p.url())
	tb.allow("ERR_", "503") // a drain that is not quiet answers so
	tb.open(p)
	tb.visit("lifecycle")
	tb.click(`[data-action="drain"]`)
	tb.click(`[data-confirm]`)
	tb.until(`["draining", "drained"].includes(document.body.dataset.state)`)
	assert.Equal(t, http.StatusServiceUnavailable, p.status("readyz"))
	tb.close()
	tb.click(`[data-action="undrain"]`)
	tb.click(`[data-confirm]`)
	tb.until(`document.body.dataset.state === "running"`)
	assert.Equal(t, http.StatusOK, p.status("readyz"))
	tb.close()
	tb.click(`[data-action="stop"]`)
	tb.click(`[data-confirm]`)
	p.wait()
	assert.Zero(t, p.cmd.ProcessState.ExitCode())
}

// close closes the dialog, if it is open.
func (tb *tab) close() {
	tb.t.Helper()
	tb.until(`document.querySelector("dialog[open]") === null || document.querySelector("dialog[open] [data-done]") !== null`)
	tb.js(`document.querySelector("dialog[open]")?.close()`)
}

// status is what a path answers.
func (p *process) status(path string) int {
	p.t.Helper()
	resp, err := http.Get(p.url() + path)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	return resp.StatusCode
}
