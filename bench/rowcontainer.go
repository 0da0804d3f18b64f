package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/samber/do/v2"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// program is an application that can be started and stopped.
type program interface {
	Start(context.Context) error
	Stop(context.Context) error
}

// container is one way to make a program of parts. The graph says on which
// earlier parts each stands; stop is called once for each.
type container struct {
	name, setup string
	open        func(graph [][]int, stop func()) (program, error)
}

var (
	bareFx   = container{"fx", "fx.New, events to a zap logger that keeps nothing", openFx()}
	lastcall = container{"lastcall", "app.New, the same logger", openApp(lifecycle.Config{})}
	inFx     = container{"lastcall in fx", "lifecycle.Module in fx.New, the same logger", openFx(lifecycle.Module())}
	parallel = container{"lastcall", "app.New, parallel: true", openApp(lifecycle.Config{Parallel: true})}
	serial   = container{"lastcall serial", "app.New, the defaults", openApp(lifecycle.Config{})}
	samberDo = container{"do", "samber/do v2; lazy services, Shutdown", openDo}
)

// containerRows are applications that are made, started and stopped.
func containerRows() []harness.Row {
	const layer = 3
	return []harness.Row{
		{
			ID:     "k",
			Title:  "Boot and stop of 1,000 components",
			Work:   "an application of 1,000 components, each standing on two others and with a start and a stop hook, is built, started and stopped",
			N:      3,
			ShortN: 1,
			Contestants: among([]container{bareFx, lastcall, inFx, samberDo}, func(t *harness.Trial, c container) error {
				return runBoot(t, c, pairs(1000))
			}),
			Columns: []harness.Metric{harness.Wall, harness.CPU, harness.Allocs, harness.Bytes},
			Targets: []harness.Target{{Metric: harness.Wall, Limit: 1.25}},
			Notes: []string{
				"do has no start hooks and no events, and finds services by name where Fx goes by type: it does less.",
			},
		},
		{
			ID:     "l",
			Title:  "Stop of 9 components of 100 ms",
			Work:   "9 components in 3 layers of 3, each standing on all of the layer below, take 100 ms each to stop",
			N:      1,
			ShortN: 1,
			Rounds: 3,
			Contestants: among([]container{bareFx, parallel, serial, samberDo}, func(t *harness.Trial, c container) error {
				return runStop(t, c, layers(3, layer))
			}),
			Columns: []harness.Metric{harness.Wall, pathRatio},
			Targets: []harness.Target{{Metric: pathRatio, Limit: 1.05, Absolute: true}},
			Notes: []string{
				"The critical path is three times 100 ms. Fx has nothing that stops beside something else: that is its design. do stops in parallel always, " +
					"and bounds nothing: one that hangs holds it for ever.",
			},
		},
	}
}

func among(all []container, run func(*harness.Trial, container) error) []harness.Contestant {
	out := make([]harness.Contestant, 0, len(all))
	for _, c := range all {
		out = append(out, harness.Contestant{Name: c.name, Setup: c.setup, Run: func(t *harness.Trial) error { return run(t, c) }})
	}
	return out
}

// pairs has each part stand on the one before it and the one half as far.
func pairs(n int) [][]int {
	graph := make([][]int, n)
	for i := 1; i < n; i++ {
		graph[i] = []int{i - 1, i / 2}
	}
	return graph
}

// layers has each part stand on all of the layer below.
func layers(deep, wide int) [][]int {
	graph := make([][]int, deep*wide)
	for i := wide; i < len(graph); i++ {
		below := (i/wide - 1) * wide
		for k := range wide {
			graph[i] = append(graph[i], below+k)
		}
	}
	return graph
}

// runBoot builds, starts and stops N applications.
func runBoot(t *harness.Trial, c container, graph [][]int) error {
	var stopped atomic.Int64
	ctx := context.Background()
	t.Begin()
	for range t.N {
		p, err := c.open(graph, func() { stopped.Add(1) })
		if err != nil {
			return err
		}
		if err := p.Start(ctx); err != nil {
			return err
		}
		if err := p.Stop(ctx); err != nil {
			return err
		}
	}
	t.End(int(stopped.Load()) / len(graph))
	return nil
}

