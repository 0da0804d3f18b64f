package modules_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/control"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// writer is a component that has a journal of its own.
func writer(name string, use func(journal.Journal) error) fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, o journal.Opener) {
		var j journal.Journal
		lifecycle.Append(lc, lifecycle.Hook{
			Name: name,
			OnStart: func(ctx context.Context) (err error) {
				if j, err = o.Open(ctx, name); err != nil {
					return err
				}
				return use(j)
			},
			PreDestroy: func(context.Context) error {
				if j == nil {
					return nil
				}
				return j.Close()
			},
		})
	})
}

func appendOne(j journal.Journal) error {
	_, err := j.Append(context.Background(), journal.Entry{Payload: []byte("tea")})
	return err
}

func contains(said []string, part string) func() bool {
	return func() bool {
		return slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, part) })
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()

	t.Run("NobodyWhoWritesNoDirectory", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "journal")
		run(t, modules.Default(), sources("journal: {dir: "+dir+"}", nil), fx.Invoke(func(*journal.DeadLetters) {}))
		assert.NoDirExists(t, dir)
	})

	t.Run("OutlivesTheApplication", func(t *testing.T) {
		t.Parallel()
		source := sources("journal: {dir: "+t.TempDir()+", sync: always, segment_bytes: 64KiB}", nil)
		run(t, modules.Default(), source, writer("mine", appendOne))
		found := -1
		run(t, modules.Default(), source, writer("mine", func(j journal.Journal) error {
			found = j.Len()
			return nil
		}))
		assert.Equal(t, 1, found)
	})

	t.Run("SaysAtStartWhatItWithstandsAndAtTheEndWhatIsLeft", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zapcore.InfoLevel)
		var conductor *lifecycle.Conductor
		a := app.New(modules.Default(), sources("journal: {sync: 50ms}", nil), fx.Populate(&conductor),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
			writer("lane:sms", appendOne), writer("lane:mail", appendOne), writer("empty", func(journal.Journal) error { return nil }),
			fx.Invoke(func(lc fx.Lifecycle, box *journal.DeadLetters) {
				lc.Append(fx.StartHook(func(ctx context.Context) error { return box.Put(ctx, journal.DeadLetter{}) }))
			}))
		require.NoError(t, a.Err())
		require.NoError(t, a.Start(context.Background()))
		assert.Equal(t, 1, logs.FilterMessage("journals, what is written down: kill -9 loses nothing; power loss up to 50ms").Len())
		require.NoError(t, a.Stop(context.Background()))
		var details []string
		for _, c := range conductor.Receipt().Components {
			details = append(details, c.Details...)
		}
		assert.Equal(t, []string{
			"1 dead letter in the box, for somebody to look at",
			"lane:mail: 1 entry for the next start",
			"lane:sms: 1 entry for the next start",
		}, details)
	})

	t.Run("DirectoryOfAnotherIsRefused", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		held, err := filejournal.Open(filejournal.Config{Dir: dir})
		require.NoError(t, err)
		defer held.Close()
		a := app.New(modules.Default(), silent, sources("journal: {dir: "+dir+"}", nil), writer("mine", appendOne))
		require.NoError(t, a.Err())
		err = a.Start(context.Background())
		require.ErrorIs(t, err, journal.ErrLocked)
		require.ErrorContains(t, err, "choose another journal.dir")
	})

	t.Run("SaysHowTheLastRunEnded", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		source := sources("journal: {dir: "+dir+"}", nil)
		began := func() []string {
			core, logs := observer.New(zapcore.InfoLevel)
			a := app.New(modules.Default(), source, writer("lane:sms", appendOne),
				fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }))
			require.NoError(t, a.Err())
			require.NoError(t, a.Start(context.Background()))
			var said []string
			for _, entry := range logs.All() {
				said = append(said, entry.Message)
			}
			require.NoError(t, a.Stop(context.Background()))
			return said
		}
		assert.Contains(t, began(), "last run: none is known, the receipt file is new")
		said := began()
		assert.Condition(t, contains(said, "last stop: stop, "), "%q", said)
		assert.Contains(t, said, "1 entry of an earlier run recovered")

		marker := `{"state":"running","pid":0,"since":"2026-01-02T03:04:05Z"}`
		require.NoError(t, os.WriteFile(filepath.Join(dir, "last-run.json"), []byte(marker), 0o600))
		said = began()
		assert.Condition(t, contains(said, "last run: killed (pid 0, "), "%q", said)
		assert.Contains(t, said, "killed: 2 entries recovered")
	})

	t.Run("DeadLettersAreServedAtTheSocket", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		var box *journal.DeadLetters
		var sent []string
		a := fxtest.New(t, modules.Default(), silent, sources("journal: {dir: "+dir+"}", nil), fx.Populate(&box),
			poolmodule.Provide("mail", pool.Config{}),
			poolmodule.Lane[string]("mail", "mail", func(_ context.Context, to string) error {
				sent = append(sent, to)
				if len(sent) == 1 {
					return pool.Permanent(errors.New("no such street"))
				}
				return nil
			}), fx.Invoke(func(lc fx.Lifecycle, l *pool.Lane[string]) {
				lc.Append(fx.StartHook(func(ctx context.Context) error { return l.Submit(ctx, "ada") }))
			}))
		a.RequireStart()
		client := control.Dial(dir)
		defer client.Close()
		require.Eventually(t, func() bool {
			n, err := box.Len(t.Context())
			return err == nil && n == 1
		}, time.Minute, time.Millisecond)
		found, err := client.Inspect(t.Context(), "lane:mail", journal.DeadLettersName)
		require.NoError(t, err)
		assert.Equal(t, []int{0, 1}, []int{found[0].Live, found[1].Live})
		sum, err := client.Redrive(t.Context(), deadletter.Options{})
		require.NoError(t, err)
		assert.Equal(t, 1, sum.Done)
		a.RequireStop()
		assert.Equal(t, []string{"ada", "ada"}, sent)
		assert.NoFileExists(t, filepath.Join(dir, control.SocketName))
	})

	t.Run("WhatNobodyAsksForIsTold", func(t *testing.T) {
		t.Parallel()
		source := sources("journal: {dir: "+t.TempDir()+"}", nil)
		run(t, modules.Default(), source, writer("lane:old", appendOne), writer("checkpoint:rows", appendOne))
		core, logs := observer.New(zapcore.WarnLevel)
		var conductor *lifecycle.Conductor
		a := app.New(modules.Default(), source, writer("lane:new", appendOne), fx.Populate(&conductor),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }))
		require.NoError(t, a.Start(context.Background()))
		require.Eventually(t, func() bool { return logs.Len() > 0 }, time.Minute, time.Millisecond)
		require.NoError(t, a.Stop(context.Background()))
		require.Equal(t, 1, logs.Len())
		assert.Contains(t, logs.All()[0].Message, "was its component renamed")
		assert.Equal(t, map[string]any{"journal": "lane:old", "entries": int64(1)}, logs.All()[0].ContextMap())
		text := conductor.Receipt().String()
		assert.Contains(t, text, "lane:old: 1 entry for the next start")
	})

	t.Run("WhatIsLeftIsToldAlsoIfEveryJournalIsOff", func(t *testing.T) {
		t.Parallel()
		source := sources("journal: {dir: "+t.TempDir()+"}", nil)
		run(t, modules.Default(), source, writer("lane:mail", appendOne))
		core, logs := observer.New(zapcore.InfoLevel)
		a := app.New(modules.Default(), source, fx.Invoke(func(journal.Opener) {}),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }))
		require.NoError(t, a.Start(context.Background()))
		defer func() { require.NoError(t, a.Stop(context.Background())) }()
		require.Eventually(t, func() bool {
			return logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "its journal switched off?") }).Len() == 1
		}, time.Minute, time.Millisecond)
		assert.Equal(t, 1, logs.FilterMessage("1 entry of an earlier run recovered").Len())
	})

	t.Run("JournalThatNobodyCanOpenIsTold", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		source := sources("journal: {dir: "+dir+"}", nil)
		run(t, modules.Default(), source, writer("lane:old", appendOne))
		core, logs := observer.New(zapcore.ErrorLevel)
		d := fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) })
		other := filepath.Join(dir, "j-lane%3Aother")
		require.NoError(t, os.MkdirAll(filepath.Join(other, "000000000001-0000000000000001.segment"), 0o700))
		a := app.New(modules.Default(), source, d, writer("lane:new", appendOne))
		require.NoError(t, a.Start(context.Background()))
		defer func() { require.NoError(t, a.Stop(context.Background())) }()
		require.Eventually(t, func() bool { return logs.Len() > 0 }, time.Minute, time.Millisecond)
		assert.Contains(t, logs.All()[0].Message, "nobody has asked for it")
	})

	t.Run("DiskThatFailsAndHealsIsToldOnceEach", func(t *testing.T) {
		t.Parallel()
		core, logs := observer.New(zapcore.InfoLevel)
		big := make([]byte, 40<<10)
		run := app.New(modules.Default(), sources("journal: {segment_bytes: 64KiB, max_bytes: 128KiB}", nil),
			fx.Decorate(func(*zap.Logger) *zap.Logger { return zap.New(core) }),
			writer("mine", func(j journal.Journal) error {
				var spans []journal.Span
				refused := 0
				for range 10 {
					span, err := j.Append(context.Background(), journal.Entry{Payload: big})
					if err == nil {
						spans = append(spans, span)
					} else {
						refused++
					}
				}
				assert.Greater(t, refused, 1)
				if err := j.Ack(context.Background(), spans...); err != nil {
					return err
				}
				_, err := j.Append(context.Background(), journal.Entry{Payload: big})
				return err
			}))
		require.NoError(t, run.Start(context.Background()))
		require.NoError(t, run.Stop(context.Background()))
		assert.Equal(t, 1, logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "work is refused") }).Len())
		assert.Equal(t, 1, logs.FilterMessage("journal: work is written down again").Len())
	})

	t.Run("CloseBesideTheFirstOpen", func(t *testing.T) {
		t.Parallel()
		for range 20 {
			opening := make(chan struct{})
			var o journal.Opener
			a := app.New(modules.Default(), silent, sources("", nil), fx.Populate(&o))
			require.NoError(t, a.Start(context.Background()))
			go func() {
				defer close(opening)
				if j, err := o.Open(context.Background(), "mine"); err == nil {
					_ = j.Close()
				} else {
					assert.ErrorIs(t, err, journal.ErrClosed)
				}
			}()
			require.NoError(t, a.Stop(context.Background()))
			<-opening
		}
	})

	t.Run("TestsLeaveNothingBehind", func(t *testing.T) {
		t.Parallel()
		var seen string
		before, err := filepath.Glob(filepath.Join(os.TempDir(), "lastcall-journal-*", "j-of-this-test"))
		require.NoError(t, err)
		require.Empty(t, before)
		run(t, modules.Default(), sources("", nil), writer("of-this-test", func(journal.Journal) error {
			found, err := filepath.Glob(filepath.Join(os.TempDir(), "lastcall-journal-*", "j-of-this-test"))
			if len(found) == 1 {
				seen = found[0]
			}
			return err
		}))
		require.NotEmpty(t, seen)
		assert.NoDirExists(t, filepath.Dir(seen))
		assert.NoDirExists(t, "journal")
	})

	t.Run("AnotherStoreTakesItsPlace", func(t *testing.T) {
		t.Parallel()
		mine := journaltest.NewMemory(0)
		fxtest.New(t, modules.Default(), silent, sources("", nil), writer("mine", appendOne),
			fx.Replace(fx.Annotate(mine, fx.As(new(journal.Opener))))).RequireStart().RequireStop()
		j, err := mine.Open(t.Context(), "mine")
		require.NoError(t, err)
		assert.Equal(t, 1, j.Len())
	})

	t.Run("WrongValuesAreToldWithTheirLine", func(t *testing.T) {
		t.Parallel()
		a := app.New(modules.Default(), silent, sources("journal:\n  sync: sometimes\n  when_full: explode\n", nil))
		for _, text := range []string{"config.yaml:2", "write process, always, or a duration", "config.yaml:3", "explode"} {
			require.ErrorContains(t, a.Err(), text)
		}
	})
}
