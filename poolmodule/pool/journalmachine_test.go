package pool_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestJournalMachine takes a lane with a journal through random histories of
// several lives, which end by a stop or are killed, also in the middle of a
// replay. What it holds: whatever was accepted is done, in the dead letters or
// discarded, once; or it is in the journal. What was refused is nowhere.
func TestJournalMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var failure any
		synctest.Test(t, func(*testing.T) {
			defer func() { failure = recover() }()
			m := newJournalMachine(rt)
			defer m.abandon()
			m.live(rt)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// journalMachine is one store and the lives that share it.
type journalMachine struct {
	store  *journaltest.Memory // of the journal, which may be full
	graves *journaltest.Memory
	mode   journal.Mode
	cfg    pool.Config

	// Of the life that is lived.
	pool *pool.Pool
	lane *pool.Lane[int]
	box  *journal.DeadLetters

	submitters sync.WaitGroup
	mu         sync.Mutex
	next       int
	accepted   map[int]bool // false: refused
	pending    map[string]int
	done       map[int]int
	dropped    map[int]int
	tried      map[int]bool
	order      map[string][]int // what was done, by key
	again      map[int]int      // how often it may have been done once more, after kills
}

func newJournalMachine(rt *rapid.T) *journalMachine {
	m := &journalMachine{
		store: journaltest.NewMemory(rapid.SampledFrom([]int{0, 0, 12}).Draw(rt, "journal bytes")),
		mode:  rapid.SampledFrom([]journal.Mode{journal.Always, journal.Always, journal.OnStop}).Draw(rt, "mode"),
		cfg: pool.Config{
			Workers: rapid.IntRange(1, 4).Draw(rt, "workers"),
			Queue:   rapid.SampledFrom([]int{pool.NoQueue, 1, 3, 300}).Draw(rt, "queue"),
			Policy:  rapid.SampledFrom([]pool.Policy{pool.Block, pool.Abort, pool.CallerRuns, pool.DiscardNewest, pool.DiscardOldest}).Draw(rt, "policy"),
		},
		graves:   journaltest.NewMemory(0),
		accepted: map[int]bool{}, pending: map[string]int{}, done: map[int]int{}, dropped: map[int]int{},
		tried: map[int]bool{}, order: map[string][]int{}, again: map[int]int{},
	}
	if m.mode == journal.OnStop {
		m.store = journaltest.NewMemory(0) // where it is full, a stop loses
	}
	m.begin(rt)
	return m
}

func (m *journalMachine) begin(rt require.TestingT) {
	var err error
	m.pool, err = pool.New("machine", m.cfg)
	require.NoError(rt, err)
	m.box = journal.NewDeadLetters(m.graves)
	m.lane, err = pool.NewLane(m.pool, "lane", m.handle, pool.LaneConfig{
		Journal: m.mode, Retry: pool.Retry{MaxAttempts: 3, InitialDelay: time.Second},
	}, pool.WithJournal[int](m.store), pool.WithDeadLetters[int](m.box),
		pool.WithID(strconv.Itoa),
		pool.WithResult(func(_ context.Context, r pool.Result[int]) {
			if errors.Is(r.Err, pool.ErrDiscarded) {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.dropped[r.Item]++
			}
		}))
	require.NoError(rt, err)
	require.NoError(rt, m.pool.Start(context.Background()))
	require.NoError(rt, m.lane.Start(context.Background()))
}

func (m *journalMachine) handle(ctx context.Context, id int) error {
	item, _ := pool.ItemOf(ctx)
	if item.ID != strconv.Itoa(id) {
		return pool.Permanent(errors.New("it lost its ID"))
	}
	switch id % 7 {
	case 1:
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	case 2:
		return pool.Permanent(errHandler)
	case 3:
		panic("handler")
	case retried:
		m.mu.Lock()
		was := m.tried[id]
		m.tried[id] = true
		m.mu.Unlock()
		if !was {
			return errHandler
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[id]++
	if item.Key != "" {
		m.order[item.Key] = append(m.order[item.Key], id)
	}
	return nil
}

func (m *journalMachine) live(rt *rapid.T) {
	rt.Repeat(map[string]func(*rapid.T){
		"submit": func(rt *rapid.T) { m.submit(rt, m.lane.Submit) },
		"try":    func(rt *rapid.T) { m.submit(rt, m.lane.TrySubmit) },
		"key": func(rt *rapid.T) {
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key")
			m.mu.Lock()
			pending := m.pending[key]
			m.mu.Unlock()
			if pending > 0 {
				return // two that come at a time have no order
			}
			lane := m.lane
			m.submit(rt, func(ctx context.Context, id int) error {
				m.count(key, +1)
				defer m.count(key, -1)
				return lane.SubmitKey(ctx, key, id)
			})
		},
		"burst": func(rt *rapid.T) {
			for range rapid.IntRange(1, 20).Draw(rt, "n") {
				m.submit(rt, m.lane.Submit)
			}
		},
		"resize": func(rt *rapid.T) {
			require.NoError(rt, m.pool.Resize(pool.Limits{
				Workers: rapid.IntRange(1, 6).Draw(rt, "workers"),
				Queue:   rapid.SampledFrom([]int{pool.NoQueue, 1, 5, 300}).Draw(rt, "queue"),
			}))
		},
		"wait": func(rt *rapid.T) {
			time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "ms")) * time.Millisecond)
		},
		"stop": func(rt *rapid.T) {
			if rapid.IntRange(0, 2).Draw(rt, "really") > 0 {
				return
			}
			m.stop(rt, time.Duration(rapid.IntRange(0, 3000).Draw(rt, "patience ms"))*time.Millisecond)
			m.check(rt)
			m.begin(rt)
		},
		"kill": func(rt *rapid.T) {
			if m.mode != journal.Always || rapid.IntRange(0, 2).Draw(rt, "really") > 0 {
				return
			}
			m.store.Crash()
			m.graves.Crash()
			m.abandon()
			m.forgive(rt)
			m.check(rt)
			m.begin(rt)
		},
		"": func(rt *rapid.T) {
			synctest.Wait()
			ledger := m.lane.Gate().Ledger()
			require.True(rt, ledger.Balanced(), "%s", ledger)
		},
	})
	m.stop(rt, time.Hour)
	m.begin(rt) // to replay what the last life had no time to
	time.Sleep(time.Hour)
	m.stop(rt, time.Hour)
	require.Empty(rt, m.inJournal(rt))
	m.check(rt)
}

func (m *journalMachine) count(key string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending[key] += n
}

func (m *journalMachine) submit(rt *rapid.T, do func(context.Context, int) error) {
	id := m.next
	m.next++
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rapid.IntRange(0, 3000).Draw(rt, "patience ms"))*time.Millisecond)
	m.submitters.Go(func() {
		defer cancel()
		err := do(ctx, id)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.accepted[id] = err == nil
	})
	synctest.Wait()
}

