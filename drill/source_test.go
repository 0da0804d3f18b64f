package drill_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestLines(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ids")
	source := drill.Lines(file)
	read := func(after int) []string {
		var ids []string
		for id, err := range source(t.Context(), after) {
			require.NoError(t, err)
			ids = append(ids, id)
		}
		return ids
	}
	assert.Empty(t, read(0), "there is no file yet")
	f, err := os.Create(file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	write := func(text string) {
		_, err := f.WriteString(text)
		require.NoError(t, err)
	}
	write("a\nb\nhal")
	assert.Equal(t, []string{"a", "b"}, read(0))
	assert.Empty(t, read(2), "the last line has no end yet")
	write("f\n")
	assert.Equal(t, []string{"half"}, read(2))
	assert.Equal(t, []string{"b", "half"}, read(1), "it can begin anew")
	for _, err := range source(t.Context(), 0) {
		require.NoError(t, err)
		break
	}
	assert.Equal(t, []string{"b", "half"}, read(1), "whoever stops early can go on")

	for _, err := range drill.Lines(filepath.Dir(file))(t.Context(), 0) {
		require.Error(t, err)
	}
}

// sink keeps ids in memory, as one that the drill's own process serves would.
type sink struct {
	mu  sync.Mutex
	ids []string
}

func (s *sink) add(ids ...string) drill.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, ids...)
	return drill.Accepted
}

func (s *sink) since(_ context.Context, after int) iter.Seq2[string, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := slices.Clone(s.ids[after:])
	return func(yield func(string, error) bool) {
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// accepting is a drill in which the load plays the sinks as well: what is
// delivered, failed and saved is decided here, the program only lives.
func accepting(t *testing.T, n int, outcome func(i int, id string) drill.Answer, o drill.Outcome) drill.Config {
	t.Helper()
	cfg := config(t, "honest", drill.Sigkill(1))
	cfg.Load.Generators = 1
	i := 0
	cfg.Load.Offer = func(_ context.Context, c *drill.Child, id string) drill.Answer {
		if i == n {
			return drill.Refused
		}
		i++
		return outcome(i-1, id)
	}
	cfg.Kills[0] = cfg.Kills[0].Between(200*time.Millisecond, 200*time.Millisecond).Under(0)
	cfg.Settle.Patience = 200 * time.Millisecond
	cfg.Outcome = o
	return cfg
}

func TestOutcome(t *testing.T) {
	t.Parallel()

	t.Run("EachAcceptedIDIsInOneColumn", func(t *testing.T) {
		t.Parallel()
		var delivered, failed, saved sink
		cfg := accepting(t, 7, func(i int, id string) drill.Answer {
			switch i {
			case 0:
				delivered.add(id)
			case 1:
				failed.add(id)
			case 2:
				saved.add(id)
			case 3: // whoever sends the letter again will duplicate it
				delivered.add(id)
				failed.add(id)
				saved.add(id)
			case 4: // nothing
			case 5:
				delivered.add(id)
				return drill.Unknown
			case 6:
				return drill.Unknown
			}
			return drill.Accepted
		}, drill.Outcome{Delivered: delivered.since, Failed: failed.since, Saved: saved.since})
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrLost)
		want := drill.Tally{
			Accepted: 5, Delivered: 2, Failed: 1, Saved: 1, Lost: 1, FailedDelivered: 1,
			Unknown: 2, UnknownDelivered: 1,
		}
		want.Refused = report.Total.Refused
		want.Offered = 7 + want.Refused
		assert.Equal(t, want, report.Total.Tally)
		assert.Contains(t, report.String(), "1 of the 2 unknown were delivered")
	})

	t.Run("DuplicateIsPutDownToTheKillBeforeIt", func(t *testing.T) {
		t.Parallel()
		for _, bound := range []int{1, 0} {
			var delivered sink
			var first string
			cfg := accepting(t, 2, func(i int, id string) drill.Answer {
				if i == 0 {
					first = id
				}
				return delivered.add(id)
			}, drill.Outcome{Delivered: delivered.since})
			kill := cfg.Kills[0].AtMost(bound)
			kill.Runs = 3
			cfg.Kills = []drill.Kill{kill}
			cfg.Progress = func(l drill.Life) {
				// It comes again, and once more, in the second and third life.
				if l.Number < 3 {
					delivered.add(first)
				}
			}
			report, err := run(t, cfg)
			for i, want := range []int{1, 1, 0, 0} {
				assert.Equal(t, want, report.Lives[i].Tally.Duplicated, "life %d", i+1)
			}
			assert.Zero(t, report.Total.Repeated)
			assert.Equal(t, 2, report.Total.Delivered)
			if bound == 1 {
				require.NoError(t, err)
				assert.Contains(t, report.String(), "1 <= 1")
				continue
			}
			require.ErrorIs(t, err, drill.ErrDuplicated)
			assert.Contains(t, report.String(), "1 > 0")
		}
	})

	t.Run("StrangersAreCounted", func(t *testing.T) {
		t.Parallel()
		var delivered sink
		cfg := accepting(t, 1, func(_ int, id string) drill.Answer {
			return delivered.add(id, "someone", "a.b.c.d", id+"0", id[:len(id)-1]+"x", id[:len(id)-5]+"7.0.0", id[:len(id)-5]+"1.9.0")
		}, drill.Outcome{Delivered: delivered.since})
		report, err := run(t, cfg)
		require.NoError(t, err)
		assert.Equal(t, 6, report.Strangers)
		assert.Equal(t, 1, report.Total.Delivered)
		assert.Contains(t, report.String(), report.Stranger)
	})

	t.Run("SourceThatFailsEndsTheDrill", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("the table is locked")
		cfg := accepting(t, 1, func(int, string) drill.Answer { return drill.Accepted }, drill.Outcome{
			Delivered: func(context.Context, int) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) { yield("", broken) }
			}})
		report, err := run(t, cfg)
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, err, drill.ErrUnsettled, "what is not seen need not be lost")
		assert.NotErrorIs(t, err, drill.ErrLost)
		assert.Equal(t, 1, report.Total.Runs)
	})
}
