package browsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/batchmodule"
	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// envShop holds a shop as JSON; with it, the test binary is the service.
const envShop = "BROWSERTEST_SHOP"

// shop is the service under test: it sends messages, which takes as long as they
// say. It does what it is told on its standard input.
type shop struct {
	// Config is its configuration, as YAML.
	Config string
	// Many is how many pools there are besides.
	Many int
}

// message is work that takes its time.
type message struct {
	Text  string
	Takes time.Duration
}

type receipt struct{ Text string }

// The orders, each a line.
const (
	orderWork = "work" // COUNT DURATION: so many messages, each as long
	orderTick = "tick" // DURATION: so often, each of the many pools has a task
)

func runShop(text string) {
	var s shop
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	app.Run(s.options())
	os.Exit(0)
}

func (s shop) options() fx.Option {
	return fx.Options(
		modules.Default(),
		modules.Sources(config.Options{Name: "shop", File: "shop.yaml", ReadFile: func(string) ([]byte, error) { return []byte(s.Config), nil }}),
		poolmodule.Provide("sms", pool.Config{Workers: 4, Queue: 256}),
		poolmodule.Lane[message]("sms", "sms", newSender),
		poolmodule.Provide("email", pool.Config{Workers: 2, Queue: 64}),
		batchmodule.Provide[receipt]("delivered", newBooks, batch.Config{MaxItems: 100, Linger: 200 * time.Millisecond}),
		httpmodule.Handle("GET /hello", func() http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })
		}),
		fx.Invoke(fx.Annotate(func(*pool.Pool) {}, fx.ParamTags(`name:"email"`))),
		fx.Invoke(func(lc fx.Lifecycle, lane *pool.Lane[message], c *lifecycle.Conductor) error {
			many, err := openMany(lc, s.Many)
			takeOrders(lc, lane, many, c)
			return err
		}),
	)
}

func newSender(books *batch.Batcher[receipt]) pool.Handler[message] {
	return func(ctx context.Context, m message) error {
		timer := time.NewTimer(m.Takes)
		defer timer.Stop()
		select {
		case <-timer.C:
			return books.Add(ctx, receipt{m.Text})
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func newBooks() batch.Sink[receipt] {
	return func(context.Context, []receipt) error { return nil }
}

// takeOrders reads them until the process ends: a read of the standard input
// cannot be ended.
func takeOrders(lc fx.Lifecycle, lane *pool.Lane[message], many []*pool.Pool, c *lifecycle.Conductor) {
	lifecycle.Append(lc, lifecycle.Hook{Name: "orders", OnStart: func(context.Context) error {
		go func() { // ends with the process; the receipt calls it a leak, which it is
			<-c.When(lifecycle.Started)
			lines := bufio.NewScanner(os.Stdin)
			for lines.Scan() {
				words := strings.Fields(lines.Text())
				switch words[0] {
				case orderWork:
					var n int
					var text string
					_, _ = fmt.Sscan(strings.Join(words[1:], " "), &n, &text)
					takes, _ := time.ParseDuration(text)
					for range n {
						_ = lane.Submit(context.Background(), message{"tea", takes}) // refused once it stops
					}
				case orderTick:
					every, _ := time.ParseDuration(words[1])
					go tick(many, every)
				}
			}
		}()
		return nil
	}})
}

func tick(many []*pool.Pool, every time.Duration) {
	for range time.Tick(every) {
		for _, p := range many {
			_ = p.Submit(context.Background(), func(context.Context) {})
		}
	}
}
