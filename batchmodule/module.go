package batchmodule

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
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
	var s settings[T]
	for _, opt := range opts {
		opt(&s)
	}
	sinkPart, errSink := partOf[batch.Sink[T]](name, "sink", sink)
	savePart, errSave := optionalPartOf[func(context.Context, []T) error](name, "save", s.save)
	deadPart, errDead := optionalPartOf[func(context.Context, batch.DeadLetter[T])](name, "dead letter", s.dead)
	flushedPart, errFlushed := optionalPartOf[func(batch.Flush)](name, "flushed", s.flushed)
	if err := errors.Join(errSink, errSave, errDead, errFlushed); err != nil {
		return fx.Error(fmt.Errorf("batchmodule: Provide(%q): %w", name, err))
	}

	construct := func(
		lc fx.Lifecycle,
		all Config,
		sink batch.Sink[T],
		save func(context.Context, []T) error,
		dead func(context.Context, batch.DeadLetter[T]),
		flushed func(batch.Flush),
	) (*batch.Batcher[T], error) {
		cfg := cfg
		if given, ok := all.Batchers[name]; ok {
			cfg = given
		}
		opts := slices.Clone(s.core)
		if save != nil {
			opts = append(opts, batch.WithSave(save))
		}
		if dead != nil {
			opts = append(opts, batch.WithDeadLetter(dead))
		}
		if flushed != nil {
			opts = append(opts, batch.WithFlushed[T](flushed))
		}
		b, err := batch.New(name, sink, cfg, opts...)
		if err != nil {
			return nil, err
		}
		appendHook(lc, b, cfg)
		return b, nil
	}
	annotations := []fx.Annotation{fx.ParamTags(``, `optional:"true"`, sinkPart.tag, savePart.tag, deadPart.tag, flushedPart.tag)}
	if s.tag != "" {
		annotations = append(annotations, fx.ResultTags(fmt.Sprintf(`name:%q`, s.tag)))
	}
	return fx.Module("batch:"+name,
		sinkPart.option, savePart.option, deadPart.option, flushedPart.option,
		fx.Provide(fx.Annotate(construct, annotations...)),
		fx.Supply(fx.Annotate(Declared{Name: name, Config: cfg}, fx.ResultTags(`group:"`+Group+`"`))),
		fx.Invoke(fx.Annotate(check, fx.ParamTags(`group:"`+Group+`"`, `optional:"true"`))),
	)
}

func appendHook[T any](lc fx.Lifecycle, b *batch.Batcher[T], cfg batch.Config) {
	lifecycle.Append(lc, lifecycle.Hook{
		Name:    "batch:" + b.Name(),
		OnStart: b.Start,
		OnStop: func(ctx context.Context) error {
			_, err := b.Stop(ctx)
			if errors.Is(err, batch.ErrHung) {
				return err
			}
			// Leftovers are no failure yet: Save settles them, and says so
			// if they are lost.
			return nil
		},
		PreDestroy: b.Save,
		Gate:       b.Gate(),
		Budget:     lifecycle.Budget{Stop: cfg.StopBudget},
	})
}
