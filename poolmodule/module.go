package poolmodule

import (
	"context"
	"fmt"
	"runtime/debug"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// Module provides the [*Registry], and the [Config] as declared so that
// fx.Decorate has something to work on. Pools and lanes do not need it. Give
// it once, and not beside an fx.Supply of a Config or the modules room, which
// provide their own.
var Module = fx.Module("poolmodule",
	fx.Provide(NewRegistry, NewConfig),
)

// Params is what a pool or lane takes from the graph besides what it is
// declared with.
type Params struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    Config      `optional:"true"`
	Registry  *Registry   `optional:"true"` // a pool registers itself there
	Logger    *zap.Logger `optional:"true"` // see "What is logged"
}

// Option adds to a pool what no configuration file can name.
type Option func(*declaration)

// With passes options on to [pool.New]. A panic or discard handler among them
// takes the place of the one that logs, unless it is nil.
func With(opts ...pool.Option) Option {
	return func(d *declaration) { d.options = append(d.options, opts...) }
}

// SaveTasks receives the closures that never ran, after the pool has stopped.
// Tasks that it does not settle itself count as saved if it returns nil, and
// as lost if not.
func SaveTasks(save func(context.Context, []pool.Task) error) Option {
	return func(d *declaration) { d.save = save }
}

// declaration is one pool of the application. Its methods are what Fx calls,
// so that its events show their names.
type declaration struct {
	Declared
	options []pool.Option
	save    func(context.Context, []pool.Task) error
}

// Provide declares a pool. It enters the graph as *pool.Pool with the name tag
// `name:"<name>"`, is started and stopped with the application, and is called
// "pool:<name>" in logs and receipts.
func Provide(name string, cfg pool.Config, opts ...Option) fx.Option {
	d := &declaration{Declared: Declared{Name: name, Config: cfg}}
	for _, opt := range opts {
		opt(d)
	}
	return fx.Options(fx.Module("pool:"+name,
		fx.Supply(fx.Annotate(d.Declared, fx.ResultTags(groupTag(poolsGroup)))),
		fx.Provide(fx.Annotate(d.NewPool, fx.ResultTags(nameTag(name)))),
	), checked)
}

// NewPool builds the pool and registers it for start and stop.
func (d *declaration) NewPool(params Params, declared Declarations) (*pool.Pool, error) {
	cfg, ok := params.Config.Pools[d.Name]
	if !ok {
		cfg = d.Config
	}
	p, err := pool.New(d.Name, cfg, append(poolOptions(params.Logger, d.Name), d.options...)...)
	if err != nil {
		return nil, fmt.Errorf("pools.%s: %w", d.Name, err)
	}
	params.Registry.add(p)
	shown := poolPanel{Pool: p, cfg: cfg.WithDefaults(), labels: new(labels)}
	lifecycle.Append(params.Lifecycle, lifecycle.Hook{
		Name: "pool:" + d.Name,
		OnStart: func(ctx context.Context) error {
			if err := p.Start(ctx); err != nil {
				return err
			}
			shown.labels.take(ctx)
			d.sayWhatIsLost(params.Logger, declared.Lanes)
			return nil
		},
		OnStop: func(ctx context.Context) error {
			_, err := p.Stop(ctx)
			return err
		},
		PreDestroy: func(ctx context.Context) error { return d.settle(ctx, p) },
		Gate:       p.Gate(),
		Describe:   func() []string { return describe(p) },
		Panel:      shown.panel(),
		Budget:     lifecycle.Budget{Stop: cfg.StopBudget},
	})
	return p, nil
}

// settle gives away what never ran. A pool that was not stopped, because it
// never started or its stop was never reached, is stopped at once.
func (d *declaration) settle(ctx context.Context, p *pool.Pool) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	tasks, _ := p.Stop(ended) // its error is that of OnStop
	if len(tasks) == 0 {
		return nil
	}
	saved := false
	defer func() { // deferred: a saver may end its goroutine
		for _, task := range tasks {
			if saved {
				task.Save()
			} else {
				task.Lose()
			}
		}
	}()
	if err := d.saveTasks(ctx, tasks); err != nil {
		return lostError(d.Name, tasks, err)
	}
	saved = true
	return nil
}

func (d *declaration) saveTasks(ctx context.Context, tasks []pool.Task) (err error) {
	if d.save == nil {
		return errNoSaver
	}
	defer func() {
		if v := recover(); v != nil {
			err = &pool.PanicError{Value: v, Stack: string(debug.Stack())}
		}
	}()
	return d.save(ctx, tasks)
}

func describe(p *pool.Pool) []string {
	s := p.Stats()
	if s.Busy+s.Queued+s.Retrying == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d busy of %d workers, %d queued, %d waiting for a retry", s.Busy, s.Workers, s.Queued, s.Retrying)}
}

func nameTag(name string) string   { return fmt.Sprintf("name:%q", name) }
func groupTag(group string) string { return fmt.Sprintf("group:%q", group) }
