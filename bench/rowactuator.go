package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator/management"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// looks are what somebody asks the management server for, again and again.
type looks struct {
	name, setup string
	server      bool
	every       []string // asked once a second
	stream      string   // read all the time
}

var (
	nobody = looks{name: "off", setup: "no management server"}
	scrape = looks{name: "lastcall", setup: "management server; /prometheus and /health asked every second", server: true,
		every: []string{"/actuator/prometheus", "/actuator/health"}}
	again = looks{name: "off, again", setup: "the same as off: what differs is chance"}
	page  = looks{name: "lastcall, a page open", setup: "the same, and what a dashboard reads, /feed", server: true,
		every: scrape.every, stream: "/actuator/feed"}
)

// actuatorRows are empty tasks in an application that is looked at.
func actuatorRows() []harness.Row {
	row := harness.Row{
		ID:      "actuator",
		Title:   "Empty tasks while somebody looks",
		Work:    "16 goroutines submit tasks that do nothing to 4 workers of an application, for some seconds",
		N:       50_000_000,
		ShortN:  2_048,
		Columns: []harness.Metric{harness.Wall, harness.CPU, harness.Bytes},
		Targets: []harness.Target{{Metric: harness.Wall, Limit: 1.01}},
		Notes: []string{
			"The last line is what two runs of the same differ by.",
			"Who asks is in the same process, and what it takes to ask and to read the answer is in the numbers.",
		},
	}
	for _, l := range []looks{nobody, scrape, page, again} {
		row.Contestants = append(row.Contestants, harness.Contestant{
			Name: l.name, Setup: l.setup,
			Run: func(t *harness.Trial) error { return runWatched(l, t) },
		})
	}
	return []harness.Row{row}
}

// watched is an application with one pool.
type watched struct {
	app  *app.App
	pool *pool.Pool
	srv  *management.Server
}

func openWatched(l looks) (*watched, error) {
	w := &watched{}
	environ := []string{fmt.Sprintf("LASTCALL_MANAGEMENT_ENABLED=%t", l.server), "LASTCALL_MANAGEMENT_ADDRESS=127.0.0.1:0"}
	w.app = app.New(
		modules.Default(modules.Without(modules.HTTP, modules.Journal)),
		modules.Sources(config.Options{Environ: environ}),
		fx.Replace(zap.NewNop()),
		poolmodule.Provide("bench", pool.Config{Workers: usual.workers, MinWorkers: usual.workers, Queue: usual.queue}),
		fx.Invoke(fx.Annotate(func(p *pool.Pool, srv *management.Server) { w.pool, w.srv = p, srv }, fx.ParamTags(`name:"bench"`))),
	)
	if err := w.app.Err(); err != nil {
		return nil, err
	}
	return w, w.app.Start(context.Background())
}

// runWatched is [runEmpty] in an application that is looked at.
func runWatched(l looks, t *harness.Trial) error {
	w, err := openWatched(l)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var viewers sync.WaitGroup
	var seen atomic.Int64
	t.Begin()
	for _, path := range l.every {
		viewers.Go(func() { w.askEverySecond(ctx, path, &seen) })
	}
	if l.stream != "" {
		viewers.Go(func() { w.ask(ctx, l.stream, &seen) })
	}
	did := w.submit(t)
	for l.server && seen.Load() == 0 && ctx.Err() == nil { // a short run is over before it was seen
		time.Sleep(time.Millisecond)
	}
	t.End(did)
	cancel()
	viewers.Wait()
	return w.app.Stop(context.Background())
}

// submit has N empty tasks submitted and waits until they are done.
func (w *watched) submit(t *harness.Trial) (did int) {
	const submitters = 16
	before := w.pool.Gate().Ledger().Done
	empty := func(context.Context) {}
	var all sync.WaitGroup
	for i := range submitters {
		all.Go(func() {
			for range share(t.N, submitters, i) {
				if w.pool.Submit(context.Background(), empty) != nil {
					return
				}
			}
		})
	}
	all.Wait()
	for w.pool.Gate().Ledger().Inside > 0 {
		time.Sleep(50 * time.Microsecond)
	}
	return int(w.pool.Gate().Ledger().Done - before)
}

func (w *watched) askEverySecond(ctx context.Context, path string, seen *atomic.Int64) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		w.ask(ctx, path, seen)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ask reads an answer to its end, or until ctx ends. Only one that is well
// counts.
func (w *watched) ask(ctx context.Context, path string, seen *atomic.Int64) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.srv.Addr().String()+path, http.NoBody)
	if err != nil {
		return
	}
	if path == page.stream {
		req.Header.Set("Accept", "text/event-stream")
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }() // nothing can be done about it
	if resp.StatusCode == http.StatusOK {
		seen.Add(1)
	}
	_, _ = io.Copy(io.Discard, resp.Body) // ends with ctx
}

// client keeps no connection: they would hold up nobody, but be counted.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
