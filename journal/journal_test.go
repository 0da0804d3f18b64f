package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSpan(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		give journal.Span
		len  int
		text string
	}{
		{journal.Span{}, 0, "none"},
		{journal.Span{First: 3, Last: 2}, 0, "none"},
		{journal.Span{First: 7, Last: 7}, 1, "7"},
		{journal.Span{First: 2, Last: 5}, 4, "2-5"},
	} {
		require.Equal(t, tt.len, tt.give.Len())
		require.Equal(t, tt.text, tt.give.String())
		require.Equal(t, tt.len > 0, tt.give.Contains(tt.give.First))
		require.False(t, tt.give.Contains(tt.give.Last+1))
	}
	e := journal.Entry{Seq: 4}
	require.Equal(t, journal.Span{First: 4, Last: 4}, e.Span())
}

func TestError(t *testing.T) {
	t.Parallel()
	err := error(&journal.Error{Journal: "pool:sms", Op: "append", Err: journal.ErrFull})
	require.ErrorIs(t, err, journal.ErrFull)
	require.ErrorContains(t, err, "journal pool:sms: append: full: ")
}

// open opens the one journal of a store.
func open(t *testing.T, m *journaltest.Memory) journal.Journal {
	t.Helper()
	j, err := m.Open(t.Context(), "checkpoint")
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()

	t.Run("NeverPassesWhatIsUnfinished", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		random := rand.New(rand.NewPCG(1, 2))
		const rows = 500
		finished := map[uint64]bool{}
		for life := 0; len(finished) < rows; life++ {
			j := open(t, m)
			c, err := journal.OpenCheckpoint(t.Context(), j)
			require.NoError(t, err)
			for row := uint64(1); row <= c.Mark(); row++ {
				require.True(t, finished[row], "life %d skips row %d", life, row)
			}
			window := make([]uint64, 0, 40)
			for row := c.Mark() + 1; row <= rows && len(window) < cap(window); row++ {
				window = append(window, row)
			}
			random.Shuffle(len(window), func(a, b int) { window[a], window[b] = window[b], window[a] })
			for _, row := range window[:1+random.IntN(len(window))] { // and the life is over
				finished[row] = true
				c.Done(row)
				c.Done(row)
				if random.IntN(3) == 0 {
					require.NoError(t, c.Save(t.Context()))
				}
			}
			require.LessOrEqual(t, j.Len(), 1, "one mark is written down")
			m.Crash()
		}
	})

	t.Run("OfTwoMarksTheLaterCounts", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		j := open(t, m)
		for _, mark := range []string{"7", "9"} {
			_, err := j.Append(t.Context(), journal.Entry{Kind: "checkpoint", Payload: []byte(mark)})
			require.NoError(t, err)
		}
		c, err := journal.OpenCheckpoint(t.Context(), j)
		require.NoError(t, err)
		require.EqualValues(t, 9, c.Mark())
		require.Equal(t, 1, j.Len())
	})

	t.Run("RefusesAJournalThatIsNotItsOwn", func(t *testing.T) {
		t.Parallel()
		j := open(t, journaltest.NewMemory(0))
		_, err := j.Append(t.Context(), journal.Entry{Payload: []byte("{}")})
		require.NoError(t, err)
		_, err = journal.OpenCheckpoint(t.Context(), j)
		require.ErrorContains(t, err, "entry 1 is no checkpoint")
	})

	t.Run("AMarkThatCouldNotBeSavedIsSavedNextTime", func(t *testing.T) {
		t.Parallel()
		m := journaltest.NewMemory(0)
		flaky := &flaky{Journal: open(t, m), err: errors.New("no")}
		c, err := journal.OpenCheckpoint(t.Context(), flaky)
		require.NoError(t, err)
		c.Done(1)
		require.ErrorIs(t, c.Save(t.Context()), flaky.err)
		flaky.err = nil
		require.NoError(t, c.Save(t.Context()))
		c, err = journal.OpenCheckpoint(t.Context(), flaky)
		require.NoError(t, err)
		require.EqualValues(t, 1, c.Mark())
	})
}

type flaky struct {
	journal.Journal
	err error
}

func (f *flaky) Append(ctx context.Context, entries ...journal.Entry) (journal.Span, error) {
	if f.err != nil {
		return journal.Span{}, f.err
	}
	return f.Journal.Append(ctx, entries...)
}

func ExampleCheckpoint() {
	ctx := context.Background()
	store := journaltest.NewMemory(0)
	life := func(rows ...uint64) {
		j, err := store.Open(ctx, "rows.csv")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = j.Close() }()
		c, err := journal.OpenCheckpoint(ctx, j)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("begin at row", c.Mark()+1)
		for _, row := range rows {
			c.Done(row)
		}
		if err := c.Save(ctx); err != nil {
			fmt.Println(err)
		}
	}
	life(1, 3, 2, 5) // row 4 is not finished when the time is up
	life(4, 5)
	life()
	// Output:
	// begin at row 1
	// begin at row 4
	// begin at row 6
}

func TestIsWork(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"lane:sms": true, "batch:orders": true, "sms": true, "checkpoint": true,
		journal.DeadLettersName: false, "checkpoint:rows": false,
	} {
		require.Equal(t, want, journal.IsWork(name), name)
	}
}
