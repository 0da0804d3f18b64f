package browsertest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chromedp/chromedp"
)

// sms is where the page of a pool is.
const sms = "#/pools/pool:sms"

// at goes to a place within the dashboard.
func (tb *tab) at(hash, selector string) {
	tb.t.Helper()
	tb.js(`location.hash = %s`, hash)
	tb.until(`document.querySelector(%s) !== null`, selector)
}

// fill types into a field, in place of what is there.
func (tb *tab) fill(selector, text string) {
	tb.t.Helper()
	tb.until(`(() => { const e = document.querySelector(%s); return e && !e.disabled })()`, selector)
	tb.js(`document.querySelector(%s).select()`, selector)
	tb.do(chromedp.SendKeys(chromedp.CSS(selector), text))
	tb.until(`document.querySelector(%s).value === %s`, selector, text)
}

func TestLoadMovesTheGauge(t *testing.T) {
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.open(p)
	tb.at(sms, `[data-metric="busy_workers"]`)
	tb.until(`document.querySelector('[data-metric="busy_workers"]').textContent.trim() === "0"`)
	// The clock of the page runs from before the order to when it shows.
	tb.js(`
		const began = performance.now();
		window.moved = new Promise((resolve) => {
			const timer = setInterval(() => {
				if (document.querySelector('[data-metric="busy_workers"]')?.textContent.trim() === "4") { clearInterval(timer); resolve(performance.now() - began); }
			}, 5);
		});
	`)
	p.order("work 8 1h")
	took := time.Duration(is[float64](tb, `window.moved`) * float64(time.Millisecond))
	t.Logf("the gauge has moved %v after the order", took.Round(time.Millisecond))
	assert.Less(t, took, 20*time.Second, "2 s on a machine with nothing else to do")
}

func TestResizeInThePageIsInForce(t *testing.T) {
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.open(p)
	tb.at(sms, `[data-knob="workers"]`)
	require.EqualValues(t, 4, p.knob("pool:sms", "workers"))
	tb.fill(`[data-knob="workers"]`, "7")
	tb.click(`[data-action="resize"]`)
	tb.until(`document.querySelector("dialog[open]")?.innerText.includes("curl")`)
	assert.EqualValues(t, 4, p.knob("pool:sms", "workers"), "nothing changes before it is confirmed")
	tb.click(`[data-confirm]`)
	require.Eventually(t, func() bool { return p.knob("pool:sms", "workers") == 7.0 }, patience, 50*time.Millisecond)
	shown := p.call(http.MethodGet, "/pools/pool:sms", nil)
	assert.EqualValues(t, 7, shown["stats"].(map[string]any)["limits"].(map[string]any)["workers"])
	tb.until(`document.querySelector("dialog[open]") === null || document.querySelector("dialog[open] [data-done]") !== null`)
	tb.do(chromedp.KeyEvent("\x1b"))
	tb.until(`[...document.querySelectorAll('[data-metric="max_workers"]')].some((e) => e.textContent.trim() === "7")`)
	entry := p.call(http.MethodGet, "/audit", nil)["entries"].([]any)[0].(map[string]any)
	assert.Equal(t, "pool:sms", entry["component"])
	assert.Equal(t, "somebody on this machine", entry["by"])
}

func TestStaleChangeShowsTheConflict(t *testing.T) {
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.allow("412") // a browser logs it
	tb.open(p)
	tb.at(sms, `[data-knob="workers"]`)
	tb.fill(`[data-knob="workers"]`, "7")
	p.call(http.MethodPatch, "/components/pool:sms/knobs", map[string]any{"workers": 9})
	tb.click(`[data-action="resize"]`)
	if !is[bool](tb, `document.querySelector("[data-conflict]") !== null`) {
		tb.until(`document.querySelector("[data-conflict], [data-confirm]") !== null`)
		tb.js(`document.querySelector("[data-confirm]")?.click()`)
	}
	tb.until(`document.querySelector("[data-conflict]")?.checkVisibility()`)
	assert.EqualValues(t, 9, p.knob("pool:sms", "workers"), "what the other has done stays")
}

// writes are the buttons that change something.
const writes = `[...document.querySelectorAll("[data-action], [data-confirm]")].map((e) => e.dataset.action ?? "confirm")
  .filter((name) => ["resize", "change", "flush", "drain", "undrain", "stop", "redrive", "rollback", "level", "confirm"].includes(name))`

func TestReadOnlyHidesWhatChangesSomething(t *testing.T) {
	p := open(t, shop{}, "endpoints: {shutdown: true}")
	tb := newTab(t, p.url())
	tb.open(p)
	found := map[string]bool{}
	look := func(tb *tab) {
		for _, name := range tb.pages() {
			tb.visit(name)
			tb.answered()
			for _, w := range is[[]string](tb, writes) {
				found[w] = true
			}
		}
		tb.at(sms, `[data-knob="workers"]`)
		for _, w := range is[[]string](tb, writes) {
			found[w] = true
		}
	}
	look(tb)
	for _, name := range []string{"resize", "stop", "level"} {
		assert.True(t, found[name], "%s is there otherwise: %v", name, found)
	}
	quiet := open(t, shop{}, "endpoints: {shutdown: true}", "read_only: true")
	clear(found)
	tb = newTab(t, quiet.url())
	tb.open(quiet)
	look(tb)
	assert.Empty(t, found)
	assert.Empty(t, is[[]string](tb, `[...document.querySelectorAll("[data-knob]")].filter((e) => !e.disabled).map((e) => e.dataset.knob)`))
}

func TestTokenIsAskedForAndSent(t *testing.T) {
	// As one that comes from elsewhere, which only the token lets in: whoever shows
	// a wrong one is not trusted, wherever it is.
	p := open(t, shop{}, "token: Kaffee-4711")
	tb := newTab(t, p.url())
	tb.allow("401")
	tb.do(chromedp.Navigate(p.url()))
	tb.js(`sessionStorage.setItem("lastcall.token", "wrong")`)
	tb.do(chromedp.Reload())
	tb.until(`document.querySelector("input[type=password]") !== null`)
	assert.NotContains(t, is[string](tb, `document.body.innerText`), "pool:sms")
	tb.fill("input[type=password]", "Kaffee-4711")
	tb.do(chromedp.KeyEvent("\r"))
	tb.until(`document.body.dataset.state === "running"`)
	assert.NotContains(t, is[string](tb, `document.documentElement.outerHTML + location.href + JSON.stringify(localStorage) + document.cookie`), "Kaffee-4711")
}
