package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestStateMachine drives a pool with two lanes through random histories. The
// model is the ledger: it says how many tasks must have run, failed, been
// dropped, handed back; and each task says that it ran once at most.
func TestStateMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		// A failure of rapid's is a panic; it must leave the bubble empty.
		var failure any
		synctest.Test(t, func(*testing.T) {
			m := newMachine(rt)
			defer m.abandon()
			defer func() { failure = recover() }()
			m.run(rt)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// machine is the pool and what is expected of it.
type machine struct {
	pool    *pool.Pool
	lanes   [2]*pool.Lane[int]
	started bool
	stopped bool
	policy  pool.Policy
	most    int // workers there ever were

	closures model
	items    [2]model

	resumes []func() // of pauses, in any of the gates

	submitters sync.WaitGroup
	mu         sync.Mutex
	order      map[string][]int // what ran, by lane or key
	ran        map[int]int
	tried      map[int]bool // items that have failed once
	next       int
	keyed      int // tasks submitted with a key
}

// model is the ledger as it must be.
type model struct {
	offered, accepted, rejected uint64
}

func modelOf(l intake.Ledger) model { return model{l.Offered, l.Accepted, l.Rejected} }

func newMachine(rt *rapid.T) *machine {
	cfg := pool.Config{
		Workers: rapid.IntRange(1, 4).Draw(rt, "workers"),
		Queue:   rapid.SampledFrom([]int{pool.NoQueue, 1, 3, 200, 300}).Draw(rt, "queue"),
		Policy:  rapid.SampledFrom([]pool.Policy{pool.Block, pool.Abort, pool.CallerRuns, pool.DiscardNewest, pool.DiscardOldest}).Draw(rt, "policy"),
	}
	m := &machine{policy: cfg.Policy, most: cfg.Workers, tried: map[int]bool{}, order: map[string][]int{}, ran: map[int]int{}}
	var err error
	m.pool, err = pool.New("machine", cfg)
	require.NoError(rt, err)
	for i := range m.lanes {
		m.lanes[i], err = pool.NewLane(m.pool, fmt.Sprint(i), m.handler(fmt.Sprint("lane ", i)), pool.LaneConfig{
			Retry: pool.Retry{MaxAttempts: 2, InitialDelay: time.Minute},
		})
		require.NoError(rt, err)
	}
	return m
}

var errHandler = errors.New("handler")

// retried is what the number of an item that fails once leaves when divided
// by 7.
const retried = 4

func (m *machine) firstTry(id int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.tried[id]
	m.tried[id] = true
	return !was
}

// handler does what the number of an item says.
func (m *machine) handler(lane string) pool.Handler[int] {
	return func(ctx context.Context, id int) error {
		switch id % 7 {
		case 1:
			if sleep(ctx, time.Second) != nil {
				return ctx.Err() // cut: it did not run to its end
			}
		case 2:
			m.end(lane, id)
			return pool.Permanent(errHandler)
		case 3:
			m.end(lane, id)
			panic("handler")
		case retried:
			if m.firstTry(id) {
				return errHandler
			}
		}
		m.end(lane, id)
		return nil
	}
}

func (m *machine) task(line string, id int) func(context.Context) {
	return func(ctx context.Context) {
		m.end(line, id)
		switch id % 7 {
		case 1:
			_ = sleep(ctx, time.Second)
		case 2:
			panic("task")
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *machine) end(line string, id int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.order[line] = append(m.order[line], id)
	m.ran[id]++
}

func (m *machine) run(rt *rapid.T) {
	rt.Repeat(map[string]func(*rapid.T){
		"start": func(*rapid.T) {
			if err := m.pool.Start(context.Background()); err == nil {
				m.started = true
			}
		},
		"submit": func(rt *rapid.T) {
			m.submit(rt, &m.closures, func(ctx context.Context, id int) error {
				return m.pool.Submit(ctx, m.task("closures", id))
			})
		},
		"try": func(rt *rapid.T) {
			m.submit(rt, &m.closures, func(ctx context.Context, id int) error {
				return m.pool.TrySubmit(ctx, m.task("closures", id))
			})
		},
		"key": func(rt *rapid.T) {
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key")
			m.keyed++
			m.submit(rt, &m.closures, func(ctx context.Context, id int) error {
				return m.pool.SubmitKey(ctx, key, m.task("key "+key, id))
			})
		},
		"burst": func(rt *rapid.T) {
			for range rapid.IntRange(1, 70).Draw(rt, "n") {
				m.submit(rt, &m.closures, func(ctx context.Context, id int) error {
					return m.pool.Submit(ctx, m.task("closures", id))
				})
			}
		},
		"batch": func(rt *rapid.T) { m.submitBatch(rt) },
		"future": func(rt *rapid.T) {
			m.submit(rt, &m.closures, func(ctx context.Context, id int) error {
				_, err := pool.Go(ctx, m.pool, func(ctx context.Context) (int, error) {
					m.task("closures", id)(ctx)
					return id, nil
				})
				return err
			})
		},
		"item": func(rt *rapid.T) {
			i := rapid.IntRange(0, 1).Draw(rt, "lane")
			m.submit(rt, &m.items[i], m.lanes[i].Submit)
		},
		"resize": func(rt *rapid.T) {
			limits := pool.Limits{
				Workers: rapid.IntRange(1, 6).Draw(rt, "workers"),
				Queue:   rapid.SampledFrom([]int{pool.NoQueue, 1, 5, 300}).Draw(rt, "queue"),
			}
			if err := m.pool.Resize(limits); err != nil {
				require.ErrorIs(rt, err, pool.ErrClosed)
				require.True(rt, m.stopped)
				return
			}
			m.most = max(m.most, limits.Workers)
		},
		"wait": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
		},
		"pause": func(rt *rapid.T) {
			gates := m.gates()
			m.resumes = append(m.resumes, gates[rapid.IntRange(0, len(gates)-1).Draw(rt, "gate")].Pause())
		},
		"resume": func(rt *rapid.T) {
			if len(m.resumes) > 0 {
				i := rapid.IntRange(0, len(m.resumes)-1).Draw(rt, "which")
				m.resumes[i]()
				m.resumes = slices.Delete(m.resumes, i, i+1)
			}
		},
		"drain gate": func(rt *rapid.T) {
			if rapid.IntRange(0, 4).Draw(rt, "really") == 0 {
				m.pool.Gate().Drain()
			}
		},
		"stop lane": func(rt *rapid.T) {
			if rapid.IntRange(0, 4).Draw(rt, "really") > 0 {
				return
			}
			l := m.lanes[rapid.IntRange(0, 1).Draw(rt, "lane")]
			ctx, cancel := m.patience(rt)
			defer cancel()
			_, err := l.Stop(ctx)
			require.NoError(rt, err)
		},
		"stop": func(rt *rapid.T) {
			if rapid.IntRange(0, 4).Draw(rt, "really") == 0 {
				m.stop(rt)
			}
		},
		"": func(rt *rapid.T) { m.check(rt) },
	})
	m.stop(rt)
	m.settle(rt)
}

func (m *machine) gates() []*intake.Gate {
	return []*intake.Gate{m.pool.Gate(), m.lanes[0].Gate(), m.lanes[1].Gate()}
}

// abandon leaves no goroutine behind.
func (m *machine) abandon() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = m.pool.Stop(ended)
	m.submitters.Wait()
}

func (m *machine) patience(rt *rapid.T) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(rapid.IntRange(0, 5000).Draw(rt, "patience ms"))*time.Millisecond)
}

