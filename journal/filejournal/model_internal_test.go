package filejournal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

// TestModel drives a journal and the one in memory through the same random
// history and compares what they replay.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncProcess, SyncEvery(time.Millisecond), SyncAlways} {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				m := &model{sync: sync, disk: newMemDisk(), store: journaltest.NewMemory(0)}
				m.max = rapid.SampledFrom([]int64{1 << 20, 96 << 10, 48 << 10}).Draw(rt, "max_bytes")
				m.open(rt)
				defer func() { m.j.crash() }() // rapid leaves a history that it cannot go on with
				rt.Repeat(map[string]func(*rapid.T){
					"append": m.append,
					"ack":    m.ack,
					"reopen": m.reopen,
					"crash":  m.crash,
					"power":  m.losePower,
					"":       m.compare,
				})
				require.NoError(rt, m.j.Close())
			})
		})
	}
}

type model struct {
	sync  Sync
	max   int64
	disk  *memDisk
	store *journaltest.Memory
	j     *Journal
	ideal journal.Journal
	pairs []pair // spans that were appended in this life or found
}

// pair is one entry in both: their numbers need not be the same.
type pair struct{ ours, ideal uint64 }

func (m *model) open(t *rapid.T) {
	var err error
	m.j, err = openJournal(t.Context(), m.disk, m.config(), "test", func() {})
	require.NoError(t, err)
	if err := m.j.Health().Err(); !errors.Is(err, journal.ErrFull) {
		require.NoError(t, err)
	}
	m.bounded(t)
	m.ideal, err = m.store.Open(t.Context(), "test")
	require.NoError(t, err)
	m.pairs = nil
	ours, ideal := all(t, m.j), all(t, m.ideal)
	require.Len(t, ours, len(ideal))
	for i := range ours {
		m.pairs = append(m.pairs, pair{ours[i].Seq, ideal[i].Seq})
	}
}

func (m *model) config() Config {
	cfg := small(m.sync)
	cfg.MaxBytes = m.max
	return cfg
}

// bounded: whatever was acknowledged, a journal that has just been opened
// takes no more than about twice what is alive in it.
func (m *model) bounded(t *rapid.T) {
	m.j.tidied()
	live := int64(0)
	for _, e := range all(t, m.j) {
		live += int64(entrySize(&e)) + slotSize
	}
	live *= 2 // half of each file is its header: they are that small
	require.LessOrEqual(t, m.j.Health().Bytes, 2*live+3*m.j.cfg.SegmentBytes)
}

func all(t *rapid.T, j journal.Journal) []journal.Entry {
	var entries []journal.Entry
	for e, err := range j.Replay(t.Context()) {
		if err != nil {
			require.NoError(t, err)
		}
		entries = append(entries, e)
	}
	return entries
}

func (m *model) append(t *rapid.T) {
	group := make([]journal.Entry, rapid.IntRange(1, 12).Draw(t, "entries"))
	for i := range group {
		size := rapid.SampledFrom([]int{0, 1, 50, 600, 3900, 20_000}).Draw(t, "size")
		if len(group) > 3 {
			size = min(size, 600)
		}
		group[i] = journal.Entry{
			ID: rapid.StringN(1, 9, -1).Draw(t, "id"), Payload: slices.Repeat([]byte{byte(size)}, size),
			Attempt: rapid.Int().Draw(t, "attempt"), Key: rapid.String().Draw(t, "key"),
		}
	}
	ours, err := m.j.Append(t.Context(), group...)
	if errors.Is(err, journal.ErrTooLarge) || errors.Is(err, journal.ErrFull) {
		return
	}
	require.NoError(t, err)
	ideal, err := m.ideal.Append(t.Context(), group...)
	require.NoError(t, err)
	require.Equal(t, ideal.Len(), ours.Len())
	for i := range group {
		m.pairs = append(m.pairs, pair{ours.First + uint64(i), ideal.First + uint64(i)})
	}
}

// ack acknowledges a row of what was appended, some of it perhaps again.
func (m *model) ack(t *rapid.T) {
	if len(m.pairs) == 0 {
		return
	}
	from := rapid.IntRange(0, len(m.pairs)-1).Draw(t, "from")
	row := m.pairs[from:min(len(m.pairs), from+rapid.IntRange(1, 20).Draw(t, "n"))]
	var ours, ideal []journal.Span
	for _, p := range row {
		ours = append(ours, journal.Span{First: p.ours, Last: p.ours})
		ideal = append(ideal, journal.Span{First: p.ideal, Last: p.ideal})
	}
	if rapid.Bool().Draw(t, "as one") && row[len(row)-1].ours-row[0].ours == uint64(len(row)-1) {
		ours = []journal.Span{{First: row[0].ours, Last: row[len(row)-1].ours}}
	}
	require.NoError(t, m.j.Ack(t.Context(), ours...))
	require.NoError(t, m.ideal.Ack(t.Context(), ideal...))
}

func (m *model) reopen(t *rapid.T) {
	require.NoError(t, m.j.Close())
	require.NoError(t, m.ideal.Close())
	m.open(t)
}

func (m *model) crash(t *rapid.T) {
	m.j.crash()
	m.store.Crash()
	m.open(t)
}

// losePower brings back what was accepted, if that was promised, and no
// acknowledgement that was not forced. So all is acknowledged anew.
func (m *model) losePower(t *rapid.T) {
	if m.sync != SyncAlways {
		return
	}
	after := m.disk.powerLoss(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
	want := all(t, m.ideal)
	m.j.crash()
	m.disk = after

	var err error
	m.j, err = openJournal(t.Context(), m.disk, m.config(), "test", func() {})
	require.NoError(t, err)
	got := all(t, m.j)
	i := 0
	for _, e := range got {
		if i < len(want) && e.ID == want[i].ID && len(e.Payload) == len(want[i].Payload) && e.Key == want[i].Key && e.Attempt == want[i].Attempt {
			i++
			continue
		}
		require.NoError(t, m.j.Ack(t.Context(), e.Span()))
	}
	require.Equal(t, len(want), i, "entries are missing after the power loss")
	m.crash(t)
}

func (m *model) compare(t *rapid.T) {
	ours, ideal := all(t, m.j), all(t, m.ideal)
	require.Len(t, ours, len(ideal))
	for i := range ours {
		a, b := &ideal[i], &ours[i]
		if a.ID != b.ID || a.Key != b.Key || a.Attempt != b.Attempt || !bytes.Equal(a.Payload, b.Payload) {
			b.Seq = a.Seq
			require.Equal(t, *a, *b)
		}
	}
	require.Equal(t, m.ideal.Len(), m.j.Len())
	m.j.making.Lock() // nothing is between two lists
	defer m.j.making.Unlock()
	m.j.mu.Lock()
	defer m.j.mu.Unlock()
	var size int64
	for _, list := range [][]*segment{m.j.segments, m.j.spares, m.j.free, m.j.trash} {
		for _, s := range list {
			size += s.size
		}
	}
	if !m.j.tidying {
		require.Equal(t, size, m.j.bytes)
	}
	require.LessOrEqual(t, m.j.bytes, m.j.cfg.MaxBytes)
}
