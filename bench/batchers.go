package main

import (
	"context"
	"sync"
	"time"

	"github.com/zeromicro/go-zero/core/executors"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

// entry is what is batched. All are made beforehand, so that nobody pays for
// making them.
type entry struct {
	key  string
	span trace.ReadOnlySpan // the same for all
}

// batchSize is how many make a batch, linger how long the first of them waits,
// waiting how many may be on their way.
const (
	batchSize = 1000
	linger    = time.Second
	waiting   = 10 * batchSize
)

// batcher is one way to collect entries.
type batcher struct {
	name, setup string
	// open gives each batch to sink as a number; it does not matter from which
	// goroutine, for sink is safe for concurrent use.
	open func(sink func(n int)) (collector, error)
}

// collector takes entries.
type collector interface {
	add(*entry) error
	// finish waits until everything that was added has been given to the
	// sink, and closes it.
	finish() error
}

// allBatchers are the peers of a batcher, the baseline first.
var allBatchers = []batcher{
	{"channel", "buffered channel, slice, select loop with a ticker", openLoop},
	{"lastcall", "max_items 1000", openBatcher()},
	{"mutex+swap", "a slice under a mutex, swapped whole for an empty one", openSwap},
	{"BulkExecutor", "go-zero; WithBulkTasks", openBulk},
	{"BatchSpanProcessor", "OpenTelemetry; WithBlocking", openSpans},
	{"exporterhelper", "OTel Collector; queue that blocks, batch of 1000 items; a plog.Logs for each", openExporter},
}

// keyedBatchers do it by key.
var keyedBatchers = []batcher{
	{"channel", "buffered channel, map of slices, select loop with a ticker", openKeyedLoop},
	{"lastcall", "WithKey", openBatcher(batch.WithKey(func(e *entry) string { return e.key }))},
	{"mutex+map", "a map of slices under a mutex, each swapped whole", openKeyedSwap},
}

// loop is what one writes by hand.
type loop struct {
	in   chan *entry
	done sync.WaitGroup
}

func openLoop(sink func(int)) (collector, error) {
	l := &loop{in: make(chan *entry, waiting)}
	l.done.Go(func() {
		items := make([]*entry, 0, batchSize)
		l.run(func(e *entry) {
			if items = append(items, e); len(items) == batchSize {
				sink(len(items))
				items = items[:0]
			}
		}, func() {
			sink(len(items))
			items = items[:0]
		})
	})
	return l, nil
}

func openKeyedLoop(sink func(int)) (collector, error) {
	l := &loop{in: make(chan *entry, waiting)}
	l.done.Go(func() {
		byKey := make(map[string]*slot)
		l.run(func(e *entry) {
			of := byKey[e.key]
			if of == nil {
				of = &slot{}
				byKey[e.key] = of
			}
			if of.items = append(of.items, e); len(of.items) == batchSize {
				sink(batchSize)
				of.items = of.items[:0]
			}
		}, func() {
			for _, of := range byKey {
				sink(len(of.items))
				of.items = of.items[:0]
			}
		})
	})
	return l, nil
}

func (l *loop) run(take func(*entry), flush func()) {
	tick := time.NewTicker(linger)
	defer tick.Stop()
	for {
		select {
		case e, open := <-l.in:
			if !open {
				flush()
				return
			}
			take(e)
		case <-tick.C:
			flush()
		}
	}
}

func (l *loop) add(e *entry) error { l.in <- e; return nil }
func (l *loop) finish() error      { close(l.in); l.done.Wait(); return nil }

type lastcallBatcher struct{ *batch.Batcher[*entry] }

func openBatcher(opts ...batch.Option[*entry]) func(func(int)) (collector, error) {
	return func(sink func(int)) (collector, error) {
		cfg := batch.Config{MaxItems: batchSize, Linger: linger, Buffer: waiting}
		if len(opts) > 0 {
			cfg.Buffer += keys * batchSize // the loop's slices hold so many beside its channel
		}
		b, err := batch.New("bench", func(_ context.Context, items []*entry) error {
			sink(len(items))
			return nil
		}, cfg, opts...)
		if err != nil {
			return nil, err
		}
		return lastcallBatcher{b}, b.Start(context.Background())
	}
}

func (b lastcallBatcher) add(e *entry) error { return b.Add(context.Background(), e) }

func (b lastcallBatcher) finish() error {
	_, err := b.Stop(context.Background())
	return err
}

// swap hands over whole slices and gets them back. It has no linger.
type swap struct {
	mu    sync.Mutex
	all   *slot            // where there are no keys
	byKey map[string]*slot // where there are
	full  chan []*entry
	free  chan []*entry
	done  sync.WaitGroup
}

type slot struct{ items []*entry }

func openSwap(sink func(int)) (collector, error)      { return newSwap(sink, &slot{}), nil }
func openKeyedSwap(sink func(int)) (collector, error) { return newSwap(sink, nil), nil }

func newSwap(sink func(int), all *slot) *swap {
	const slices = waiting / batchSize
	s := &swap{
		all: all, byKey: make(map[string]*slot),
		full: make(chan []*entry, slices), free: make(chan []*entry, slices),
	}
	s.done.Go(func() {
		for items := range s.full {
			sink(len(items))
			select {
			case s.free <- items[:0]:
			default:
			}
		}
	})
	return s
}

func (s *swap) add(e *entry) error {
	s.mu.Lock()
	to := s.all
	if to == nil {
		if to = s.byKey[e.key]; to == nil {
			to = &slot{}
			s.byKey[e.key] = to
		}
	}
	to.items = append(to.items, e)
	if len(to.items) < batchSize {
		s.mu.Unlock()
		return nil
	}
	items := to.items
	select {
	case to.items = <-s.free:
	default:
		to.items = make([]*entry, 0, batchSize)
	}
	s.mu.Unlock()
	s.full <- items
	return nil
}

func (s *swap) finish() error {
	if s.all != nil {
		s.full <- s.all.items
	}
	for _, to := range s.byKey {
		s.full <- to.items
	}
	close(s.full)
	s.done.Wait()
	return nil
}

type bulk struct{ *executors.BulkExecutor }

func openBulk(sink func(int)) (collector, error) {
	return bulk{executors.NewBulkExecutor(func(items []any) { sink(len(items)) },
		executors.WithBulkTasks(batchSize), executors.WithBulkInterval(linger))}, nil
}

func (b bulk) add(e *entry) error { return b.Add(e) }
func (b bulk) finish() error      { b.Wait(); return nil }

type spans struct{ trace.SpanProcessor }

func openSpans(sink func(int)) (collector, error) {
	return spans{trace.NewBatchSpanProcessor(spanSink(sink), trace.WithBlocking(),
		trace.WithMaxQueueSize(waiting), trace.WithMaxExportBatchSize(batchSize), trace.WithBatchTimeout(linger))}, nil
}

func (s spans) add(e *entry) error { s.OnEnd(e.span); return nil }
func (s spans) finish() error      { return s.Shutdown(context.Background()) }

// someSpan is a span that is sampled: others are not processed.
func someSpan() trace.ReadOnlySpan {
	return tracetest.SpanStub{Name: "bench", SpanContext: oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
		TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{1}, TraceFlags: oteltrace.FlagsSampled,
	})}.Snapshot()
}

