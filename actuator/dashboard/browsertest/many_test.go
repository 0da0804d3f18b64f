package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	manyPools   = 1000
	manyViewers = 50
)

// With a thousand pools of which each has a task every second, the page is there
// soon, and fifty who watch cost little more than one.
func TestManyPoolsAndManyViewers(t *testing.T) {
	p := open(t, shop{Many: manyPools})
	p.order("tick 1s")
	var seen atomic.Int64
	var viewers sync.WaitGroup
	defer viewers.Wait()
	cost := map[int]float64{}
	for _, n := range []int{0, 1, manyViewers} {
		for range n - int(seen.Load()) {
			viewers.Go(func() { p.watch(t, &seen) })
		}
		require.Eventually(t, func() bool { return seen.Load() == int64(n) }, patience, 10*time.Millisecond)
		cost[n] = p.cpu(3 * time.Second)
	}
	t.Logf("the service has used, of one processor: %.1f %% with no viewer, %.1f %% with one, %.1f %% with %d",
		cost[0], cost[1], cost[manyViewers], manyViewers)

	tb := newTab(t, p.url())
	tb.do(chromedp.Navigate(p.url() + "#/pools"))
	tb.until(`document.querySelectorAll('[data-component^="pool:"]').length > 0`)
	first := is[float64](tb, `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0`)
	t.Logf("first paint of the page after %.0f ms", first)
	// Twice: the second time the files are in the browser.
	tb.do(chromedp.Reload())
	rows := is[float64](tb, `new Promise((resolve) => { const look = () => document.querySelectorAll('[data-component^="pool:"]').length > 0 ? resolve(performance.now()) : setTimeout(look, 5); look() })`)
	t.Logf("the first pools of %d are shown %.0f ms after the page was asked for, beside %d viewers", manyPools, rows, manyViewers)
	assert.Less(t, rows, 20_000.0, "1 s on a machine with nothing else to do")
	// Only what can be seen is in the document.
	assert.Less(t, is[int](tb, `document.querySelectorAll("*").length`), 5000)

	tb.allow("ERR_")
	p.signal(syscall.SIGTERM) // the viewers end with it
	p.wait()
}

// watch reads the feed to its end. The first picture is counted.
func (p *process) watch(t *testing.T, seen *atomic.Int64) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url()+"actuator/feed", http.NoBody)
	if !assert.NoError(t, err) {
		return
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if !assert.NoError(t, err) {
		return
	}
	defer resp.Body.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, first); err == nil {
		seen.Add(1)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // it ends with the service
}

// cpu is how much of one processor the service uses for some time, in percent.
func (p *process) cpu(over time.Duration) float64 {
	p.t.Helper()
	before, began := p.ticks(), time.Now()
	time.Sleep(over)
	const perSecond = 100 // USER_HZ, on every Linux
	return 100 * float64(p.ticks()-before) / perSecond / time.Since(began).Seconds()
}

// ticks are those the service has used so far, in user and system mode.
func (p *process) ticks() int {
	p.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("there is no /proc here: %v", err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have anything in it
	var user, system int
	var skip string
	_, err = fmt.Sscan(rest, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	require.NoError(p.t, err)
	return user + system
}
