package journaltest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// Store says how to open the store under test.
type Store struct {
	// Open opens the store at place, a directory of the test's own: the same
	// place is the same store. It arranges for its own end with t.Cleanup.
	//
	// crash ends the store as the death of the process would: nothing is
	// closed, written or told, and place can be opened again. What was open
	// is not used any more. nil: the store cannot show that; what follows a
	// crash is then tried after a Close only.
	Open func(t *testing.T, place string) (o journal.Opener, crash func())
	// OpenSmall opens a store that refuses with [journal.ErrFull] when it
	// has about a mebibyte. nil: the store knows no bound.
	OpenSmall func(t *testing.T, place string) journal.Opener
}

// Run holds the store against the contract of package journal, each promise a
// subtest.
func Run(t *testing.T, s Store) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, Store)
	}{
		{"EverythingOfAnEntryComesBack", everythingComesBack},
		{"ReplayIsInOrder", replayIsInOrder},
		{"AckedIsNotReplayed", ackedIsNotReplayed},
		{"AckTakesWhatIsNotThere", ackTakesAnything},
		{"DuplicateIDsAreKept", duplicateIDsAreKept},
		{"MadeIDsStayTheSameAndDiffer", madeIDs},
		{"EntriesOutliveClose", func(t *testing.T, s Store) { entriesOutlive(t, s, closed) }},
		{"EntriesOutliveACrash", func(t *testing.T, s Store) { entriesOutlive(t, s, crashed) }},
		{"ReplayAgainAfterACrashInReplay", crashInReplay},
		{"ReplayIsBoundedByItsBeginning", replayIsBounded},
		{"ReplayCanBeLeftAndEndsWithItsContext", replayCanBeLeft},
		{"LargePayloads", largePayloads},
		{"NothingAfterClose", nothingAfterClose},
		{"OneHolderOfAName", oneHolder},
		{"NamesAreApart", namesAreApart},
		{"TheCallersSliceIsItsOwnAgain", slicesAreOwn},
		{"AllAtOnce", allAtOnce},
		{"FullRefusesAndHeals", fullHeals},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, s) })
	}
}

// house is one place over several lives.
type house struct {
	t      *testing.T
	store  Store
	place  string
	opener journal.Opener
	crash  func()
}

func newHouse(t *testing.T, s Store) *house {
	t.Helper()
	h := &house{t: t, store: s, place: t.TempDir()}
	h.opener, h.crash = s.Open(t, h.place)
	return h
}

func (h *house) open(name string) journal.Journal {
	h.t.Helper()
	j, err := h.opener.Open(h.t.Context(), name)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = j.Close() })
	return j
}

// end is how a life comes to its end.
type end func(*house, journal.Journal)

func closed(h *house, j journal.Journal) {
	h.t.Helper()
	require.NoError(h.t, j.Close())
}

func crashed(h *house, _ journal.Journal) {
	h.t.Helper()
	if h.crash == nil {
		h.t.Skip("this store cannot crash")
	}
	h.crash()
	h.opener, h.crash = h.store.Open(h.t, h.place)
}

func add(t *testing.T, j journal.Journal, payloads ...string) journal.Span {
	t.Helper()
	entries := make([]journal.Entry, len(payloads))
	for i, p := range payloads {
		entries[i].Payload = []byte(p)
	}
	span, err := j.Append(t.Context(), entries...)
	require.NoError(t, err)
	require.Equal(t, len(payloads), span.Len())
	return span
}

func replay(t *testing.T, j journal.Journal) []journal.Entry {
	t.Helper()
	var got []journal.Entry
	for e, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		got = append(got, e)
	}
	return got
}

func payloads(entries []journal.Entry) []string {
	texts := []string{}
	for i := range entries {
		texts = append(texts, string(entries[i].Payload))
	}
	return texts
}

func everythingComesBack(t *testing.T, s Store) {
	h := newHouse(t, s)
	j := h.open("all")
	give := []journal.Entry{
		{
			ID: "order 7/ü", At: time.Date(2026, 2, 3, 4, 5, 6, 789, time.FixedZone("CET", 3600)), Attempt: 3,
			Kind: "sms", Key: "receiver\x00\xff", Codec: "json", Version: 2, Payload: []byte(`{"text":"hello"}`), Seq: 99,
		},
		{ID: "nothing else"},
		{ID: "before the epoch", At: time.Unix(-1, 0)},
	}
	span, err := j.Append(t.Context(), give...)
	require.NoError(t, err)
	check := func(j journal.Journal) {
		got := replay(t, j)
		require.Len(t, got, len(give))
		for i, e := range got {
			want := give[i]
			want.Seq = span.First + uint64(i)
			assert.True(t, want.At.Equal(e.At), "%s is not %s", want.At, e.At)
			if !e.At.IsZero() {
				assert.Equal(t, time.UTC, e.At.Location())
			}
			assert.True(t, bytes.Equal(want.Payload, e.Payload), "%q is not %q", want.Payload, e.Payload)
			want.At, want.Payload, e.At, e.Payload = time.Time{}, nil, time.Time{}, nil
			assert.Equal(t, want, e)
		}
	}
	check(j)
	require.NoError(t, j.Close())
	check(h.open("all"))
}

