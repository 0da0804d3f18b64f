package poolmodule

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

var errNoSaver = errors.New("no saver is given; see SaveTasks, or use a lane and SaveWith")

// LaneOption adds to a lane.
type LaneOption func(*laneDeclaration)

// Configure gives the lane its configuration. Without it the zero
// pool.LaneConfig holds: one try, no timeout.
func Configure(cfg pool.LaneConfig) LaneOption {
	return func(d *laneDeclaration) { d.Config = cfg }
}

// Named provides the lane with the name tag `name:"<name>"`, which is needed
// when two lanes have the same type.
func Named() LaneOption { return func(d *laneDeclaration) { d.named = true } }

// SaveWith names an Fx constructor that returns the function that saves what
// the lane could not finish: func(context.Context, []T) error, or that and an
// error. See [pool.WithSave].
func SaveWith(constructor any) LaneOption {
	return func(d *laneDeclaration) { d.saver = constructor }
}

// ResultWith names an Fx constructor that returns the function that is told
// what became of each item: func(context.Context, pool.Result[T]), or that and
// an error. See [pool.WithResult]. Failures are then the function's to record:
// they are not logged.
func ResultWith(constructor any) LaneOption {
	return func(d *laneDeclaration) { d.result = constructor }
}

// LaneOptions gives options of the core that need nothing from the graph, such
// as [pool.WithCodec] and [pool.WithID]. T is that of the lane. Where they and
// something else name the same collaborator, theirs counts, unless it is nil.
func LaneOptions[T any](opts ...pool.LaneOption[T]) LaneOption {
	return func(d *laneDeclaration) { d.core = append(d.core, opts) }
}

type laneDeclaration struct {
	DeclaredLane
	named         bool
	saver, result any   // constructors; nil: none
	core          []any // each a []pool.LaneOption[T]
}

// Lane declares a lane into the pool of that name. It enters the graph as
// *pool.Lane[T] and is called "lane:<name>" in logs and receipts. The
// constructor is any Fx constructor that returns a pool.Handler[T], or that
// and an error; a handler that needs nothing may be given itself.
//
// The handler is in the graph as pool.Handler[T] with the name tag
// `name:"lane:<name>"`, so that a test can replace it.
func Lane[T any](name, poolName string, handlerConstructor any, opts ...LaneOption) fx.Option {
	d := laneDeclaration{DeclaredLane: DeclaredLane{Name: name, Pool: poolName}}
	for _, opt := range opts {
		opt(&d)
	}
	lane := laneOf[T]{laneDeclaration: d}
	for _, given := range d.core {
		opts, ok := given.([]pool.LaneOption[T])
		if !ok {
			return fx.Error(fmt.Errorf("lane %s: LaneOptions are %T; the lane's are %T", name, given, opts))
		}
		lane.opts = append(lane.opts, opts...)
	}
	handler, err := constructorOf[pool.Handler[T]]("handler", name, handlerConstructor)
	if err != nil {
		return fx.Error(err)
	}
	tag := nameTag("lane:" + name)
	parts := []fx.Option{
		fx.Supply(fx.Annotate(d.DeclaredLane, fx.ResultTags(groupTag(lanesGroup)))),
		fx.Provide(fx.Annotate(handler, fx.ResultTags(tag))),
	}
	saver, err := optionalPart[func(context.Context, []T) error]("saver", name, tag, d.saver)
	if err != nil {
		return fx.Error(err)
	}
	result, err := optionalPart[func(context.Context, pool.Result[T])]("result hook", name, tag, d.result)
	if err != nil {
		return fx.Error(err)
	}
	var named []fx.Annotation
	if d.named {
		named = append(named, fx.ResultTags(nameTag(name)))
	}
	parts = append(parts, saver, result,
		fx.Provide(fx.Annotate(lane.NewParts, fx.ParamTags(nameTag(poolName), tag, tag+` optional:"true"`, tag+` optional:"true"`)), fx.Private),
		fx.Provide(fx.Annotate(lane.NewLane, named...)),
	)
	return fx.Options(fx.Module("lane:"+name, parts...), checked)
}