// submit brings a task in from a goroutine of its own, which may block.
func (m *machine) submit(rt *rapid.T, led *model, do func(context.Context, int) error) {
	id := m.next
	m.next++
	ctx, cancel := m.patience(rt)
	m.submitters.Go(func() {
		defer cancel()
		err := do(ctx, id)
		m.mu.Lock()
		defer m.mu.Unlock()
		led.offered++
		if err == nil {
			led.accepted++
		} else {
			led.rejected++
		}
	})
	synctest.Wait()
}

// submitBatch does so with many at once. Others may come in between while it
// waits for room, but its own order is kept.
func (m *machine) submitBatch(rt *rapid.T) {
	tasks := make([]func(context.Context), rapid.IntRange(1, 400).Draw(rt, "n"))
	line := fmt.Sprint("batch ", m.next)
	for i := range tasks {
		tasks[i] = m.task(line, m.next+i)
	}
	m.next += len(tasks)
	ctx, cancel := m.patience(rt)
	m.submitters.Go(func() {
		defer cancel()
		n, err := m.pool.SubmitBatch(ctx, tasks)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.closures.offered += uint64(n)
		m.closures.accepted += uint64(n)
		if err != nil { // that of the first that was not accepted; the others were not offered
			m.closures.offered++
			m.closures.rejected++
		}
	})
	synctest.Wait()
}

