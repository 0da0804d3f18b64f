package main

import (
	"context"

	"github.com/alitto/pond/v2"

	"github.com/lastcall-go/lastcall/bench/internal/harness"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

const group = 64

// groupRows are tasks that come in groups, and tasks with a result.
func groupRows() []harness.Row {
	base := named("channel", "pond.Go")
	return []harness.Row{
		{
			ID:     "n1",
			Title:  "Empty tasks in groups of 64",
			Work:   "one goroutine submits to 4 workers, lastcall with SubmitBatch(64), the others one by one",
			N:      1_000_000,
			ShortN: 10 * group,
			Contestants: append(
				contestants(base[:1], runSingly),
				harness.Contestant{Name: harness.Ours, Setup: "SubmitBatch", Run: runGroups},
				harness.Contestant{Name: "lastcall.Submit", Setup: "one by one", Run: singly("lastcall")},
				harness.Contestant{Name: "pond.Go", Setup: base[1].setup, Run: singly("pond.Go")},
			),
			Targets: []harness.Target{{Metric: harness.Wall, Limit: 0.25}},
			Notes: []string{
				"One task in 64 counts itself.",
				"Bringing in a group costs a few nanoseconds a task; what is left is the workers' part, and that a queue of 4,096 is full or empty every 20 µs, " +
					"so that somebody always parks.",
			},
		},
		{
			ID:     "n2",
			Title:  "Tasks with a result",
			Work:   "one goroutine submits 64 tasks that return a number to 4 workers, waits for the 64 results, and goes on",
			N:      64 * 5_000,
			ShortN: 10 * group,
			Contestants: []harness.Contestant{
				{Name: "pond.Submit", Setup: "the future of Submit, which tells the end and no number", Run: runPondSubmit},
				{Name: "pond.ResultPool", Setup: "the future of its Submit, with the number", Run: runPondResults},
				{Name: harness.Ours, Setup: "pool.Go", Run: runFutures},
				{Name: "channel", Setup: "a channel of one for each result, by hand", Run: runChannelResults},
			},
			Targets: []harness.Target{
				{Metric: harness.Wall, Limit: 0.25},
				{Metric: harness.Allocs, Limit: 1, Absolute: true},
			},
			Notes: []string{"The function is the same for all tasks, so that none is charged for a closure; the channel by hand cannot do without. " +
				"A future makes its channel when somebody has to wait for it, which is a second and third allocation for a few of them here."},
		},
	}
}

func singly(name string) func(*harness.Trial) error {
	return func(t *harness.Trial) error { return runSingly(named(name)[0], t) }
}

func runSingly(p peer, t *harness.Trial) error { return runEmpty(p, 1, t) }

func runGroups(t *harness.Trial) error {
	p, err := openLastcall(usual)
	if err != nil {
		return err
	}
	count := make(chan struct{}, t.N/group)
	tasks := make([]func(context.Context), group)
	for i := range tasks {
		tasks[i] = func(context.Context) {}
	}
	tasks[group-1] = func(context.Context) { count <- struct{}{} }

	t.Begin()
	for range t.N / group {
		if _, err := p.(lastcallPool).SubmitBatch(context.Background(), tasks); err != nil {
			return err
		}
	}
	err = p.finish()
	t.End(len(count) * group)
	return err
}

// answer is the task of the row with results.
func answer() int { return 1 }

// inGroups submits groups of tasks and adds up what comes of them.
func inGroups[F any](t *harness.Trial, submit func() (F, error), wait func(F) (int, error)) error {
	sum := 0
	futures := make([]F, group)
	t.Begin()
	for range t.N / group {
		for i := range futures {
			f, err := submit()
			if err != nil {
				return err
			}
			futures[i] = f
		}
		for _, f := range futures {
			n, err := wait(f)
			if err != nil {
				return err
			}
			sum += n
		}
	}
	t.End(sum)
	return nil
}

func runFutures(t *harness.Trial) error {
	p, err := openLastcall(usual)
	if err != nil {
		return err
	}
	ctx := context.Background()
	task := func(context.Context) (int, error) { return answer(), nil }
	err = inGroups(t,
		func() (*pool.Future[int], error) { return pool.Go(ctx, p.(lastcallPool).Pool, task) },
		func(f *pool.Future[int]) (int, error) { return f.Wait(ctx) },
	)
	if err != nil {
		return err
	}
	return p.finish()
}

func runPondSubmit(t *harness.Trial) error {
	p := pond.NewPool(usual.workers, pond.WithQueueSize(usual.queue))
	defer p.StopAndWait()
	task := func() { answer() }
	return inGroups(t,
		func() (pond.Task, error) { return p.Submit(task), nil },
		func(f pond.Task) (int, error) { return 1, f.Wait() },
	)
}

func runPondResults(t *harness.Trial) error {
	p := pond.NewResultPool[int](usual.workers, pond.WithQueueSize(usual.queue))
	defer p.StopAndWait()
	return inGroups(t,
		func() (pond.ResultTask[int], error) { return p.Submit(answer), nil },
		func(f pond.ResultTask[int]) (int, error) { return f.Wait() },
	)
}

func runChannelResults(t *harness.Trial) error {
	p, err := openChannel(usual)
	if err != nil {
		return err
	}
	err = inGroups(t,
		func() (chan int, error) {
			result := make(chan int, 1)
			return result, p.submit(&work{plain: func() { result <- answer() }})
		},
		func(result chan int) (int, error) { return <-result, nil },
	)
	if err != nil {
		return err
	}
	return p.finish()
}