type spanSink func(int)

func (s spanSink) ExportSpans(_ context.Context, items []trace.ReadOnlySpan) error {
	s(len(items))
	return nil
}

func (s spanSink) Shutdown(context.Context) error { return nil }

type logExporter struct{ exporter.Logs }

func openExporter(sink func(int)) (collector, error) {
	id := component.MustNewID("bench")
	logs, err := exporterhelper.NewLogs(context.Background(), exporter.Settings{
		ID: id,
		TelemetrySettings: component.TelemetrySettings{
			Logger: zap.NewNop(), TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: metricnoop.NewMeterProvider(),
		},
	}, struct{}{}, func(_ context.Context, items plog.Logs) error {
		sink(items.LogRecordCount())
		return nil
	}, exporterhelper.WithQueue(configoptional.Some(exporterhelper.QueueBatchConfig{
		Sizer: exporterhelper.RequestSizerTypeItems, QueueSize: waiting, BlockOnOverflow: true, NumConsumers: 1,
		Batch: configoptional.Some(exporterhelper.BatchConfig{
			Sizer: exporterhelper.RequestSizerTypeItems, FlushTimeout: linger, MinSize: batchSize, MaxSize: batchSize,
		}),
	})))
	if err != nil {
		return nil, err
	}
	return logExporter{logs}, logs.Start(context.Background(), nil)
}

// add makes the request that an item must come in: the exporter owns it from
// then on, so it cannot be made once.
func (l logExporter) add(e *entry) error {
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Body().SetStr(e.key)
	return l.ConsumeLogs(context.Background(), logs)
}

func (l logExporter) finish() error { return l.Shutdown(context.Background()) }
