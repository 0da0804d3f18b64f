package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/examples/push/provider"
)

// naive is the same flow as it is written today: goroutines, channels between
// them, and an OnStop hook for each that waits for its goroutines. Rows,
// filter, records and calls are the ones of the platform.
//
// It looks right, and each hook says that it went well. What it loses is in
// the channels: rows read and marked as read, rows waiting for others with the
// same parameters, tasks in queues that nobody waits for. The stages are built
// in the order of the flow, as each reads the channel of the one before, so Fx
// stops them the other way round: the workers go first.
//
// What people try next is a loop in OnStop that empties the channels: at 200 ms
// a call the workers need 20 s for it, Fx gives all hooks together 15, and when
// they are over it skips the hooks that are left and drops what is still in the
// channels, as before; a stage before the workers goes on filling them meanwhile.
func naive(s Settings, log *zap.Logger) fx.Option {
	return fx.Options(
		fx.Supply(s, log),
		fx.WithLogger(func() fxevent.Logger { return &fxevent.ZapLogger{Logger: log} }),
		fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.StopHook(func() { log.Info("graceful shutdown: success") })) // the last of all
		}),
		fx.Provide(newRecords, newFilter, newClient, newNaiveDelivery, newNaiveSource, newNaiveBatcher),
		fx.Invoke(startNaiveWorkers),
	)
}

func newNaiveDelivery(c *provider.Client, r *Records) *delivery {
	return &delivery{client: c, records: r}
}

// naiveSource reads the file into a channel and remembers how far it has come.
type naiveSource struct {
	rows    chan Row
	s       Settings
	records *Records
}

func newNaiveSource(lc fx.Lifecycle, s Settings, r *Records, log *zap.Logger) *naiveSource {
	source := &naiveSource{rows: make(chan Row, 1000), s: s, records: r}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			f, err := os.Open(s.Input)
			if err != nil {
				return err
			}
			wg.Go(func() {
				defer func() { _ = f.Close() }()
				source.read(ctx, f, log)
			})
			return nil
		},
		OnStop: func(context.Context) error {
			cancel()
			wg.Wait()
			log.Info("source: stopped, offset saved")
			return nil
		},
	})
	return source
}

func (n *naiveSource) read(ctx context.Context, f *os.File, log *zap.Logger) {
	from := n.offset()
	log.Info("source: reading", zap.Uint64("from row", from+1))
	var read uint64
	var accepted []Receiver
	save := func() {
		err := errors.Join(
			n.records.Write(Event{State: Accepted, To: accepted}),
			os.WriteFile(n.offsetFile(), strconv.AppendUint(nil, max(read, from), 10), 0o644))
		if err != nil {
			log.Error("source: cannot save the offset", zap.Error(err))
		}
		accepted = accepted[:0]
	}
	defer save()
	for row := range readCSV(filepath.Base(n.s.Input), f) {
		to := Receiver{row.ID, row.Receiver}
		switch {
		case row.End != nil:
			log.Error("source: cannot go on", zap.Error(row.End))
			return
		case row.Number <= from:
			continue
		case row.Err != nil:
			if err := n.records.Write(Event{State: Bad, Reason: row.Err.Error(), To: []Receiver{to}}); err != nil {
				log.Error("source: cannot record", zap.Error(err))
			}
		default:
			select {
			case n.rows <- row.Row:
				accepted = append(accepted, to)
			case <-ctx.Done():
				return
			}
		}
		if read = row.Number; read%100 == 0 {
			save()
		}
	}
	log.Info("source: the input is read to its end")
}

func (n *naiveSource) offsetFile() string { return filepath.Join(n.s.Dir, "offset") }

// offset is zero where there is no file yet.
func (n *naiveSource) offset() uint64 {
	text, _ := os.ReadFile(n.offsetFile())
	offset, _ := strconv.ParseUint(string(text), 10, 64)
	return offset
}

// naiveBatcher groups rows by their parameters: 100, or those of a second.
type naiveBatcher struct {
	tasks   chan Task
	pending map[string][]Row
	filter  *Filter
	records *Records
	log     *zap.Logger
}

func newNaiveBatcher(lc fx.Lifecycle, source *naiveSource, f *Filter, r *Records, log *zap.Logger) *naiveBatcher {
	b := &naiveBatcher{tasks: make(chan Task, 10_000), pending: map[string][]Row{}, filter: f, records: r, log: log}
	quit := make(chan struct{})
	var wg sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			wg.Go(func() { b.run(source.rows, quit) })
			return nil
		},
		OnStop: func(context.Context) error {
			close(quit)
			wg.Wait()
			log.Info("batcher: flushed and stopped")
			return nil
		},
	})
	return b
}

func (b *naiveBatcher) run(rows <-chan Row, quit <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case row := <-rows:
			key := row.key()
			if b.pending[key] = append(b.pending[key], row); len(b.pending[key]) == 100 {
				b.flush(key)
			}
		case <-tick.C:
			b.flushAll()
		case <-quit:
			b.flushAll() // nothing is lost, is it?
			return
		}
	}
}

func (b *naiveBatcher) flushAll() {
	for key := range b.pending {
		b.flush(key)
	}
}

func (b *naiveBatcher) flush(key string) {
	rows := b.pending[key]
	delete(b.pending, key)
	text, err := rows[0].text()
	if err != nil {
		b.log.Error("batcher: cannot render", zap.Error(err))
		return
	}
	send, kept := b.filter.Sieve(rows[0].lane(), text, rows)
	if err := b.records.Write(kept...); err != nil {
		b.log.Error("batcher: cannot record", zap.Error(err))
	}
	if len(send) > 0 {
		b.tasks <- newTask(text, send)
	}
}

// startNaiveWorkers gives each lane a channel and two workers.
func startNaiveWorkers(lc fx.Lifecycle, b *naiveBatcher, d *delivery, log *zap.Logger) {
	lanes := map[string]chan Task{}
	for _, channel := range channels {
		for _, kind := range types {
			lanes[laneName(channel, kind)] = make(chan Task, 4096)
		}
	}
	quit := make(chan struct{})
	var wg sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			wg.Go(func() {
				for {
					select {
					case t := <-b.tasks:
						lanes[t.lane()] <- t
					case <-quit:
						return
					}
				}
			})
			for _, lane := range lanes {
				for range 2 {
					wg.Go(func() { work(lane, quit, d, log) })
				}
			}
			return nil
		},
		OnStop: func(context.Context) error {
			close(quit)
			wg.Wait() // the calls in flight end well
			log.Info("workers: all stopped gracefully")
			return nil
		},
	})
}

func work(lane <-chan Task, quit <-chan struct{}, d *delivery, log *zap.Logger) {
	for {
		select {
		case <-quit:
			return
		case t := <-lane:
			var err error
			for try := range 5 {
				if err = d.send(context.Background(), t); err == nil {
					break
				}
				time.Sleep(100 * time.Millisecond << try)
			}
			if err != nil {
				log.Error("worker: gave up", zap.String("task", t.ID), zap.Error(err))
			}
		}
	}
}
