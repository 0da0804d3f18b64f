package deadletter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

func TestBury(t *testing.T) {
	t.Parallel()
	store := journaltest.NewMemory(0)
	j, err := store.Open(t.Context(), "lane:sms")
	require.NoError(t, err)
	at := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, id := range []string{"a", "kills", "b", "kills"} {
		_, err := j.Append(t.Context(), journal.Entry{ID: id, At: at, Attempt: 2, Key: "k", Kind: "keyed", Codec: "json", Version: 3, Payload: []byte(`"` + id + `"`)})
		require.NoError(t, err)
	}
	require.NoError(t, j.Close())

	n, err := deadletter.Bury(t.Context(), store, "lane:sms", "kills", "nobody")
	require.ErrorContains(t, err, "there is no entry in lane:sms with the id nobody")
	require.Equal(t, 2, n)

	j, err = store.Open(t.Context(), "lane:sms")
	require.NoError(t, err)
	require.Equal(t, 2, j.Len())
	require.NoError(t, j.Close())
	box := journal.NewDeadLetters(store)
	defer box.Close()
	n = 0
	for l, err := range box.All(t.Context()) {
		require.NoError(t, err)
		require.Positive(t, l.Seq)
		require.False(t, l.Died.IsZero())
		l.Seq, l.Died = 0, time.Time{}
		require.Equal(t, journal.DeadLetter{
			ID: "kills", Component: "lane:sms", Key: "k", Keyed: true, Reason: journal.ReasonBuried, Attempts: 2, Accepted: at,
			Last: "a person has taken it out of the journal", Codec: "json", Version: 3, Payload: []byte(`"kills"`),
		}, l)
		n++
	}
	require.Equal(t, 2, n)
}
