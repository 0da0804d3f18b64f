package deadletter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

type sms struct {
	To string `json:"to"`
}

// left is what a lane of the next life finds in its journal.
func left(t *testing.T, store journal.Opener) (items []journal.Item[sms]) {
	t.Helper()
	k, err := journal.NewKeeper("lane:sms", store, journal.JSON[sms](), nil)
	require.NoError(t, err)
	require.NoError(t, k.Open(t.Context()))
	for it, err := range k.Replay(t.Context()) {
		require.NoError(t, err)
		items = append(items, it)
	}
	require.NoError(t, k.Close())
	return items
}

// stopped is the store of a service that has left n letters behind.
func stopped(t *testing.T, n int) *journaltest.Memory {
	t.Helper()
	store := journaltest.NewMemory(0)
	box := journal.NewDeadLetters(store)
	for i := range n {
		require.NoError(t, box.Put(t.Context(), letter(i+1)))
	}
	require.NoError(t, box.Close())
	return store
}

func TestOffline(t *testing.T) {
	t.Parallel()

	t.Run("TheNextLifeDoesTheWork", func(t *testing.T) {
		t.Parallel()
		store := stopped(t, 3)
		box := deadletter.NewOffline(store, []string{"deadletters", "lane:sms"})
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{Filter: deadletter.Filter{IDs: []string{"m-1", "m-3"}}})
		require.NoError(t, err)
		require.Equal(t, 2, s.Done)
		require.Equal(t, []string{"m-2"}, in(t, box))
		require.NoError(t, box.Close())

		items := left(t, store)
		require.Len(t, items, 2)
		require.True(t, items[1].At.After(letter(3).Accepted), "it is new work, and as old as that")
		items[1].At = time.Time{}
		require.Equal(t, journal.Item[sms]{Value: sms{"3"}, ID: "m-3", Key: "receiver-1", Seq: items[1].Seq}, items[1])
	})

	t.Run("WhatNoServiceWouldFindIsNotSent", func(t *testing.T) {
		t.Parallel()
		store := stopped(t, 1)
		for _, names := range [][]string{{"deadletters", "lane:mail"}, {}} {
			for _, dry := range []bool{true, false} {
				box := deadletter.NewOffline(store, names)
				s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{DryRun: dry})
				require.NoError(t, err)
				require.Equal(t, 1, s.Failed)
				require.Contains(t, s.Failures[0].Error, `there is no journal "lane:sms" to append it to`)
				require.Len(t, in(t, box), 1)
				require.NoError(t, box.Close())
			}
		}
		require.Empty(t, left(t, store))
	})

	t.Run("NothingIsSentToAJournalThatHoldsNoWork", func(t *testing.T) {
		t.Parallel()
		store := journaltest.NewMemory(0)
		for _, name := range []string{journal.DeadLettersName, "checkpoint:rows"} {
			for _, names := range [][]string{nil, {"checkpoint:rows", "deadletters"}} {
				box := deadletter.NewOffline(store, names)
				err := box.Redrive(t.Context(), journal.DeadLetter{ID: "m-1", Component: name, Codec: "json", Payload: []byte("{}")})
				require.ErrorContains(t, err, "there is no journal \""+name+"\" to append it to; a service that keeps one must have run once")
				require.NoError(t, box.Close())
			}
		}
		marks, err := store.Open(t.Context(), "checkpoint:rows")
		require.NoError(t, err)
		_, err = journal.OpenCheckpoint(t.Context(), marks)
		require.NoError(t, err, "a source can still be read")
		require.NoError(t, marks.Close())
	})

	t.Run("ADeathBetweenSendingAndDroppingSendsTwiceUnderOneID", func(t *testing.T) {
		t.Parallel()
		store := stopped(t, 2)
		died := errors.New("died")
		box := deadletter.NewOffline(&dying{Opener: store, err: died}, nil)
		s, err := deadletter.Redrive(t.Context(), box, deadletter.Options{Filter: deadletter.Filter{Limit: 1}})
		require.NoError(t, err)
		require.Contains(t, s.Failures[0].Error, "died")
		store.Crash()

		box = deadletter.NewOffline(store, nil)
		require.Equal(t, []string{"m-1", "m-2"}, in(t, box), "nothing is lost")
		_, err = deadletter.Redrive(t.Context(), box, deadletter.Options{})
		require.NoError(t, err)
		require.NoError(t, box.Close())
		var ids []string
		for _, it := range left(t, store) {
			ids = append(ids, it.ID)
		}
		require.Equal(t, []string{"m-1", "m-1", "m-2"}, ids)
	})

	t.Run("APayloadThatIsNoJSONStaysInTheBox", func(t *testing.T) {
		t.Parallel()
		store := stopped(t, 2)
		for _, dry := range []bool{true, false} {
			box := deadletter.NewOffline(store, nil)
			s, err := deadletter.SendBack(t.Context(), box, rows("id,component,payload\nm-1,lane:sms,{}\nm-2,lane:sms,{Ada}\n"), deadletter.Options{DryRun: dry})
			require.NoError(t, err)
			require.Equal(t, []int{2, 1, 1}, []int{s.Matched, s.Done, s.Failed})
			require.Contains(t, s.Failures[0].String(), "line 3: lane:sms m-2: the payload is not JSON (invalid character 'A'")
			require.NoError(t, box.Close())
		}
		box := deadletter.NewOffline(store, nil)
		require.Equal(t, []string{"m-2"}, in(t, box))
		require.NoError(t, box.Close())
		require.Len(t, left(t, store), 1)
	})

	t.Run("AnEditedLetterIsSent", func(t *testing.T) {
		t.Parallel()
		store := stopped(t, 2)
		box := deadletter.NewOffline(store, nil)
		s, err := deadletter.SendBack(t.Context(), box, rows("id,component,payload\nm-2,lane:sms,\"{\"\"to\"\":\"\"Ada\"\"}\"\n"), deadletter.Options{})
		require.NoError(t, err)
		require.Equal(t, deadletter.Summary{Matched: 1, Done: 1}, s)
		require.NoError(t, box.Close())
		items := left(t, store)
		require.Len(t, items, 1)
		require.Equal(t, sms{"Ada"}, items[0].Value)
	})
}

// dying is a store whose box dies before a letter is crossed out.
type dying struct {
	journal.Opener
	err error
}

func (d *dying) Open(ctx context.Context, name string) (journal.Journal, error) {
	j, err := d.Opener.Open(ctx, name)
	if name == journal.DeadLettersName {
		j = noAck{j, d.err}
	}
	return j, err
}

type noAck struct {
	journal.Journal
	err error
}

func (j noAck) Ack(context.Context, ...journal.Span) error { return j.err }
