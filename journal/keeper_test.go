package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

type order struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
}

func keeper(t *testing.T, m journal.Opener, box *journal.DeadLetters) *journal.Keeper[order] {
	t.Helper()
	k, err := journal.NewKeeper("lane:orders", m, journal.JSON[order](), box)
	require.NoError(t, err)
	require.NoError(t, k.Open(t.Context()))
	return k
}

func orders(from, n int) []journal.Item[order] {
	items := make([]journal.Item[order], n)
	for i := range items {
		items[i] = journal.Item[order]{Value: order{from + i, "tea"}, Key: strconv.Itoa(from + i)}
	}
	return items
}

// left is what the next life finds, by number.
func left(t *testing.T, k *journal.Keeper[order]) (numbers []int) {
	t.Helper()
	for it, err := range k.Replay(t.Context()) {
		require.NoError(t, err)
		numbers = append(numbers, it.Value.Number)
	}
	return numbers
}

func TestKeeper(t *testing.T) {
	t.Parallel()

	t.Run("ReplaysWhatIsNotDone", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		k := keeper(t, m, nil)
		items := orders(1, 5)
		require.NoError(t, k.Keep(t.Context(), items))
		require.NotZero(t, items[0].Seq)
		k.Done(items[1].Seq, items[3].Seq)
		k.Done(items[0].Seq)
		ids := []string{k.ID(items[2].Seq, 0), k.ID(items[4].Seq, 0)}
		m.Crash()

		k = keeper(t, m, nil)
		var again []string
		for it, err := range k.Replay(t.Context()) {
			require.NoError(t, err)
			assert.Equal(t, strconv.Itoa(it.Value.Number), it.Key)
			again = append(again, it.ID)
		}
		assert.Equal(t, ids, again, "the ids stay the same")
		assert.Equal(t, []int{3, 5}, left(t, k))
		assert.Equal(t, 2, k.Len())
		require.NoError(t, k.Close())
	})

	t.Run("OrderKeyIsToldFromALabel", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		box := journal.NewDeadLetters(m)
		k := keeper(t, m, box)
		items := orders(1, 2)
		items[0].Keyed = true
		require.NoError(t, k.Keep(t.Context(), items))
		var keyed []bool
		for it, err := range k.Replay(t.Context()) {
			require.NoError(t, err)
			keyed = append(keyed, it.Keyed)
			require.NoError(t, k.Bury(t.Context(), it, journal.ReasonPermanent, nil, nil))
		}
		assert.Equal(t, []bool{true, false}, keyed)
		leave := k.Receive(func(_ context.Context, it journal.Item[order]) error {
			keyed = append(keyed, it.Keyed)
			return nil
		})
		defer leave()
		for _, l := range all(t, box) {
			assert.Equal(t, l.Keyed, l.Work().Kind != "")
			require.NoError(t, box.Redrive(t.Context(), l))
		}
		assert.Equal(t, []bool{true, false, true, false}, keyed)
	})

	t.Run("FailedKeepSetsNoSeq", func(t *testing.T) {
		t.Parallel()
		k := keeper(t, journaltest.NewMemory(100), nil)
		items := orders(1, 1000)
		require.ErrorIs(t, k.Keep(t.Context(), items), journal.ErrTooLarge)
		for i := range items {
			require.Zero(t, items[i].Seq)
		}
		assert.Zero(t, k.Len())
	})

	t.Run("RenewIsAllOrNothing", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		k := keeper(t, m, nil)
		items := orders(1, 2500)
		require.NoError(t, k.Keep(t.Context(), items))
		for i := range items {
			items[i].ID, items[i].Attempt = strconv.Itoa(i), 7
		}
		old := items[1].Seq
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, k.Renew(ended, items[1:]), context.Canceled)
		assert.Equal(t, old, items[1].Seq)
		require.NoError(t, k.Renew(t.Context(), items[1:]))
		assert.Greater(t, items[1].Seq, items[0].Seq+2499)
		n := 0
		for it, err := range k.Replay(t.Context()) {
			require.NoError(t, err)
			assert.Equal(t, items[n].Seq, it.Seq)
			if n > 0 {
				assert.Equal(t, strconv.Itoa(n), it.ID)
				assert.Equal(t, 7, it.Attempt)
			}
			n++
		}
		assert.Equal(t, 2500, n)
		require.NoError(t, k.Close())

		k = keeper(t, journaltest.NewMemory(1500*len(`{"number":1234,"text":"tea"}`)), nil)
		items = orders(1000, 1200)
		require.NoError(t, k.Keep(t.Context(), items))
		require.Error(t, k.Renew(t.Context(), items))
		assert.Equal(t, 1200, k.Len())
		assert.EqualValues(t, 1, items[0].Seq)
	})

	t.Run("WithoutAJournalSaysWhatToDo", func(t *testing.T) {
		t.Parallel()
		k, err := journal.NewKeeper("lane:orders", nil, journal.JSON[order](), nil)
		require.NoError(t, err)
		require.ErrorContains(t, k.Open(t.Context()), "give an Opener")
		require.ErrorContains(t, k.Keep(t.Context(), orders(1, 1)), "give an Opener")
		require.ErrorContains(t, k.Save(t.Context(), orders(1, 1)), "give an Opener")
		require.ErrorContains(t, k.Bury(t.Context(), orders(1, 1)[0], journal.ReasonRetries, nil, nil), "give a DeadLetters")
		k.Done(1)
		assert.Zero(t, k.Len())
		assert.NotEqual(t, k.ID(0, 1), k.ID(0, 2))
		require.NoError(t, k.Close())
	})

	t.Run("IncompleteCodecIsRefused", func(t *testing.T) {
		t.Parallel()
		_, err := journal.NewKeeper("lane:orders", nil, journal.Codec[order]{}, nil)
		for _, text := range []string{"lane:orders", "name", "encode", "decode"} {
			require.ErrorContains(t, err, text)
		}
	})

	t.Run("AcknowledgementsOfManyAreWhole", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		k := keeper(t, m, nil)
		const n = 2000
		items := orders(0, n)
		require.NoError(t, k.Keep(t.Context(), items))
		rand.Shuffle(n, func(i, j int) { items[i], items[j] = items[j], items[i] })
		unfinished := map[int]bool{}
		var wg sync.WaitGroup
		for part := range 8 {
			mine := items[part*n/8 : (part+1)*n/8]
			for i := range mine {
				if mine[i].Value.Number%10 == 0 {
					unfinished[mine[i].Value.Number] = true
				}
			}
			wg.Go(func() {
				for i := range mine {
					if mine[i].Value.Number%10 != 0 {
						k.Done(mine[i].Seq)
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, k.Fault())
		numbers := left(t, k)
		assert.Len(t, numbers, n/10)
		for _, number := range numbers {
			assert.True(t, unfinished[number])
		}
	})
}

func TestKeeperSave(t *testing.T) {
	t.Parallel()

	t.Run("WritesInOrderWhatIsNotThereYet", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		k := keeper(t, m, nil)
		items := orders(1, 2500)
		require.NoError(t, k.Keep(t.Context(), items[:3]))
		require.NoError(t, k.Save(t.Context(), items))
		for i := range items {
			require.NotZero(t, items[i].Seq)
		}
		numbers := left(t, k)
		require.Len(t, numbers, 2500)
		for i, number := range numbers {
			require.Equal(t, i+1, number)
		}
	})

	t.Run("TakesAsManyAsThereIsRoomFor", func(t *testing.T) {
		t.Parallel()
		items := orders(100, 1000) // 29 bytes each
		k := keeper(t, journaltest.NewMemory(29*10), nil)
		require.ErrorIs(t, k.Save(t.Context(), items), journal.ErrFull)
		kept := 0
		for i := range items {
			if items[i].Seq > 0 {
				kept++
			}
		}
		assert.Equal(t, 10, kept)
		assert.Equal(t, 10, k.Len())
	})

	t.Run("CodecMayReturnMemoryOfItsOwn", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		codec := journal.JSON[order]()
		codec.Encode = func(_ []byte, o order) ([]byte, error) { return json.Marshal(o) }
		k, err := journal.NewKeeper("lane:orders", m, codec, nil)
		require.NoError(t, err)
		require.NoError(t, k.Open(t.Context()))
		items := orders(1, 2500)
		for i := range items {
			items[i].Value.Text = strings.Repeat("x", i%300)
		}
		require.NoError(t, k.Save(t.Context(), items))
		i := 0
		for it, err := range k.Replay(t.Context()) {
			require.NoError(t, err)
			require.Equal(t, items[i].Value, it.Value)
			i++
		}
		require.Equal(t, 2500, i)
	})

	t.Run("OneThatCannotBeWrittenTakesNoneOfTheOthersWithIt", func(t *testing.T) {
		t.Parallel()
		codec := journal.JSON[order]()
		encode := codec.Encode
		codec.Encode = func(dst []byte, o order) ([]byte, error) {
			switch o.Number {
			case 13:
				return append(dst, "half of it"...), errors.New("bad luck")
			case 666:
				panic("worse")
			}
			return encode(dst, o)
		}
		m := journaltest.NewMemory(0)
		k, err := journal.NewKeeper("lane:orders", m, codec, nil)
		require.NoError(t, err)
		require.NoError(t, k.Open(t.Context()))
		items := orders(1, 1500)
		err = k.Save(t.Context(), items)
		require.ErrorContains(t, err, "bad luck")
		require.ErrorContains(t, err, "worse")
		for i := range items {
			bad := items[i].Value.Number == 13 || items[i].Value.Number == 666
			require.Equal(t, bad, items[i].Seq == 0, "%d", items[i].Value.Number)
		}
		assert.Len(t, left(t, k), 1498)
	})
}

