package main

import (
	"context"
	"sync"
	"time"

	"github.com/alitto/pond/v2"
	"github.com/bytedance/gopkg/util/gopool"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"
	concpool "github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// work is one task, in every form that a pool takes, so that none pays for
// being handed another's.
type work struct {
	plain     func()
	withCtx   func(context.Context)
	withError func() error
}

// taskOf is fn as work.
func taskOf(fn func()) *work {
	return &work{
		plain:     fn,
		withCtx:   func(context.Context) { fn() },
		withError: func() error { fn(); return nil },
	}
}

// limits bound a pool: its workers, and where it has a bounded queue, that.
type limits struct{ workers, queue int }

// peer is one way to run tasks on a bounded number of goroutines.
type peer struct {
	name  string
	setup string
	// open makes it ready: goroutines that it starts beforehand are there.
	open func(limits) (taker, error)
}

// taker takes tasks.
type taker interface {
	submit(*work) error
	// finish waits until everything that was submitted is done, and closes it.
	finish() error
}

// allPools are the peers of a pool, the baseline first.
var allPools = []peer{
	{"channel", "buffered channel, workers in a WaitGroup", openChannel},
	{"lastcall", "min_workers = workers", openLastcall},
	{"pond.Go", "WithQueueSize", openPondGo},
	{"pond.Submit", "WithQueueSize; makes a future", openPondSubmit},
	{"ants.Pool", "WithPreAlloc; has no queue", openAnts},
	{"ants.MultiPool", "2 pools (10 for 10,000 workers), LeastTasks; has no queue", openAntsMulti},
	{"workerpool", "gammazero; its queue has no bound", openWorkerpool},
	{"conc", "WithMaxGoroutines; has no queue", openConc},
	{"gopool", "bytedance; its queue has no bound", openGopool},
	{"errgroup", "SetLimit; a goroutine per task", openErrgroup},
	{"go+semaphore", "a goroutine per task, a channel as semaphore", openSemaphore},
}

// channelPool is what one writes by hand.
type channelPool struct {
	tasks   chan func()
	workers sync.WaitGroup
}

func openChannel(l limits) (taker, error) {
	p := &channelPool{tasks: make(chan func(), l.queue)}
	for range l.workers {
		p.workers.Go(func() {
			for task := range p.tasks {
				task()
			}
		})
	}
	return p, nil
}

func (p *channelPool) submit(w *work) error { p.tasks <- w.plain; return nil }
func (p *channelPool) finish() error        { close(p.tasks); p.workers.Wait(); return nil }

type lastcallPool struct{ *pool.Pool }

func openLastcall(l limits) (taker, error) {
	p, err := pool.New("bench", pool.Config{Workers: l.workers, MinWorkers: l.workers, Queue: l.queue})
	if err != nil {
		return nil, err
	}
	return lastcallPool{p}, p.Start(context.Background())
}

func (p lastcallPool) submit(w *work) error { return p.Submit(context.Background(), w.withCtx) }

func (p lastcallPool) finish() error {
	_, err := p.Stop(context.Background())
	return err
}

type pondGo struct{ pond.Pool }

func openPondGo(l limits) (taker, error) {
	return pondGo{pond.NewPool(l.workers, pond.WithQueueSize(l.queue))}, nil
}

func (p pondGo) submit(w *work) error { return p.Go(w.plain) }
func (p pondGo) finish() error        { p.StopAndWait(); return nil }

type pondSubmit struct{ pondGo }

func openPondSubmit(l limits) (taker, error) {
	return pondSubmit{pondGo{pond.NewPool(l.workers, pond.WithQueueSize(l.queue))}}, nil
}

func (p pondSubmit) submit(w *work) error { p.Submit(w.plain); return nil }

// patience bounds how long a pool that must be told how long to wait is waited for.
const patience = time.Minute

type antsPool struct{ *ants.Pool }

func openAnts(l limits) (taker, error) {
	p, err := ants.NewPool(l.workers, ants.WithPreAlloc(true))
	return antsPool{p}, err
}

func (p antsPool) submit(w *work) error { return p.Submit(w.plain) }

// finish needs no WaitGroup in the tasks: nothing waits in a queue, and
// ReleaseTimeout waits for what runs.
func (p antsPool) finish() error { return p.ReleaseTimeout(patience) }

type antsMulti struct{ *ants.MultiPool }

func openAntsMulti(l limits) (taker, error) {
	pools := 2
	if l.workers >= 1000 {
		pools = 10
	}
	p, err := ants.NewMultiPool(pools, l.workers/pools, ants.LeastTasks, ants.WithPreAlloc(true))
	return antsMulti{p}, err
}

func (p antsMulti) submit(w *work) error { return p.Submit(w.plain) }
func (p antsMulti) finish() error        { return p.ReleaseTimeout(patience) }

type workerPool struct{ *workerpool.WorkerPool }

func openWorkerpool(l limits) (taker, error) { return workerPool{workerpool.New(l.workers)}, nil }

func (p workerPool) submit(w *work) error { return p.Do(w.plain) }
func (p workerPool) finish() error        { p.StopWait(); return nil }

type concPool struct{ *concpool.Pool }

func openConc(l limits) (taker, error) {
	return concPool{concpool.New().WithMaxGoroutines(l.workers)}, nil
}

func (p concPool) submit(w *work) error { p.Go(w.plain); return nil }
func (p concPool) finish() error        { p.Wait(); return nil }

type goPool struct{ gopool.Pool }

func openGopool(l limits) (taker, error) {
	cfg := gopool.NewConfig()
	cfg.ScaleThreshold = 1
	return goPool{gopool.NewPool("bench", int32(l.workers), cfg)}, nil
}

func (p goPool) submit(w *work) error { p.Go(w.plain); return nil }

// finish looks until the workers are gone, as they are when nothing is left:
// this pool cannot be waited for. A WaitGroup in every task would cost it more.
func (p goPool) finish() error {
	for p.WorkerCount() > 0 {
		time.Sleep(20 * time.Microsecond)
	}
	return nil
}

type errGroup struct{ *errgroup.Group }

func openErrgroup(l limits) (taker, error) {
	g := &errgroup.Group{}
	g.SetLimit(l.workers)
	return errGroup{g}, nil
}

func (g errGroup) submit(w *work) error { g.Go(w.withError); return nil }
func (g errGroup) finish() error        { return g.Wait() }

type semaphore struct {
	places chan struct{}
	tasks  sync.WaitGroup
}

func openSemaphore(l limits) (taker, error) {
	return &semaphore{places: make(chan struct{}, l.workers)}, nil
}

func (s *semaphore) submit(w *work) error {
	s.places <- struct{}{}
	s.tasks.Go(func() {
		defer func() { <-s.places }()
		w.plain()
	})
	return nil
}

func (s *semaphore) finish() error { s.tasks.Wait(); return nil }
