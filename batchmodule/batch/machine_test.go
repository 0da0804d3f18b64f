package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
	"github.com/lastcall-go/lastcall/journal"
)

// How a life of a batcher in the machine comes to its end.
const (
	ended  = iota // Drain, Stop and Save, with time for everything
	cut           // Stop without time, and Save
	killed        // the process dies
	ends
)

// script is what happens in one life.
type script struct {
	Steps    []int // what the producers do
	Weather  []int // what the sink does, call by call
	Refusals []int // which appends fail, one in so many; 0 is none
	End      int
}

func drawScript(t *rapid.T) script {
	return script{
		Steps:    rapid.SliceOfN(rapid.IntRange(0, 12), 0, 20).Draw(t, "steps"),
		Weather:  rapid.SliceOfN(rapid.IntRange(0, 7), 1, 8).Draw(t, "weather"),
		Refusals: rapid.SliceOfN(rapid.IntRange(0, 3), 1, 4).Draw(t, "refusals"),
		End:      rapid.IntRange(ended, ends-1).Draw(t, "end"),
	}
}

// world is what outlives the lives: the store, and what everybody has seen.
type world struct {
	t     *testing.T
	cfg   batch.Config
	keys  int
	slow  bool // letters take longer than a stop waits
	store *store

	mu        sync.Mutex
	dead      bool // the process: what it does now, nobody sees
	now       script
	calls     int
	appends   int
	next      int
	accepted  []int
	delivered map[int]int
	ids       map[int]string
}

func (w *world) sink(ctx context.Context, items []int) error {
	w.mu.Lock()
	kind := w.now.Weather[w.calls%len(w.now.Weather)]
	w.calls++
	w.mu.Unlock()
	switch kind {
	case 1:
		return errors.New("refused")
	case 2:
		return batch.Unavailable(errors.New("down"))
	case 3:
		w.deliver(ctx, items[1:], 1)
		return batch.ItemErrors{0: errors.New("locked")}
	case 4:
		panic("thunder")
	case 5:
		return hang(ctx, items)
	}
	time.Sleep(time.Duration(kind) * time.Millisecond)
	bad := batch.ItemErrors{}
	for i, item := range items {
		if item%11 == 10 { // is never taken
			bad[i] = batch.Permanent(errors.New("malformed"))
			continue
		}
		w.deliver(ctx, items[i:i+1], i)
	}
	return bad
}

func (w *world) deliver(ctx context.Context, items []int, from int) {
	known := batch.ItemsOf(ctx)[from:]
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, item := range items {
		if w.dead {
			continue
		}
		w.delivered[item]++
		if id, ok := w.ids[item]; ok {
			assert.Equal(w.t, id, known[i].ID, "of item %d", item)
		}
		w.ids[item] = known[i].ID
	}
}

// append lets some appends fail.
func (w *world) append(_ context.Context, name string, _ []journal.Entry) error {
	if w.slow && name == journal.DeadLettersName {
		time.Sleep(time.Second)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.appends++
	if every := w.now.Refusals[w.appends%len(w.now.Refusals)]; every > 0 && w.appends%(every+1) == 0 {
		return journal.ErrFull
	}
	return nil
}

func (w *world) take(items []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dead { // an answer that nobody gets is no promise
		w.accepted = append(w.accepted, items...)
	}
}

// fresh are items that nobody has seen.
func (w *world) fresh(n int) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	items := make([]int, n)
	for i := range items {
		items[i] = w.next
		w.next++
	}
	return items
}

func (w *world) live(s script) {
	w.mu.Lock()
	w.now, w.dead, w.calls = s, false, 0
	w.mu.Unlock()
	opts := []batch.Option[int]{batch.WithJournal[int](w.store)}
	box := journal.NewDeadLetters(w.store)
	opts = append(opts, batch.WithDeadLetters[int](box))
	if w.keys > 0 {
		opts = append(opts, batch.WithKey(func(i int) string { return strconv.Itoa(i % w.keys) }))
	}
	b := started(w.t, w.sink, w.cfg, opts...)
	ctx, cancel := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	for p := range 2 {
		wg.Go(func() {
			for i, step := range s.Steps {
				if i%2 == p {
					w.step(ctx, b, step)
				}
			}
		})
	}
	if s.End == ended {
		wg.Wait()
	} else {
		time.Sleep(time.Duration(len(s.Weather)) * 3 * time.Millisecond)
	}
	w.end(b, s.End)
	cancel()
	wg.Wait()
	require.NoError(w.t, box.Close()) // a dead process holds no locks
	time.Sleep(time.Hour)             // whatever hung comes back
}

func (w *world) step(ctx context.Context, b *batch.Batcher[int], step int) {
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	switch step {
	case 0, 1, 2:
		if items := w.fresh(1); b.Add(short, items[0]) == nil {
			w.take(items)
		}
	case 3:
		if items := w.fresh(1); b.TryAdd(short, items[0]) == nil {
			w.take(items)
		}
	case 4, 5, 6, 7:
		items := w.fresh(step * 3)
		n, _ := b.AddAll(short, items) // the number is what counts
		w.take(items[:n])
	case 8:
		_ = b.Flush(short)
	case 12:
		resume := b.Gate().Pause()
		time.Sleep(15 * time.Millisecond)
		resume()
	default:
		time.Sleep(time.Duration(step) * time.Millisecond)
	}
}