func TestKeeperSaveOnABrokenStore(t *testing.T) {
	t.Parallel()
	k := keeper(t, broken{}, nil)
	items := orders(1, 100_000)
	err := k.Save(t.Context(), items)
	require.ErrorIs(t, err, errBroken)
	assert.Less(t, len(err.Error()), 1000)
}

var errBroken = errors.New("no such disk")

// broken is a store that takes nothing, and an opener of it.
type broken struct{ journal.Journal }

func (b broken) Open(context.Context, string) (journal.Journal, error) { return b, nil }

func (broken) Append(context.Context, ...journal.Entry) (journal.Span, error) {
	return journal.Span{}, errBroken
}

func TestJSONThatLoses(t *testing.T) {
	t.Parallel()
	open := func(k interface{ Open(context.Context) error }, err error) error {
		require.NoError(t, err)
		return k.Open(t.Context())
	}
	type hidden struct{ To, text string } //nolint:unused // it is what JSON leaves out
	type deep struct{ Orders map[string][]*hidden }
	type tagged struct {
		To    string
		cache string `json:"-"`
	}
	type list struct{ Next *list }
	m := func() journal.Opener { return journaltest.NewMemory(0) }
	require.ErrorContains(t, open(journal.NewKeeper("k", m(), journal.JSON[hidden](), nil)), "hidden.text, which is not exported")
	require.ErrorContains(t, open(journal.NewKeeper("k", m(), journal.JSON[deep](), nil)), "deep.Orders.text")
	require.ErrorContains(t, open(journal.NewKeeper("k", m(), journal.JSON[any](), nil)), "give a codec of your own")
	require.ErrorContains(t, open(journal.NewKeeper("k", m(), journal.JSON[struct{ Err error }](), nil)), "interface error")
	require.ErrorContains(t, open(journal.NewKeeper("k", m(), journal.JSON[struct{ Done chan int }](), nil)), "which is a chan")
	for _, err := range []error{
		open(journal.NewKeeper("k", m(), journal.JSON[tagged](), nil)),
		open(journal.NewKeeper("k", m(), journal.JSON[list](), nil)),
		open(journal.NewKeeper("k", m(), journal.JSON[map[string]any](), nil)),
		open(journal.NewKeeper("k", m(), journal.JSON[struct{ At time.Time }](), nil)),
		open(journal.NewKeeper("k", m(), journal.JSON[netip.Addr](), nil)),
	} {
		require.NoError(t, err)
	}
	_ = tagged{cache: ""}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()

	t.Run("BuriedWorkIsInTheBoxAndInTheJournalTooUntilItIsDone", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		box := journal.NewDeadLetters(m)
		k := keeper(t, m, box)
		items := orders(1, 2)
		require.NoError(t, k.Keep(t.Context(), items))
		items[0].ID, items[0].Attempt = "a", 3
		require.NoError(t, k.Bury(t.Context(), items[0], journal.ReasonRetries, errors.New("busy"), errors.New("gone")))
		assert.Equal(t, []int{1, 2}, left(t, k))
		k.Done(items[0].Seq)
		assert.Equal(t, []int{2}, left(t, k))
		m.Crash()

		box = journal.NewDeadLetters(m)
		letters := all(t, box)
		require.Len(t, letters, 1)
		l := letters[0]
		assert.False(t, l.Died.IsZero())
		l.Died, l.Seq = l.Died.Truncate(0), 0
		assert.Equal(t, journal.DeadLetter{
			ID: "a", Component: "lane:orders", Key: "1", Reason: journal.ReasonRetries, Attempts: 3,
			Died: l.Died, First: "busy", Last: "gone", Codec: "json", Payload: []byte(`{"number":1,"text":"tea"}`),
		}, l)
		require.NoError(t, box.Close())
		require.NoError(t, box.Close())
		require.ErrorIs(t, box.Put(t.Context(), l), journal.ErrClosed)
	})

	t.Run("UndecodableEntryIsALetter", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		j, err := m.Open(t.Context(), "lane:orders")
		require.NoError(t, err)
		_, err = j.Append(t.Context(),
			journal.Entry{ID: "1", Codec: "json", Payload: []byte(`{"number":1}`)},
			journal.Entry{ID: "2", Codec: "json", Payload: []byte(`{"number":`)},
			journal.Entry{ID: "3", Codec: "gob", Payload: []byte{0, 1, 2}},
			journal.Entry{ID: "4", Codec: "json", Payload: []byte(`{"number":4}`)})
		require.NoError(t, err)
		m.Crash()

		k := keeper(t, m, nil)
		assert.Equal(t, []int{1, 4}, left(t, k))
		assert.Equal(t, 2, k.Unreadable())
		assert.Equal(t, 4, k.Len(), "without a box they stay")
		m.Crash()

		box := journal.NewDeadLetters(m)
		k = keeper(t, m, box)
		assert.Equal(t, []int{1, 4}, left(t, k))
		assert.Equal(t, 2, k.Len())
		letters := all(t, box)
		require.Len(t, letters, 2)
		assert.Equal(t, []byte{0, 1, 2}, letters[1].Payload)
		assert.Equal(t, journal.ReasonUndecodable, letters[1].Reason)
		assert.Contains(t, letters[1].Last, `"gob"`)
	})

	t.Run("WhatNoCodecCanWriteIsDescribed", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		box := journal.NewDeadLetters(m)
		k, err := journal.NewKeeper("lane:channels", m, journal.JSON[chan int](), box)
		require.NoError(t, err)
		require.NoError(t, k.Bury(t.Context(), journal.Item[chan int]{ID: "x"}, journal.ReasonPermanent, nil, errors.New("no")))
		letters := all(t, box)
		require.Len(t, letters, 1)
		assert.Equal(t, "none", letters[0].Codec)
		assert.Contains(t, letters[0].Last, "JSON cannot write chan int")
	})

	t.Run("RedriveGivesTheWorkBackAndThrowsTheLetterAway", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		box := journal.NewDeadLetters(m)
		k := keeper(t, m, box)
		var taken []journal.Item[order]
		refuse := errors.New("full")
		leave := k.Receive(func(_ context.Context, it journal.Item[order]) error {
			taken = append(taken, it)
			return refuse
		})
		require.NoError(t, k.Bury(t.Context(), journal.Item[order]{ID: "a", Key: "k", Attempt: 5, Value: order{7, "tea"}}, journal.ReasonPermanent, nil, errors.New("no")))
		letter := all(t, box)[0]

		require.ErrorIs(t, box.Redrive(t.Context(), letter), refuse)
		assert.Len(t, all(t, box), 1)
		refuse = nil
		require.NoError(t, box.Redrive(t.Context(), letter))
		assert.Empty(t, all(t, box))
		require.Len(t, taken, 2)
		assert.Equal(t, journal.Item[order]{ID: "a", Key: "k", Value: order{7, "tea"}}, taken[1])

		letter.Payload, letter.Seq = []byte("{"), 0
		require.ErrorContains(t, box.Redrive(t.Context(), letter), "cannot be read")
		leave()
		require.ErrorContains(t, box.Redrive(t.Context(), letter), "nobody takes letters of \"lane:orders\"")
	})

	t.Run("LetterIsSentAgainOnce", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := journaltest.NewMemory(0)
			box := journal.NewDeadLetters(m)
			k := keeper(t, m, box)
			let, taken := make(chan struct{}), 0
			defer k.Receive(func(context.Context, journal.Item[order]) error {
				taken++
				<-let
				return nil
			})()
			require.NoError(t, k.Bury(t.Context(), journal.Item[order]{ID: "a"}, journal.ReasonPermanent, nil, nil))
			letter := all(t, box)[0]
			first := make(chan error)
			ctx, hangUp := context.WithCancel(t.Context())
			go func() { first <- box.Redrive(ctx, letter) }()
			synctest.Wait()
			require.ErrorContains(t, box.Redrive(t.Context(), letter), "being sent again already")
			hangUp()
			close(let)
			require.NoError(t, <-first, "who asked for it has gone, and it is out of the box all the same")
			require.ErrorContains(t, box.Redrive(t.Context(), letter), "not in the box any more")
			assert.Equal(t, 1, taken)
			assert.Empty(t, all(t, box))
		})
	})

	t.Run("NobodyWaitsForADiskThatOpensTheBox", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			let := make(chan struct{})
			box := journal.NewDeadLetters(opener(func() { <-let }))
			put := make(chan error)
			go func() { put <- box.Put(t.Context(), journal.DeadLetter{}) }()
			synctest.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, box.Put(ended, journal.DeadLetter{}), context.Canceled)
			box.Receive("lane:sms", nil, nil)()
			close(let)
			require.NoError(t, <-put)
			require.NoError(t, box.Close())
		})
	})

	t.Run("DropThrowsAway", func(t *testing.T) {
		t.Parallel()
		box := journal.NewDeadLetters(journaltest.NewMemory(0))
		for i := range 5 {
			require.NoError(t, box.Put(t.Context(), journal.DeadLetter{ID: fmt.Sprint(i)}))
		}
		letters := all(t, box)
		seqs := []uint64{letters[4].Seq, letters[1].Seq, 99}
		require.NoError(t, box.Drop(t.Context(), seqs...))
		assert.Equal(t, []uint64{letters[4].Seq, letters[1].Seq, 99}, seqs, "the slice stays the caller's")
		n, err := box.Len(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	})
}

