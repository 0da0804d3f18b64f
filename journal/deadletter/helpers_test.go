package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 1, 31, 12, 0, 0, 5, time.UTC)

// letter is the n-th dead letter of a lane.
func letter(n int) journal.DeadLetter {
	return journal.DeadLetter{
		ID: fmt.Sprintf("m-%d", n), Component: "lane:sms", Key: fmt.Sprintf("receiver-%d", n%2),
		Reason: journal.ReasonRetries, Attempts: 3, Accepted: noon.Add(-time.Hour), Died: noon.Add(time.Duration(n) * time.Minute),
		First: "timeout", Last: "503", Codec: "json", Payload: fmt.Appendf(nil, `{"to":"%d"}`, n),
	}
}

// newBox is a box with n letters.
func newBox(t *testing.T, n int) *journal.DeadLetters {
	t.Helper()
	box := journal.NewDeadLetters(journaltest.NewMemory(0))
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	for i := range n {
		require.NoError(t, box.Put(t.Context(), letter(i+1)))
	}
	return box
}

// all are the letters of a sequence, which must not fail.
func all(t *testing.T, letters iter.Seq2[journal.DeadLetter, error]) (got []journal.DeadLetter) {
	t.Helper()
	for l, err := range letters {
		require.NoError(t, err)
		got = append(got, l)
	}
	return got
}

func idsOf(letters []journal.DeadLetter) []string {
	ids := make([]string, 0, len(letters))
	for _, l := range letters {
		ids = append(ids, l.ID)
	}
	return ids
}

func in(t *testing.T, box deadletter.Box) []string {
	t.Helper()
	return idsOf(all(t, box.All(t.Context())))
}

// lane takes letters back, but for those whose id is in refuse.
type lane struct {
	got    []journal.DeadLetter
	refuse map[string]bool
}

var errRefused = errors.New("the lane is full")

func newLane(t *testing.T, box *journal.DeadLetters, refuse ...string) *lane {
	t.Helper()
	l := &lane{refuse: map[string]bool{}}
	for _, id := range refuse {
		l.refuse[id] = true
	}
	t.Cleanup(box.Receive("lane:sms", func(_ context.Context, d journal.DeadLetter) error {
		if l.refuse[d.ID] {
			return errRefused
		}
		l.got = append(l.got, d)
		return nil
	}, nil))
	return l
}

func seq(letters ...journal.DeadLetter) iter.Seq2[journal.DeadLetter, error] {
	return func(yield func(journal.DeadLetter, error) bool) {
		for _, l := range letters {
			if !yield(l, nil) {
				return
			}
		}
	}
}