func replayIsInOrder(t *testing.T, s Store) {
	j := newHouse(t, s).open("order")
	var want []string
	for group := range 20 {
		var texts []string
		for i := range group {
			texts = append(texts, fmt.Sprintf("%d.%d", group, i))
		}
		add(t, j, texts...)
		want = append(want, texts...)
	}
	got := replay(t, j)
	require.Equal(t, want, payloads(got))
	for i := 1; i < len(got); i++ {
		require.Greater(t, got[i].Seq, got[i-1].Seq)
	}
	require.Equal(t, len(want), j.Len())
}

func ackedIsNotReplayed(t *testing.T, s Store) {
	h := newHouse(t, s)
	j := h.open("ack")
	a, b, c := add(t, j, "a1", "a2", "a3"), add(t, j, "b"), add(t, j, "c1", "c2")
	require.NoError(t, j.Ack(t.Context(), journal.Span{First: a.First + 1, Last: a.First + 1}, c))
	require.Equal(t, []string{"a1", "a3", "b"}, payloads(replay(t, j)))
	require.Equal(t, 3, j.Len())

	require.NoError(t, j.Close())
	j = h.open("ack")
	got := replay(t, j)
	require.Equal(t, []string{"a1", "a3", "b"}, payloads(got))
	require.NoError(t, j.Ack(t.Context(), journal.Span{First: got[0].Seq, Last: b.Last}))
	require.Empty(t, replay(t, j))
	require.Zero(t, j.Len())
}

func ackTakesAnything(t *testing.T, s Store) {
	j := newHouse(t, s).open("ack")
	span := add(t, j, "a", "b")
	one := journal.Span{First: span.First, Last: span.First}
	require.NoError(t, j.Ack(t.Context()))
	require.NoError(t, j.Ack(t.Context(), journal.Span{}, one, one))
	require.NoError(t, j.Ack(t.Context(), one, journal.Span{First: span.Last + 1, Last: span.Last + 1000}, journal.Span{First: 9, Last: 3}))
	require.Equal(t, []string{"b"}, payloads(replay(t, j)))

	add(t, j, "c")
	require.Equal(t, []string{"b", "c"}, payloads(replay(t, j)), "an entry cannot be acknowledged before it is there")
}

func duplicateIDsAreKept(t *testing.T, s Store) {
	j := newHouse(t, s).open("ids")
	for range 2 {
		_, err := j.Append(t.Context(), journal.Entry{ID: "same"}, journal.Entry{ID: "same"})
		require.NoError(t, err)
	}
	require.Len(t, replay(t, j), 4)
}

func madeIDs(t *testing.T, s Store) {
	h := newHouse(t, s)
	seen := map[string]bool{}
	for life := range 3 {
		j := h.open("ids")
		span := add(t, j, "a", "b")
		want := map[uint64]string{span.First: j.ID(span.First), span.Last: j.ID(span.Last)}
		for _, id := range want {
			require.NotEmpty(t, id)
			require.False(t, seen[id], "life %d: %s was made before", life, id)
			seen[id] = true
		}
		require.NoError(t, j.Close())

		j = h.open("ids")
		got := replay(t, j)
		require.Len(t, got, 2)
		for _, e := range got {
			require.Equal(t, want[e.Seq], e.ID)
		}
		require.NoError(t, j.Ack(t.Context(), span))
		require.NoError(t, j.Close())
	}
}

func entriesOutlive(t *testing.T, s Store, end end) {
	h := newHouse(t, s)
	var want []string
	for life := range 4 {
		j := h.open("lives")
		require.Equal(t, want, append([]string(nil), payloads(replay(t, j))...), "life %d", life)
		text := fmt.Sprint("life ", life)
		span := add(t, j, text, "done", text+" again")
		require.NoError(t, j.Ack(t.Context(), journal.Span{First: span.First + 1, Last: span.First + 1}))
		want = append(want, text, text+" again")
		end(h, j)
	}
	require.Equal(t, want, payloads(replay(t, h.open("lives"))))
}

func crashInReplay(t *testing.T, s Store) {
	h := newHouse(t, s)
	j := h.open("replay")
	add(t, j, "a", "b", "c", "d")
	for _, want := range [][]string{{"a", "b", "c", "d"}, {"b", "c", "d"}, {"c", "d"}, {"d"}, {}} {
		crashed(h, j)
		j = h.open("replay")
		require.Equal(t, want, payloads(replay(t, j)))
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			require.NoError(t, j.Ack(t.Context(), e.Span()))
			break
		}
	}
}

