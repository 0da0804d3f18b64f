package browsertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages are the names of those there are.
func (tb *tab) pages() []string {
	tb.t.Helper()
	tb.until(`document.querySelector('[data-nav="pools"]') !== null`) // which is there with the first picture
	return is[[]string](tb, `[...document.querySelectorAll("[data-nav]")].map(e => e.dataset.nav)`)
}

func TestEveryPage(t *testing.T) {
	p := open(t, shop{})
	p.order("work 40 50ms")
	for _, look := range []struct {
		name, scheme  string
		width, height int64
	}{
		{"Desktop", "light", 1280, 800},
		{"Dark", "dark", 1280, 800},
		{"Narrow", "light", 320, 640},
	} {
		t.Run(look.name, func(t *testing.T) {
			tb := newTab(t, p.url())
			tb.do(scheme(look.scheme), size(look.width, look.height))
			tb.open(p)
			names := tb.pages()
			require.Greater(t, len(names), 5)
			t.Log("pages:", names)
			for _, name := range names {
				tb.visit(name)
				tb.answered()
				if wide := is[int64](tb, `document.scrollingElement.scrollWidth`); wide > look.width {
					assert.Fail(t, "it must be scrolled sideways", "%s is %d wide: %s", name, wide, is[string](tb, widest))
				}
				dark := is[float64](tb, lightness) < 0.5
				assert.Equal(t, look.scheme == "dark", dark, "the background of %s", name)
				assert.NotRegexp(t, `\bundefined\b|\bNaN\b|\[object |\bnull\b`, is[string](tb, `document.body.innerText`), name)
				assert.Empty(t, is[[]string](tb, unreadable), "texts of %s that are hard to read", name)
			}
		})
	}
}
