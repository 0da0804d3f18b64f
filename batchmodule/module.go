package batchmodule

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// Provide declares a batcher: *batch.Batcher[T] is in the graph afterwards. The
// name is what errors, receipts and the configuration call it.
//
// The sink is one of
//
//   - a constructor: any function that Fx takes and whose first result is a
//     func(context.Context, []T) error, with or without an error beside it
//   - such a constructor in fx.Annotate, to tag its parameters
//   - the sink itself
//
// What it returns is private to the batcher; two batchers of the same T do not
// see each other's sinks. Only one of sink and saver can be in fx.Annotate, as
// both are of the same type; the other can take an fx.In struct.
func Provide[T any](name string, sink any, cfg batch.Config, opts ...Option[T]) fx.Option {
	d := &declaration[T]{Declared: Declared{Name: name, Config: cfg}}
	for _, opt := range opts {
		opt(d)
	}
	parts, err := d.parts(sink)
	if err != nil {
		return fx.Error(fmt.Errorf("batchmodule: Provide(%q): %w", name, err))
	}
	var options []fx.Option
	params := []string{``, `optional:"true"`, `optional:"true"`, `optional:"true"`, `optional:"true"`}
	for _, p := range parts {
		options = append(options, p.option)
		params = append(params, p.tag)
	}
	annotations := []fx.Annotation{fx.ParamTags(params...)}
	if d.named {
		annotations = append(annotations, fx.ResultTags(fmt.Sprintf("name:%q", d.Name)))
	}
	return fx.Options(fx.Module("batch:"+name,
		fx.Options(options...),
		fx.Provide(fx.Annotate(d.NewBatcher, annotations...)),
		fx.Supply(fx.Annotate(d.Declared, fx.ResultTags(fmt.Sprintf("group:%q", group)))),
	), checked)
}

// declaration is one batcher of the application. Being generic, its
// constructor appears in Fx's events as "batchmodule.Provide[...]" of the
// module "batch:<name>".
type declaration[T any] struct {
	Declared
	named               bool
	core                []batch.Option[T]
	save, dead, flushed any // constructors; nil: none
}

// parts are the functions that NewBatcher takes, in its order.
func (d *declaration[T]) parts(sink any) ([]part, error) {
	var parts []part
	var errs []error
	add := func(p part, err error) {
		parts, errs = append(parts, p), append(errs, err)
	}
	add(partOf[batch.Sink[T]](d.Name, "sink", sink))
	add(optionalPartOf[func(context.Context, []T) error](d.Name, "save", d.save))
	add(optionalPartOf[func(context.Context, batch.DeadLetter[T])](d.Name, "dead letter", d.dead))
	add(optionalPartOf[func(batch.Flush)](d.Name, "flushed", d.flushed))
	return parts, errors.Join(errs...)
}

// NewBatcher builds the batcher and registers it for start, stop and save.
func (d *declaration[T]) NewBatcher(
	lc fx.Lifecycle,
	all Config,
	log *zap.Logger,
	opener journal.Opener,
	box *journal.DeadLetters,
	sink batch.Sink[T],
	save func(context.Context, []T) error,
	dead func(context.Context, batch.DeadLetter[T]),
	flushed func(batch.Flush),
) (*batch.Batcher[T], error) {
	cfg, ok := all.Batchers[d.Name]
	if !ok {
		cfg = d.Config
	}
	opts := append(logOptions[T](log, d.Name), batch.WithSave(save), batch.WithDeadLetter(dead), batch.WithFlushed[T](flushed),
		batch.WithJournal[T](opener), batch.WithDeadLetters[T](box))
	b, err := batch.New(d.Name, sink, cfg, append(opts, d.core...)...)
	if err != nil {
		return nil, err
	}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "batch:" + d.Name,
		OnStart:    b.Start,
		OnStop:     func(ctx context.Context) error { return stop(ctx, b) },
		PreDestroy: b.Save,
		Gate:       b.Gate(),
		Panel:      panel{b, cfg.WithDefaults(), func() (lifecycle.Health, bool) { return lifecycle.GateHealth(b.Gate()) }}.panel(),
		Budget:     lifecycle.Budget{Stop: cfg.StopBudget},
	})
	return b, nil
}

// stop says nothing of leftovers: they are no failure yet, as Save settles
// them, and says so if they are lost.
func stop[T any](ctx context.Context, b *batch.Batcher[T]) error {
	_, err := b.Stop(ctx)
	if errors.Is(err, batch.ErrHung) {
		return err
	}
	return nil
}
