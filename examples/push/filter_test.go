package main

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFilter: what a life of the filter knows of those before it.
func TestFilter(t *testing.T) {
	t.Parallel()
	const lane, text = "sms-marketing", "hello"
	rows := func(receivers ...string) (rows []Row) {
		for i, r := range receivers {
			rows = append(rows, Row{ID: strconv.Itoa(i + 1), Receiver: r, Channel: "sms", Type: "marketing"})
		}
		return rows
	}
	ids := func(rows []Row) (ids []string) {
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return ids
	}
	newFilter := func() *Filter {
		return &Filter{unsubscribed: map[string]bool{"eve": true}, claims: map[place]*claim{}}
	}

	t.Run("KeepsDuplicatesAndThoseWhoHaveUnsubscribed", func(t *testing.T) {
		t.Parallel()
		send, kept := newFilter().Sieve(lane, text, rows("ada", "eve", "ada", "bob"))
		assert.Equal(t, []string{"1", "4"}, ids(send))
		require.Len(t, kept, 2)
		assert.Equal(t, "has unsubscribed", kept[0].Reason)
		assert.Equal(t, "has the same text by row 1", kept[1].Reason)
	})

	t.Run("SendsAgainWhatNoLaneHas", func(t *testing.T) {
		t.Parallel()
		f := newFilter()
		for range 2 { // the lane took none of them
			send, _ := f.Sieve(lane, text, rows("ada", "bob"))
			assert.Equal(t, []string{"1", "2"}, ids(send))
		}
		f.Placed(lane, text, rows("ada", "bob"))
		send, kept := f.Sieve(lane, text, rows("ada", "bob"))
		assert.Empty(t, send)
		assert.Empty(t, kept, "they were read again; their end is recorded elsewhere")
	})

	t.Run("RowReadTwiceIsSentOnce", func(t *testing.T) {
		t.Parallel()
		twice := append(rows("ada"), rows("ada")...)
		send, kept := newFilter().Sieve(lane, text, twice)
		assert.Equal(t, []string{"1"}, ids(send))
		assert.Empty(t, kept)
	})

	t.Run("KnowsEarlierLivesByTheirRecords", func(t *testing.T) {
		t.Parallel()
		r := &Records{path: filepath.Join(t.TempDir(), "records.jsonl")}
		require.NoError(t, r.open(t.Context()))
		to := receivers(rows("ada", "bob"))
		require.NoError(t, r.Write(
			Event{State: Batched, Lane: lane, Text: text, To: to},
			Event{State: InLane, Lane: lane, To: to[:1]}))
		require.NoError(t, r.close(t.Context()))

		f := newFilter()
		require.NoError(t, f.readRecords(r))
		again := rows("ada", "bob", "ada", "bob", "zoe")
		send, kept := f.Sieve(lane, text, again)
		assert.Equal(t, []string{"2", "5"}, ids(send), "of row 2 nobody knows whether a lane has it")
		assert.Len(t, kept, 2)

		send, _ = f.Sieve("email-marketing", text, rows("ada"))
		assert.Len(t, send, 1, "another channel is another message")
	})
}
