package browsertest

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const screenshots = "../screenshots"

// mostBytes is what one may have.
const mostBytes = 200 << 10

// TestScreenshots draws those of the README anew with -update; otherwise it looks
// at those there are.
func TestScreenshots(t *testing.T) {
	if *update {
		draw(t)
	}
	for _, name := range []string{"overview-light", "overview-dark", "pool-light", "pool-dark", "stop-light", "stop-dark", "narrow-light"} {
		content, err := os.ReadFile(filepath.Join(screenshots, name+".png"))
		require.NoError(t, err, "draw it: go test . -run Screenshots -update")
		assert.LessOrEqual(t, len(content), mostBytes, name)
		_, err = png.DecodeConfig(bytes.NewReader(content))
		require.NoError(t, err, name)
	}
}

func draw(t *testing.T) {
	require.NoError(t, os.MkdirAll(screenshots, 0o755))
	p := open(t, shop{})
	tb := newTab(t, p.url())
	tb.allow("ERR_")
	tb.do(scheme("light"))
	tb.open(p)
	tb.at(sms, `[data-metric="busy_workers"]`)
	for i := range 60 { // some minutes of a service would be better, but nobody waits for them
		p.order("work %d %dms", 12+int(10*math.Sin(float64(i)/5))+i%3, 60+20*(i%4))
		time.Sleep(time.Second)
	}
	p.order("work 150 90ms") // so that there is something to see
	time.Sleep(time.Second)
	both := func(name string) {
		for _, s := range []string{"light", "dark"} {
			tb.do(scheme(s))
			tb.shoot(name + "-" + s)
		}
	}
	both("pool")
	tb.visit("overview")
	both("overview")
	tb.do(scheme("light"), size(320, 640))
	tb.shoot("narrow-light")
	tb.do(size(1280, 800))
	tb.visit("lifecycle")
	p.order("work 60 400ms")
	time.Sleep(time.Second)
	p.signal(syscall.SIGTERM)
	tb.until(`["draining", "stopping"].includes(document.body.dataset.state)`)
	time.Sleep(2 * time.Second)
	both("stop")
	p.wait()
}

// shoot keeps what is shown.
func (tb *tab) shoot(name string) {
	tb.t.Helper()
	time.Sleep(300 * time.Millisecond) // two pictures of the feed may differ in colour
	content, err := chromedp.Run(tb.ctx, chromedp.CaptureScreenshot())
	require.NoError(tb.t, err)
	require.NoError(tb.t, os.WriteFile(filepath.Join(screenshots, name+".png"), content, 0o644))
}