// check holds in every state.
func (m *machine) check(rt *rapid.T) {
	synctest.Wait()
	s := m.pool.Stats()
	require.True(rt, s.Ledger.Balanced(), "%s", s.Ledger)
	require.LessOrEqual(rt, s.Workers, s.Idle+s.Busy, "callers may be busy too")
	require.LessOrEqual(rt, s.Workers, m.most)
	ledgers := []intake.Ledger{s.Ledger, m.lanes[0].Gate().Ledger(), m.lanes[1].Gate().Ledger()}
	if !slices.ContainsFunc(m.gates(), func(g *intake.Gate) bool { return g.State() == intake.Open }) {
		require.Zero(rt, s.Submitters, "nobody waits at an entrance that is not open")
	}
	models := []*model{&m.closures, &m.items[0], &m.items[1]}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, ledger := range ledgers {
		require.True(rt, ledger.Balanced(), "%s", ledger)
		require.LessOrEqual(rt, models[i].accepted, ledger.Accepted, "a caller that runs its task is not back yet")
		require.Equal(rt, models[i].rejected, ledger.Rejected)
	}
	if m.started && !m.stopped && s.Queued > 0 && s.Idle > 0 {
		// Nothing waits while somebody is free, but for a busy key.
		require.LessOrEqual(rt, s.Queued, m.keyed, "%d idle", s.Idle)
	}
	for id, n := range m.ran {
		require.Equal(rt, 1, n, "task %d", id)
	}
}

func (m *machine) stop(rt *rapid.T) {
	ctx, cancel := m.patience(rt)
	defer cancel()
	_, err := m.pool.Stop(ctx)
	require.NoError(rt, err)
	m.stopped = true
	m.check(rt)
}

// settle ends the story: every task that was accepted is done, failed, dropped
// or handed back, and those alone ran.
func (m *machine) settle(rt *rapid.T) {
	m.submitters.Wait()
	tasks, err := m.pool.Stop(context.Background())
	require.NoError(rt, err)
	left := uint64(len(tasks))
	require.Equal(rt, left, m.pool.Gate().Ledger().Inside)
	for _, task := range tasks {
		task.Save()
	}
	total := m.pool.Gate().Ledger()
	require.Equal(rt, left, total.Saved)
	require.Equal(rt, modelOf(total), m.closures)
	for i, l := range m.lanes {
		items, err := l.Stop(context.Background())
		require.NoError(rt, err)
		require.IsIncreasing(rt, append([]int{-2, -1}, items...), "in the order of acceptance")
		_ = l.Save(context.Background())
		ledger := l.Gate().Ledger()
		require.EqualValues(rt, len(items), ledger.Lost)
		require.Equal(rt, modelOf(ledger), m.items[i])
		require.Zero(rt, ledger.Inside, "%s", ledger)
		total = total.Plus(ledger)
	}
	require.Zero(rt, total.Inside)
	require.True(rt, total.Balanced())
	require.EqualValues(rt, len(m.ran), total.Done+total.Failed)
	for line, ids := range m.order {
		key, lane := line[0] == 'k', line[0] == 'l'
		if !key && (m.most > 1 || m.policy == pool.CallerRuns) {
			continue // no order is promised
		}
		if lane {
			ids = slices.DeleteFunc(ids, func(id int) bool { return id%7 == retried })
		}
		require.IsIncreasing(rt, append([]int{-2, -1}, ids...), line)
	}
}