// pathRatio is the time of a stop by that of its critical path.
var pathRatio = harness.Metric{Name: "critical path", Unit: harness.Times, Plain: true}

// runStop stops an application of three layers once.
func runStop(t *harness.Trial, c container, graph [][]int) error {
	each := 100 * time.Millisecond
	if t.Short {
		each = time.Millisecond
	}
	var stopped atomic.Int64
	p, err := c.open(graph, func() {
		time.Sleep(each)
		stopped.Add(1)
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := p.Start(ctx); err != nil {
		return err
	}
	t.Begin()
	err = p.Stop(ctx)
	t.End(int(stopped.Load()) / len(graph))
	t.Set(pathRatio, float64(t.Elapsed())/float64(3*each))
	return err
}

// part is a component.
type part struct{ stop func() }

// options are the graph for Fx.
func options(graph [][]int, stop func()) fx.Option {
	name := func(i int) string { return fmt.Sprintf(`name:"%d"`, i) }
	made := func(lc fx.Lifecycle) *part {
		lc.Append(fx.StartStopHook(func() {}, stop))
		return &part{}
	}
	var opts []fx.Option
	for i, below := range graph {
		var constructor any
		switch len(below) {
		case 0:
			constructor = made
		case 2:
			constructor = func(lc fx.Lifecycle, _, _ *part) *part { return made(lc) }
		default:
			constructor = func(lc fx.Lifecycle, _, _, _ *part) *part { return made(lc) }
		}
		tags := []string{""}
		for _, k := range below {
			tags = append(tags, name(k))
		}
		opts = append(opts, fx.Provide(fx.Annotate(constructor, fx.ParamTags(tags...), fx.ResultTags(name(i)))))
	}
	for i := range roots(graph) {
		opts = append(opts, fx.Invoke(fx.Annotate(func(*part) {}, fx.ParamTags(name(i)))))
	}
	return fx.Options(opts...)
}

// roots are the parts that nothing stands on.
func roots(graph [][]int) map[int]bool {
	all := make(map[int]bool)
	for i := range graph {
		all[i] = true
	}
	for _, below := range graph {
		for _, k := range below {
			delete(all, k)
		}
	}
	return all
}

func openFx(more ...fx.Option) func([][]int, func()) (program, error) {
	return func(graph [][]int, stop func()) (program, error) {
		a := fx.New(options(graph, stop), fx.Options(more...),
			fx.WithLogger(func() fxevent.Logger { return &fxevent.ZapLogger{Logger: zap.NewNop()} }))
		err := a.Err()
		return a, err
	}
}

func openApp(cfg lifecycle.Config) func([][]int, func()) (program, error) {
	return func(graph [][]int, stop func()) (program, error) {
		a := app.New(options(graph, stop), fx.Supply(zap.NewNop(), cfg))
		err := a.Err()
		return a, err
	}
}

// service is a component in do.
type service struct{ part }

// Shutdown is [do.Shutdowner].
func (s *service) Shutdown() { s.stop() }

type doProgram struct {
	scope *do.RootScope
	roots map[int]bool
}

func openDo(graph [][]int, stop func()) (program, error) {
	scope := do.New()
	for i, below := range graph {
		do.ProvideNamed(scope, strconv.Itoa(i), func(in do.Injector) (*service, error) {
			for _, k := range below {
				if _, err := do.InvokeNamed[*service](in, strconv.Itoa(k)); err != nil {
					return nil, err
				}
			}
			return &service{part{stop}}, nil
		})
	}
	return doProgram{scope, roots(graph)}, nil
}

// Start makes the services.
func (p doProgram) Start(context.Context) error {
	for i := range p.roots {
		if _, err := do.InvokeNamed[*service](p.scope, strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func (p doProgram) Stop(ctx context.Context) error {
	report := p.scope.ShutdownWithContext(ctx)
	if !report.Succeed {
		return report
	}
	return nil
}