func (m *journalMachine) stop(rt *rapid.T, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := m.lane.Stop(ctx)
	require.NoError(rt, err)
	require.NoError(rt, m.lane.Save(context.Background()))
	ledger := m.lane.Gate().Ledger()
	require.Zero(rt, ledger.Lost, "%s", ledger)
	m.abandon()
}

// abandon ends a life that may have been killed.
func (m *journalMachine) abandon() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, _ = m.lane.Stop(ended)
	_ = m.lane.Save(ended)
	_, _ = m.pool.Stop(ended)
	_ = m.box.Close()
	m.submitters.Wait()
}

func (m *journalMachine) inJournal(rt *rapid.T) map[int]int {
	k, err := journal.NewKeeper("lane:lane", m.store, journal.JSON[int](), nil)
	require.NoError(rt, err)
	require.NoError(rt, k.Open(context.Background()))
	defer func() { _ = k.Close() }()
	ids := map[int]int{}
	for it, err := range k.Replay(context.Background()) {
		require.NoError(rt, err)
		ids[it.Value]++
	}
	return ids
}

// forgive lets those come again, after a kill, that were done and not yet
// crossed out. A handler had none of them in its hands.
func (m *journalMachine) forgive(rt *rapid.T) {
	kept := m.inJournal(rt)
	m.mu.Lock()
	defer m.mu.Unlock()
	duplicates := 0
	for id := range kept {
		if again := m.done[id]; again > m.again[id] {
			m.again[id] = again
			duplicates++
			for key, ids := range m.order {
				m.order[key] = slices.DeleteFunc(ids, func(done int) bool { return done == id })
			}
		}
	}
	require.LessOrEqual(rt, duplicates, 7)
}

// check is made between two lives.
func (m *journalMachine) check(rt *rapid.T) {
	ledger := m.lane.Gate().Ledger()
	require.True(rt, ledger.Balanced(), "%s", ledger)
	require.Zero(rt, ledger.Inside, "%s", ledger)
	kept, dead := m.inJournal(rt), map[int]int{}
	box := journal.NewDeadLetters(m.graves)
	for l, err := range box.All(context.Background()) {
		require.NoError(rt, err)
		id, err := strconv.Atoi(l.ID)
		require.NoError(rt, err)
		dead[id]++
	}
	require.NoError(rt, box.Close())
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.next {
		n := kept[id] + m.done[id] + dead[id] + m.dropped[id]
		if m.accepted[id] {
			require.Equal(rt, 1+m.again[id], n, "%d was accepted: in the journal %d, done %d, dead %d, dropped %d", id, kept[id], m.done[id], dead[id], m.dropped[id])
		} else {
			require.Zero(rt, n, "%d was refused", id)
		}
	}
	for key, ids := range m.order {
		require.IsIncreasing(rt, append([]int{-2, -1}, ids...), key)
	}
}