func replayIsBounded(t *testing.T, s Store) {
	j := newHouse(t, s).open("bounded")
	add(t, j, "a", "b")
	var got []string
	for e, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		got = append(got, string(e.Payload))
		add(t, j, "sent on")
		require.NoError(t, j.Ack(t.Context(), e.Span()))
	}
	require.Equal(t, []string{"a", "b"}, got)
	require.Equal(t, []string{"sent on", "sent on"}, payloads(replay(t, j)))
}

func replayCanBeLeft(t *testing.T, s Store) {
	j := newHouse(t, s).open("left")
	add(t, j, "a", "b", "c")
	for _, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		break
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	count := 0
	var last error
	for e, err := range j.Replay(ctx) {
		last = err
		if err != nil {
			require.Zero(t, e)
			continue
		}
		count++
		cancel(fmt.Errorf("enough: %w", context.Canceled))
	}
	require.ErrorContains(t, last, "enough")
	require.Less(t, count, 4)
	require.Len(t, replay(t, j), 3)
}

func largePayloads(t *testing.T, s Store) {
	h := newHouse(t, s)
	j := h.open("large")
	var want [][]byte
	for i, size := range []int{0, 1, 4095, 1 << 20, 10, 3<<20 + 1, 100_000} {
		want = append(want, bytes.Repeat([]byte{byte(i + 1)}, size))
		_, err := j.Append(t.Context(), journal.Entry{Payload: want[i]})
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())
	got := replay(t, h.open("large"))
	require.Len(t, got, len(want))
	for i := range want {
		require.True(t, bytes.Equal(want[i], got[i].Payload), "payload %d of %d bytes differs", i, len(want[i]))
	}
}

func nothingAfterClose(t *testing.T, s Store) {
	j := newHouse(t, s).open("closed")
	span := add(t, j, "a", "b")
	var inReplay error
	for _, err := range j.Replay(t.Context()) {
		inReplay = err
		require.NoError(t, j.Close())
	}
	require.ErrorIs(t, inReplay, journal.ErrClosed, "a replay under way ends")
	require.NoError(t, j.Close())

	_, err := j.Append(t.Context(), journal.Entry{})
	require.ErrorIs(t, err, journal.ErrClosed)
	require.ErrorIs(t, j.Ack(t.Context(), span), journal.ErrClosed)
	for _, err := range j.Replay(t.Context()) {
		require.ErrorIs(t, err, journal.ErrClosed)
	}
	var named *journal.Error
	require.ErrorAs(t, err, &named)
	require.Equal(t, "closed", named.Journal)
	require.Equal(t, "append", named.Op)
}

func oneHolder(t *testing.T, s Store) {
	h := newHouse(t, s)
	j := h.open("held")
	_, err := h.opener.Open(t.Context(), "held")
	require.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, j.Close())
	h.open("held")
}

func namesAreApart(t *testing.T, s Store) {
	h := newHouse(t, s)
	names := []string{"pool:sms", "pool/sms", "..", "ü", "a b", "pool%3Asms", "con."}
	for _, name := range names {
		add(t, h.open(name), name)
	}
	if h.crash != nil {
		crashed(h, nil)
		for _, name := range names {
			require.Equal(t, []string{name}, payloads(replay(t, h.open(name))))
		}
	}
}

func slicesAreOwn(t *testing.T, s Store) {
	j := newHouse(t, s).open("own")
	entries := []journal.Entry{{Payload: []byte("mine")}}
	_, err := j.Append(t.Context(), entries...)
	require.NoError(t, err)
	require.Zero(t, entries[0].Seq, "the journal writes nothing into it")
	copy(entries[0].Payload, "gone")

	got := replay(t, j)
	require.Equal(t, []string{"mine"}, payloads(got))
	copy(got[0].Payload, "gone")
	require.Equal(t, []string{"mine"}, payloads(replay(t, j)))
}

func fullHeals(t *testing.T, s Store) {
	if s.OpenSmall == nil {
		t.Skip("this store knows no bound")
	}
	j, err := s.OpenSmall(t, t.TempDir()).Open(t.Context(), "small")
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })

	_, err = j.Append(t.Context(), journal.Entry{Payload: make([]byte, 8<<20)})
	require.ErrorIs(t, err, journal.ErrTooLarge)

	for round := range 3 {
		var spans []journal.Span
		var err error
		for len(spans) < 10_000 {
			var span journal.Span
			if span, err = j.Append(t.Context(), journal.Entry{Payload: make([]byte, 1000)}); err != nil {
				break
			}
			spans = append(spans, span)
		}
		require.ErrorIs(t, err, journal.ErrFull, "round %d", round)
		require.Len(t, replay(t, j), len(spans), "what was refused is not there, what was not refused is")
		require.Greater(t, len(spans), 100)
		require.NoError(t, j.Ack(t.Context(), spans...))
		require.Zero(t, j.Len())
	}
}