// laneOf gives the declaration its type. Its methods are what Fx calls; being
// generic they appear in its events as "poolmodule.Lane[...]" of the module
// "lane:<name>".
type laneOf[T any] struct {
	laneDeclaration
	opts []pool.LaneOption[T]
}

// laneParts are what bears a tag: Fx cannot tag the parameters of a function
// that has an fx.In among them.
type laneParts[T any] struct {
	pool     *pool.Pool
	handler  pool.Handler[T]
	saver    func(context.Context, []T) error
	onResult func(context.Context, pool.Result[T])
}

// NewParts collects the lane's pool, handler, saver and result hook.
func (laneOf[T]) NewParts(
	p *pool.Pool,
	handler pool.Handler[T],
	saver func(context.Context, []T) error,
	onResult func(context.Context, pool.Result[T]),
) laneParts[T] {
	return laneParts[T]{p, handler, saver, onResult}
}

// LaneParams is what a lane takes from the graph besides what it is declared
// with.
type LaneParams struct {
	fx.In
	Params

	Opener      journal.Opener       `optional:"true"` // for its journal
	DeadLetters *journal.DeadLetters `optional:"true"` // for what failed for good
}

// NewLane builds the lane and registers it for start, stop and save.
func (d laneOf[T]) NewLane(params LaneParams, parts laneParts[T]) (*pool.Lane[T], error) {
	cfg, ok := params.Config.Lanes[d.Name]
	if !ok {
		cfg = d.Config
	}
	opts := []pool.LaneOption[T]{
		pool.WithSave(parts.saver), pool.WithResult(parts.onResult),
		pool.WithJournal[T](params.Opener), pool.WithDeadLetters[T](params.DeadLetters),
	}
	log := newLaneLog[T](params.Logger, d.Name, parts.onResult != nil)
	opts = append(opts, log.options()...)
	opts = append(opts, d.opts...)
	l, err := pool.NewLane(parts.pool, d.Name, parts.handler, cfg, opts...)
	if err != nil {
		return nil, fmt.Errorf("lanes.%s: %w", d.Name, err)
	}
	log.deadLetters = l.Stats().DeadLetters == pool.KeepLetters
	lifecycle.Append(params.Lifecycle, lifecycle.Hook{
		Name:    "lane:" + d.Name,
		OnStart: l.Start,
		OnStop: func(ctx context.Context) error {
			_, err := l.Stop(ctx)
			return err
		},
		PreDestroy: l.Save,
		Gate:       l.Gate(),
		Panel:      lanePanel{name: d.Name, cfg: cfg.WithDefaults(), open: func() (lifecycle.Health, bool) { return lifecycle.GateHealth(l.Gate()) }, stats: l.Stats}.panel(),
		Budget:     lifecycle.Budget{Stop: cfg.StopBudget},
	})
	return l, nil
}

// optionalPart provides what a constructor returns under the lane's tag.
func optionalPart[F any](what, lane, tag string, given any) (fx.Option, error) {
	if given == nil {
		return fx.Options(), nil
	}
	constructor, err := constructorOf[F](what, lane, given)
	if err != nil {
		return nil, err
	}
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(tag))), nil
}

// constructorOf checks what the user gave, so that a mistake is told in his
// words and not as a type missing from the graph.
func constructorOf[F any](what, lane string, given any) (any, error) {
	want := reflect.TypeFor[F]()
	t := reflect.TypeOf(given)
	if t == nil || t.Kind() != reflect.Func {
		return nil, fmt.Errorf("lane %s: the %s is %T; give a constructor that returns %s", lane, what, given, want)
	}
	if t.ConvertibleTo(want) {
		value := reflect.ValueOf(given).Convert(want).Interface().(F)
		return func() F { return value }, nil
	}
	if t.NumOut() == 0 || t.Out(0) != want {
		return nil, fmt.Errorf("lane %s: the %s constructor is %T; its first result must be %s", lane, what, given, want)
	}
	return given, nil
}
