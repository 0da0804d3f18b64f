package browsertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chromium is the browser there is; empty: none.
var chromium = sync.OnceValue(func() string {
	if path := os.Getenv("LASTCALL_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
})

// browser is the one that all tests use, each in a window of its own.
var (
	browserOnce sync.Once
	browser     context.Context
	browserEnd  = func() {}
	errBrowser  error
)

func startBrowser() {
	profile, err := os.MkdirTemp("", "browsertest-")
	if err != nil {
		errBrowser = err
		return
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium()), chromedp.UserDataDir(profile),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, end := chromedp.NewContext(allocator)
	browserEnd = func() {
		_ = chromedp.Cancel(ctx) // it is killed with the allocator if it does not end
		end()
		endAllocator()
		_ = os.RemoveAll(profile)
	}
	browser, errBrowser = ctx, chromedp.Do(ctx)
}

func closeBrowser() { browserEnd() }

// tab is a window of the browser, and what went wrong in it.
type tab struct {
	t   *testing.T
	ctx context.Context
	own string // the one host that may be asked

	mu      sync.Mutex
	wrong   []string // in the console, or requests to others
	allowed []string // parts of what may go wrong
	asked   []string // all URLs
}

// newTab is a window of its own for what is at an address, looked over when the
// test ends. Without a browser the test is skipped, but not on CI.
func newTab(t *testing.T, address string) *tab {
	t.Helper()
	if chromium() == "" {
		const missing = "there is no Chromium: install chromium, or name one in LASTCALL_CHROMIUM"
		if os.Getenv("NOTHING_SKIPPED") != "" {
			require.FailNow(t, missing)
		}
		t.Skip(missing)
	}
	browserOnce.Do(startBrowser)
	require.NoError(t, errBrowser)
	u, err := url.Parse(address)
	require.NoError(t, err)
	tb := &tab{t: t, own: u.Host}
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.hear))
	tb.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			tb.picture(t)
		}
		end()
		tb.mu.Lock()
		defer tb.mu.Unlock()
		for _, wrong := range tb.wrong {
			assert.Fail(t, "something went wrong in the page", "%s", wrong)
		}
	})
	// Without a time limit: the window lives as long as the first call's context.
	require.NoError(t, chromedp.Do(ctx, call(network.Enable, network.EnableParams{}), call(log.Enable, cdp.Empty{}), size(1280, 800)))
	return tb
}

// hear notes what a page does.
func (tb *tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value), arg.Description)
			}
			tb.note("console: " + strings.Join(words, " "))
		}
	case *runtime.EventExceptionThrown:
		tb.note("exception: " + (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tb.note(fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		u, err := url.Parse(e.Request.URL)
		if err != nil || u.Host != tb.own {
			tb.note("a request to another origin: " + e.Request.URL)
			return
		}
		tb.mu.Lock()
		tb.asked = append(tb.asked, u.Path)
		tb.mu.Unlock()
	}
}

func (tb *tab) note(wrong string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, part := range tb.allowed {
		if strings.Contains(wrong, part) {
			return
		}
	}
	tb.wrong = append(tb.wrong, wrong)
}

// allow says what is expected to be logged, by a part of it: a browser logs every
// request that is not answered with 2xx.
func (tb *tab) allow(parts ...string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.allowed = append(tb.allowed, parts...)
}

func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	require.NoError(tb.t, chromedp.Do(ctx, steps...))
}

// call is a command of the protocol as a step.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// size is that of the window.
func size(width, height int64) chromedp.Action[chromedp.Void] {
	return call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500,
	})
}

// scheme is what the system's colours are: "light" or "dark".
func scheme(name string) chromedp.Action[chromedp.Void] {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// is evaluates an expression, or what it promises.
func is[T any](tb *tab, expression string, args ...any) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script(expression, args), chromedp.EvalAwaitPromise))
	require.NoError(tb.t, err, expression)
	return value
}

// js runs statements.
func (tb *tab) js(statements string, args ...any) {
	tb.t.Helper()
	is[any](tb, "(() => { "+script(statements, args)+" })()")
}

// until waits until an expression is true.
func (tb *tab) until(expression string, args ...any) {
	tb.t.Helper()
	expression = script(expression, args)
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	require.NoError(tb.t, err, "it has not come true: %s\n%s", expression, tb.text())
}

// script puts arguments into an expression, as JSON.
func script(expression string, args []any) string {
	for i, arg := range args {
		args[i] = jsonOf(arg)
	}
	if len(args) == 0 {
		return expression
	}
	return fmt.Sprintf(expression, args...)
}

// text is what the page shows, for a failure.
func (tb *tab) text() string {
	ctx, cancel := context.WithTimeout(tb.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	return fmt.Sprint(text, errors.Unwrap(err))
}

// picture keeps what a failed test has seen, where that is asked for.
func (tb *tab) picture(t *testing.T) {
	dir := os.Getenv("BROWSERTEST_PICTURES")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(tb.ctx, 5*time.Second)
	defer cancel()
	if png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
		name := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".png")
		t.Log(name, os.WriteFile(name, png, 0o600))
	}
}

// click presses what a selector finds, as a mouse does.
func (tb *tab) click(selector string) {
	tb.t.Helper()
	tb.until(`(() => { const e = document.querySelector(%s); return e && !e.disabled && e.getClientRects().length > 0 })()`, selector)
	tb.do(chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// open is the dashboard of a service, which has answered.
func (tb *tab) open(p *process) {
	tb.t.Helper()
	tb.do(chromedp.Navigate(p.url()))
	tb.until(`document.body?.dataset.state === "running"`)
}

// visit goes to a page of the dashboard, by its link.
func (tb *tab) visit(page string) {
	tb.t.Helper()
	link := `[data-nav="` + page + `"]`
	tb.until(`document.querySelector(%s) !== null`, link)
	tb.js(`document.querySelector(%s).click()`, link)
	tb.until(`document.querySelector("main")?.dataset.page === %s`, page)
}

// answered waits until the page that is visited shows what it has asked for, and
// not only that it asks.
func (tb *tab) answered() {
	tb.t.Helper()
	tb.until(`(() => { const text = document.querySelector("main").innerText.trim(); return text.length > 20 && !text.includes("Asking…") })()`)
}
