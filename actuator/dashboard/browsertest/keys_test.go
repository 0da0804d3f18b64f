package browsertest

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEverythingIsReachedByKeyboard(t *testing.T) {
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.open(p)
	for _, place := range []string{"#/overview", "#/lifecycle", sms} {
		tb.at(place, "main h1")
		tb.until(`document.querySelector("main").innerText.trim().length > 100`)
		tb.answered()
		tb.js(`document.activeElement.blur(); window.scrollTo(0, 0); window.wanted = ` + reachable + `; window.reached = new Set()`)
		wanted := is[int](tb, `window.wanted.length`)
		require.Greater(t, wanted, 10, place)
		// Round and round until the focus is where it has been. The page is alive:
		// there may be more by then.
		for again, n := false, 0; !again && n < 5*wanted; n++ {
			tb.do(chromedp.KeyEvent("\t"))
			shows := is[string](tb, focusShows)
			assert.False(t, strings.HasPrefix(shows, "hidden"), "%s: nothing shows that the focus is at %s", place, shows)
			again = is[bool](tb, `(() => {
				const e = document.activeElement, again = e !== document.body && window.reached.has(e);
				window.reached.add(e);
				return again;
			})()`)
		}
		missing := is[[]string](tb, `window.wanted.filter((e) => e.isConnected && !window.reached.has(e)).map((e) => e.outerHTML.slice(0, 120))`)
		assert.Empty(t, missing, "%s: not reached by Tab", place)
	}

	tb.js(`document.querySelector('[data-nav="events"]').focus()`)
	tb.do(chromedp.KeyEvent("\r"))
	tb.until(`document.querySelector("main").dataset.page === "events"`)
}

func TestDialogIsUsedByKeyboardAlone(t *testing.T) {
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.open(p)
	tb.at(sms, `[data-knob="workers"]`)
	tb.js(`document.querySelector('[data-knob="workers"]').focus()`)
	tb.fill(`[data-knob="workers"]`, "5")
	tb.until(`document.querySelector('[data-action="resize"]').disabled === false`)
	tb.do(chromedp.KeyEvent("\r")) // sends the form
	tb.until(`(() => { const e = document.querySelector("dialog[open] [data-confirm]"); return e && !e.disabled })()`)
	assert.True(t, is[bool](tb, `document.querySelector("dialog[open]").contains(document.activeElement)`), "the focus is in the dialog, not at %s", is[string](tb, focusShows))
	tb.do(chromedp.KeyEvent("\x1b"))
	tb.until(`document.querySelector("dialog[open]") === null`)
	assert.EqualValues(t, 4, p.knob("pool:sms", "workers"), "Escape changes nothing")
	tb.js(`document.querySelector('[data-action="resize"]').focus()`)
	tb.do(chromedp.KeyEvent("\r"))
	tb.until(`(() => { const e = document.querySelector("dialog[open] [data-confirm]"); return e && !e.disabled })()`)
	tb.js(`document.querySelector("[data-confirm]").focus()`)
	tb.do(chromedp.KeyEvent("\r"))
	tb.until(`document.querySelector("[data-done]") !== null || document.querySelector("dialog[open]") === null`)
	assert.EqualValues(t, 5, p.knob("pool:sms", "workers"))
}
