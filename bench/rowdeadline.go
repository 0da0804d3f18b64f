package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alitto/pond/v2"
	"github.com/gammazero/workerpool"
	"github.com/panjf2000/ants/v2"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

var (
	doneInTime = harness.Metric{Name: "done", Unit: harness.Count, Plain: true}
	told       = harness.Metric{Name: "handed back or refused", Unit: harness.Count, Plain: true}
	ranLater   = harness.Metric{Name: "ran after the stop", Unit: harness.Count, Plain: true}
)

// deadlineRows stop with more inside than there is time for.
func deadlineRows() []harness.Row {
	// Each gives back what it knows not to have run, when its time was up.
	stops := []struct {
		name, setup string
		run         func(s *stopTime, tasks []func()) (told []int, err error)
	}{
		{"channel", "closed, its workers waited for until the deadline", stopChannel},
		{harness.Ours, "Stop with the deadline", stopLastcall},
		{"pond.Go", "WithContext; Stop, waited for until the deadline", stopPondGo},
		{"pond.Submit", "WithContext; then every future is asked", stopPondSubmit},
		{"ants.Pool", "no queue: a goroutine for each task waits in Submit; ReleaseContext with the deadline", stopAnts},
		{"workerpool", "Do; Stop at the deadline, as StopWait has none", stopWorkerpool},
	}
	row := harness.Row{
		ID:      "o2",
		Title:   "200 tasks, and time for 40",
		Work:    "200 tasks of 10 ms were submitted to 4 workers; the stop has 100 ms. Unaccounted is what was neither done nor known to be undone when it returned",
		N:       200,
		ShortN:  40,
		Columns: []harness.Metric{doneInTime, told, unaccounted, ranLater},
		Targets: []harness.Target{
			{Metric: unaccounted, Limit: 0, Absolute: true},
			{Metric: ranLater, Limit: 0, Absolute: true},
		},
		Rounds: 3,
		Notes: []string{
			"The futures of pond's Submit tell which tasks were given up, once its context has ended; those of the tasks that are running say so too, though they go on to their end. " +
				"Its Go runs what is queued to the end, whatever its context says.",
			"ants refuses those who wait in Submit as soon as the release begins: nothing is lost, and little is done. " +
				"DoWait of workerpool would tell each caller, at the price of a goroutine for each task.",
		},
	}
	for _, s := range stops {
		row.Contestants = append(row.Contestants, harness.Contestant{
			Name: s.name, Setup: s.setup,
			Run: func(t *harness.Trial) error { return runDeadline(t, s.run) },
		})
	}
	return []harness.Row{row}
}

// stopTime is the time that a stop has. Its context ends when that is up.
type stopTime struct {
	context.Context
	begin func() // when all is submitted
}

func runDeadline(t *harness.Trial, run func(*stopTime, []func()) ([]int, error)) error {
	each := 10 * time.Millisecond
	if t.Short {
		each = time.Millisecond
	}
	ran := make([]atomic.Bool, t.N)
	tasks := make([]func(), t.N)
	for i := range tasks {
		tasks[i] = func() { time.Sleep(each); ran[i].Store(true) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := &stopTime{ctx, func() { time.AfterFunc(10*each, cancel) }}

	t.Begin()
	undone, err := run(stop, tasks)
	t.End(t.N)
	if err != nil {
		return err
	}
	done, known := 0, make([]bool, t.N)
	for i := range ran {
		if ran[i].Load() {
			done++
			known[i] = true
		}
	}
	for _, i := range undone {
		known[i] = true
	}
	lost := 0
	for _, is := range known {
		if !is {
			lost++
		}
	}
	time.Sleep(time.Duration(t.N) * each / 3) // whoever goes on has had the time to
	later := -done
	for i := range ran {
		if ran[i].Load() {
			later++
		}
	}
	t.Set(doneInTime, float64(done))
	t.Set(told, float64(len(undone)))
	t.Set(unaccounted, float64(lost))
	t.Set(ranLater, float64(later))
	return nil
}

func stopChannel(stop *stopTime, tasks []func()) ([]int, error) {
	p, err := openChannel(usual)
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		if err := p.submit(&work{plain: task}); err != nil {
			return nil, err
		}
	}
	stop.begin()
	finished := make(chan struct{})
	go func() { defer close(finished); _ = p.finish() }()
	select {
	case <-finished:
	case <-stop.Done():
	}
	return nil, nil
}

func stopLastcall(stop *stopTime, tasks []func()) ([]int, error) {
	p, err := pool.New("bench", pool.Config{Workers: usual.workers, Queue: usual.queue})
	if err != nil {
		return nil, err
	}
	if err := p.Start(stop); err != nil {
		return nil, err
	}
	var undone []int
	asked := false
	for i, task := range tasks {
		err := p.Submit(stop, func(context.Context) {
			if asked {
				undone = append(undone, i)
				return
			}
			task()
		})
		if err != nil {
			return nil, err
		}
	}
	stop.begin()
	left, err := p.Stop(stop)
	asked = true // nothing runs any more: what comes back is asked for its number
	for _, task := range left {
		err = errors.Join(err, task.Run(context.Background()))
	}
	return undone, err
}

func stopPondGo(stop *stopTime, tasks []func()) ([]int, error) {
	p := pond.NewPool(usual.workers, pond.WithQueueSize(usual.queue), pond.WithContext(stop))
	for _, task := range tasks {
		if err := p.Go(task); err != nil {
			return nil, err
		}
	}
	stop.begin()
	select {
	case <-p.Stop().Done():
	case <-stop.Done():
	}
	return nil, nil
}

func stopPondSubmit(stop *stopTime, tasks []func()) ([]int, error) {
	p := pond.NewPool(usual.workers, pond.WithQueueSize(usual.queue), pond.WithContext(stop))
	futures := make([]pond.Task, len(tasks))
	for i, task := range tasks {
		futures[i] = p.Submit(task)
	}
	stop.begin()
	select {
	case <-p.Stop().Done():
	case <-stop.Done():
	}
	var undone []int
	for i, f := range futures {
		if f.Wait() != nil {
			undone = append(undone, i)
		}
	}
	return undone, nil
}

func stopAnts(stop *stopTime, tasks []func()) ([]int, error) {
	p, err := ants.NewPool(usual.workers)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var undone []int
	var begun, submitters sync.WaitGroup
	begun.Add(len(tasks))
	for i, task := range tasks {
		submitters.Go(func() {
			begun.Done()
			if p.Submit(task) != nil {
				mu.Lock()
				defer mu.Unlock()
				undone = append(undone, i)
			}
		})
	}
	begun.Wait()
	stop.begin()
	err = p.ReleaseContext(stop)
	submitters.Wait()
	return undone, err
}

func stopWorkerpool(stop *stopTime, tasks []func()) ([]int, error) {
	p := workerpool.New(usual.workers)
	for _, task := range tasks {
		if err := p.Do(task); err != nil {
			return nil, err
		}
	}
	stop.begin()
	<-stop.Done()
	p.Stop()
	return nil, nil
}
