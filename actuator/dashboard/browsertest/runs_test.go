package browsertest

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rows are the texts of the rows of a table, by its label.
func (tb *tab) rows(label string) []string {
	tb.t.Helper()
	return is[[]string](tb, `[...document.querySelectorAll("[aria-label=" + CSS.escape(%s) + "] tbody tr")].map(e => e.innerText)`, label)
}

// TestFlushesAndRunsAreTables: what came of the last flushes, and of the last
// runs: one that was stopped, and one that was killed.
func TestFlushesAndRunsAreTables(t *testing.T) {
	addr, dir := freeAddress(t), t.TempDir()
	first := openAt(t, addr, dir, shop{})
	first.signal(syscall.SIGTERM)
	first.wait()
	second := openAt(t, addr, dir, shop{})
	second.signal(syscall.SIGKILL)
	second.wait()

	p := openAt(t, addr, dir, shop{})
	p.order("work 3 1ms")
	tb := newTab(t, p.url())
	tb.open(p)
	tb.at("#/batchers/batch:delivered", `[aria-label="flushes"] tbody tr`)
	flushes := tb.rows("flushes")
	require.NotEmpty(t, flushes)
	assert.Contains(t, flushes[0], "linger")
	assert.Contains(t, flushes[0], "delivered")

	tb.at("#/lifecycle", `[aria-label="last runs"] tbody tr`)
	runs := tb.rows("last runs")
	require.Len(t, runs, 2)
	assert.Contains(t, runs[0], "killed")
	assert.Contains(t, runs[1], "SIGTERM")
	assert.NotRegexp(t, `\bundefined\b|\bNaN\b|\[object |\bnull\b`, is[string](tb, `document.body.innerText`))
}