func all(t *testing.T, box *journal.DeadLetters) (letters []journal.DeadLetter) {
	t.Helper()
	for l, err := range box.All(t.Context()) {
		require.NoError(t, err)
		letters = append(letters, l)
	}
	return letters
}

func TestCodecs(t *testing.T) {
	t.Parallel()
	codec := journal.Text[netip.Addr]()
	payload, err := codec.Encode([]byte("before "), netip.MustParseAddr("10.0.0.1"))
	require.NoError(t, err)
	assert.Equal(t, "before 10.0.0.1", string(payload))
	addr, err := codec.Decode([]byte("10.0.0.1"), 0)
	require.NoError(t, err)
	assert.Equal(t, netip.MustParseAddr("10.0.0.1"), addr)
	_, err = codec.Decode([]byte("nonsense"), 0)
	require.Error(t, err)
}

func TestJSONThatWouldReplaceText(t *testing.T) {
	t.Parallel()
	codec := journal.JSON[order]()
	for text, fine := range map[string]bool{
		"tea": true, "\uFFFD": true, `\ufffd`: true, `\\ufffd`: true, "\\\uFFFD": true,
		"\xff": false, `\` + "\xff": false, `\ufffd` + "\xfe": false,
	} {
		_, err := codec.Encode(nil, order{1, text})
		assert.Equal(t, fine, err == nil, "%q: %v", text, err)
	}
}

func TestMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []journal.Mode{"", journal.Off, journal.OnStop, journal.Always} {
		require.NoError(t, mode.Validate())
	}
	require.ErrorContains(t, journal.Mode("sometimes").Validate(), "give off, onstop or always")
}

// opener does something before it opens a journal in memory.
type opener func()

func (o opener) Open(ctx context.Context, name string) (journal.Journal, error) {
	o()
	return journaltest.NewMemory(0).Open(ctx, name)
}

// slow is a journal whose acknowledgements take until they are let go.
type slow struct {
	journal.Journal
	turns chan int // how many spans each call had
	let   chan struct{}
}

func (s slow) Ack(ctx context.Context, spans ...journal.Span) error {
	s.turns <- len(spans)
	<-s.let
	return s.Journal.Ack(ctx, spans...)
}

type slowOpener struct{ slow }

func (s slowOpener) Open(context.Context, string) (journal.Journal, error) { return s.slow, nil }

// angry is a journal that panics, and then ends the goroutine, at Ack.
type angry struct {
	journal.Journal
	calls *int
}

func (a angry) Ack(ctx context.Context, spans ...journal.Span) error {
	*a.calls++
	switch *a.calls {
	case 1:
		panic("no")
	case 2:
		runtime.Goexit()
	}
	return a.Journal.Ack(ctx, spans...)
}

func (a angry) Open(context.Context, string) (journal.Journal, error) { return a, nil }

func TestJournalThatPanicsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	j, err := journaltest.NewMemory(0).Open(t.Context(), "lane:orders")
	require.NoError(t, err)
	k := keeper(t, angry{j, new(int)}, nil)
	items := orders(0, 3)
	require.NoError(t, k.Keep(t.Context(), items))
	k.Done(items[0].Seq)
	require.ErrorContains(t, k.Fault(), "panicked: no")
	ended := make(chan struct{})
	go func() { defer close(ended); k.Done(items[1].Seq) }()
	<-ended
	k.Done(items[2].Seq)
	require.NoError(t, k.Fault())
	assert.Equal(t, 2, k.Len(), "two come again")
}

func TestWhoBringsManyWaitsUntilTheyAreWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := journaltest.NewMemory(0).Open(t.Context(), "lane:orders")
		require.NoError(t, err)
		s := slow{j, make(chan int, 10), make(chan struct{})}
		k := keeper(t, slowOpener{s}, nil)
		items := orders(0, 100)
		require.NoError(t, k.Keep(t.Context(), items))
		go k.Done(items[0].Seq)
		synctest.Wait()
		seqs := make([]uint64, 0, 99)
		for i := range items[1:] {
			seqs = append(seqs, items[i+1].Seq)
		}
		done := false
		go func() { k.Done(seqs...); done = true }()
		s.let <- struct{}{}
		synctest.Wait()
		assert.False(t, done, "all of them would come again after a kill")
		s.let <- struct{}{}
		synctest.Wait()
		assert.True(t, done)
		assert.Zero(t, k.Len())
	})
}

func TestAcknowledgementsAreGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := journaltest.NewMemory(0).Open(t.Context(), "lane:orders")
		require.NoError(t, err)
		s := slow{j, make(chan int, 10), make(chan struct{})}
		k := keeper(t, slowOpener{s}, nil)
		items := orders(0, 100)
		require.NoError(t, k.Keep(t.Context(), items))
		first := make(chan struct{})
		go func() { defer close(first); k.Done(items[0].Seq) }()
		synctest.Wait() // the first one writes
		for i := 7; i > 0; i-- {
			k.Done(items[i].Seq) // none of these waits for it
		}
		late := make(chan struct{})
		go func() { defer close(late); k.Done(items[8].Seq) }()
		synctest.Wait()
		select {
		case <-late:
			t.Error("the ninth did not wait: so many would come again after a kill")
		default:
		}
		close(s.let)
		<-first
		<-late
		close(s.turns)
		var turns []int
		for n := range s.turns {
			turns = append(turns, n)
		}
		assert.Equal(t, []int{1, 1}, turns[:2], "seven neighbours are one span")
		assert.Equal(t, 91, k.Len())
	})
}
