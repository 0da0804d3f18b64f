package drill_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
)

func TestProgram(t *testing.T) {
	t.Parallel()

	t.Run("ReadyIsAskedInOrder", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigterm(1))
		var lines []string
		cfg.Program.Ready = func(ctx context.Context, child *drill.Child) error {
			lines = append(lines, child.Line)
			return drill.AwaitURL(ctx, "http://"+child.Line)
		}
		_, err := run(t, cfg)
		require.NoError(t, err)
		assert.Len(t, lines, 2)
		assert.NotContains(t, lines, "")
	})

	t.Run("URLThatNeverAnswersIsNotReady", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigterm(1))
		cfg.Program.ReadyLine, cfg.Program.ReadyURL = "", "http://127.0.0.1:1/readyz"
		cfg.Program.ReadyTimeout = 500 * time.Millisecond
		_, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		assert.ErrorContains(t, err, "not within 500ms")
		assert.ErrorContains(t, err, "connection refused")
	})

	t.Run("AnswerOnItsWayIsWaitedFor", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigkill(1))
		cfg.Load.Generators = 2
		var first sync.Once
		var accepted atomic.Int64
		answered := make(chan struct{})
		cfg.Load.Offer = func(ctx context.Context, child *drill.Child, id string) drill.Answer {
			late := false
			first.Do(func() { late = true })
			if !late {
				<-answered // the kill comes when the other generator has this
			}
			answer := post(ctx, child, id)
			if answer == drill.Accepted {
				accepted.Add(1)
			}
			if late {
				close(answered)
				for !isGone(child.Pid) {
					time.Sleep(time.Millisecond) // a real child again
				}
				time.Sleep(20 * time.Millisecond)
				assert.NoError(t, ctx.Err())
				assert.Equal(t, drill.Accepted, answer)
			}
			return answer
		}
		report, err := run(t, cfg)
		require.NoError(t, err)
		assert.EqualValues(t, accepted.Load(), report.Total.Accepted)
	})

	t.Run("IsHitWhenItHasAcceptedSomething", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigkill(2))
		cfg.Kills[0] = cfg.Kills[0].Between(0, 0).Under(5)
		began := map[int]time.Time{}
		var mu sync.Mutex
		cfg.Load.Offer = func(ctx context.Context, child *drill.Child, id string) drill.Answer {
			mu.Lock()
			if began[child.Life].IsZero() {
				began[child.Life] = time.Now()
			}
			early := time.Since(began[child.Life]) < 100*time.Millisecond
			mu.Unlock()
			if early { // what is refused does not count
				return drill.Refused
			}
			return post(ctx, child, id)
		}
		report, err := run(t, cfg)
		require.NoError(t, err)
		for _, l := range report.Lives[:2] {
			assert.GreaterOrEqual(t, l.Tally.Accepted, 5)
		}
	})

	t.Run("ThatAcceptsTooLittleIsHitAllTheSame", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigkill(1))
		cfg.Load.Offer = refuse
		cfg.Kills[0].Grace = 2 * time.Second
		_, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNoWork)
		assert.NotErrorIs(t, err, drill.ErrHung)
	})

	t.Run("IsNotShoutedAtWhileItRefuses", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigkill(1))
		cfg.Load.Offer, cfg.Load.Generators, cfg.Load.Pause = refuse, 1, 0
		cfg.Kills[0] = cfg.Kills[0].Between(320*time.Millisecond, 320*time.Millisecond).Under(0)
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNoWork)
		// 1, 2, 4, 8, 16, 32, 32, 32 ms …
		assert.Less(t, report.Total.Refused, 100)
		assert.Greater(t, report.Total.Refused, 2)
	})

	t.Run("LogsAreKept", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "honest", drill.Sigterm(1))
		cfg.Program.Logs = filepath.Join(t.TempDir(), "logs")
		_, err := run(t, cfg)
		require.NoError(t, err)
		for _, name := range []string{"life-0001.log", "life-0002.log"} {
			text, err := os.ReadFile(filepath.Join(cfg.Program.Logs, name))
			require.NoError(t, err)
			assert.Contains(t, string(text), "listening on 127.0.0.1:")
		}
	})

	t.Run("IsHitWhileItStarts", func(t *testing.T) {
		t.Parallel()
		cfg := config(t, "mute", drill.SigkillInStart(4))
		cfg.Program.ReadyTimeout = 200 * time.Millisecond
		report, err := run(t, cfg)
		require.ErrorIs(t, err, drill.ErrNotReady)
		require.Equal(t, 5, report.Total.Runs, "it is not given up")
		for _, l := range report.Lives[:4] {
			assert.Empty(t, l.Errs, "nobody expected it to get ready")
			assert.Zero(t, l.Ready)
			assert.Equal(t, 137, l.Exit)
		}
	})

	t.Run("RestartStandsWithTheKillBeforeIt", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "honest", drill.Sigkill(2), drill.Sigterm(1)))
		require.NoError(t, err)
		assert.Len(t, report.Kinds[0].Restarts, 2)
		assert.Len(t, report.Kinds[1].Restarts, 1)
		assert.Empty(t, report.Kinds[2].Restarts, "nothing follows the last life")
		for i, l := range report.Lives[:3] {
			kind := report.Kinds[0]
			if l.Kill != kind.Name {
				kind = report.Kinds[1]
			}
			assert.Contains(t, kind.Restarts, report.Lives[i+1].Ready)
		}
	})

	t.Run("LastLinesAreShown", func(t *testing.T) {
		t.Parallel()
		_, err := run(t, config(t, "talking", drill.Sigkill(1)))
		found := (*drill.LifeError)(nil)
		require.ErrorAs(t, err, &found)
		require.Len(t, found.Output, 20)
		assert.Equal(t, "line 999", found.Output[18])
		assert.Regexp(t, "^last words: x{100,600}…$", found.Output[19], "they need no end, and are cut")
	})

	t.Run("SecondSignalIsSent", func(t *testing.T) {
		t.Parallel()
		report, err := run(t, config(t, "honest", drill.SigtermTwice(3)))
		require.NoError(t, err)
		for _, l := range report.Lives[:3] {
			assert.Len(t, l.Moments, 2)
			assert.Positive(t, l.Sent)
		}
	})
}