func (w *world) end(b *batch.Batcher[int], how int) {
	if how == killed {
		w.mu.Lock()
		w.dead = true
		w.mu.Unlock()
		w.store.Crash()
		_ = stopWithin(b, 0) // only so that its goroutines end
		_ = b.Save(w.t.Context())
		return
	}
	w.store.hook(w.boxAlone)
	defer w.store.hook(w.append)
	budget := time.Duration(0)
	if how == ended {
		budget = time.Second
	}
	_ = stopWithin(b, budget)
	if w.slow {
		time.Sleep(time.Minute) // burials that have outlived it end
	}
	require.NoError(w.t, b.Save(w.t.Context()))
	l := b.Gate().Ledger()
	require.True(w.t, l.Balanced(), l)
	require.Zero(w.t, l.Inside, l)
	require.Zero(w.t, l.Lost, l)
	left := b.Stats().ReplayLeft
	require.Len(w.t, w.store.inside(w.t, ordersJournal), int(l.Saved)+left, "saved, or still to enter")
}

// boxAlone lets only appends to the box fail, so that Save has its way.
func (w *world) boxAlone(ctx context.Context, name string, entries []journal.Entry) error {
	if name == journal.DeadLettersName {
		return w.append(ctx, name, entries)
	}
	return nil
}

// TestJournalMachine lets batchers live and die on one store. What was accepted
// is delivered in the end, or among the dead letters, whatever the sink, the
// journal and the box did, and however the lives came to their ends; without a
// kill exactly once, unless a burial outlives a stop. What was refused is in
// neither, and what a ledger calls saved is in the journal.
func TestJournalMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cfg := batch.Config{
			Journal:  rapid.SampledFrom([]journal.Mode{journal.Always, journal.Always, journal.OnStop}).Draw(rt, "mode"),
			MaxItems: rapid.IntRange(1, 8).Draw(rt, "max_items"),
			Linger:   time.Duration(rapid.IntRange(1, 10).Draw(rt, "linger")) * time.Millisecond,
			Parallel: rapid.IntRange(1, 3).Draw(rt, "parallel"),
			WhenFull: rapid.SampledFrom([]batch.WhenFull{batch.Block, batch.Reject}).Draw(rt, "when_full"),
			MaxKeys:  rapid.IntRange(1, 5).Draw(rt, "max_keys"),
			Retry:    batch.Retry{MaxAttempts: rapid.SampledFrom([]int{-1, 2, 3}).Draw(rt, "attempts"), InitialDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond},
		}
		cfg.Buffer = cfg.MaxItems * rapid.IntRange(1, 4).Draw(rt, "buffers")
		keys, slow := rapid.IntRange(0, 3).Draw(rt, "keys"), rapid.Bool().Draw(rt, "slow")
		lives := rapid.SliceOfN(rapid.Custom(drawScript), 1, 5).Draw(rt, "lives")
		kills := false
		for i := range lives {
			if lives[i].End == killed && cfg.Journal == journal.OnStop {
				lives[i].End = cut // that mode does not withstand it
			}
			kills = kills || lives[i].End == killed
		}
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() { // what rapid drew is not shown when t fails
					t.Logf("config %+v, keys %d, slow %v, lives %+v", cfg, keys, slow, lives)
				}
			}()
			w := &world{t: t, cfg: cfg, keys: keys, slow: slow, store: newStore(0), delivered: map[int]int{}, ids: map[int]string{}}
			w.store.hook(w.append)
			for _, s := range lives {
				w.live(s)
			}
			w.store.hook(nil)
			last := script{Weather: []int{0}, Refusals: []int{0}, End: ended}
			last.Steps = slices.Repeat([]int{8, 11}, 5)
			w.live(last)
			w.check(kills)
		})
	})
}

func (w *world) check(kills bool) {
	t := w.t
	require.Empty(t, w.store.inside(t, ordersJournal), "nothing is left")
	buried := map[int]int{}
	box := journal.NewDeadLetters(w.store)
	for _, l := range letters(t, box) {
		item, err := strconv.Atoi(string(l.Payload))
		require.NoError(t, err)
		buried[item]++
	}
	require.NoError(t, box.Close())
	accepted := map[int]bool{}
	for _, item := range w.accepted {
		accepted[item] = true
		n := w.delivered[item] + buried[item]
		require.Positive(t, n, "item %d was accepted", item)
		if !kills && !w.slow {
			require.Equal(t, 1, n, "item %d", item)
		}
	}
	for item := range w.next {
		if !accepted[item] && !kills { // a kill may come between the entry and the answer
			require.Zero(t, w.delivered[item]+buried[item], fmt.Sprint("item ", item, " was refused"))
		}
	}
}
