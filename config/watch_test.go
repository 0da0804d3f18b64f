package config_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

// patience is for a machine on which much else runs. It is never used up when
// all is well.
const patience = time.Minute

// pair is a file of which the two ends must agree: a torn one does not.
type pair struct {
	First int    `yaml:"first"`
	Text  string `yaml:"text"`
	Last  int    `yaml:"last"`
}

func pairText(n int) (head, tail string) {
	return fmt.Sprintf("pair:\n  first: %d\n", n), fmt.Sprintf("  text: %d times\n  last: %d\n", n, n)
}

// seen is what a watcher has delivered.
type seen struct {
	mu    sync.Mutex
	calls int
	last  int
	errs  []error
	torn  []string
	next  *config.Values
	told  chan struct{} // has something in it after a call
}

func newSeen() *seen { return &seen{told: make(chan struct{}, 1)} }

func (s *seen) changed(_ context.Context, next *config.Values, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err != nil {
		s.errs = append(s.errs, err)
	} else {
		first, _ := next.Value("pair.first")
		last, _ := next.Value("pair.last")
		if first.Value != last.Value || first.Value == 0 {
			s.torn = append(s.torn, next.String())
		}
		s.last, _ = last.Value.(int)
		s.next = next
	}
	select {
	case s.told <- struct{}{}:
	default:
	}
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// await waits until n was delivered.
func (s *seen) await(t *testing.T, n int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		if last == n {
			return
		}
		select {
		case <-s.told:
		case <-timeout:
			require.Failf(t, "the watcher has died", "change %d never arrived, the last was %d", n, last)
		}
	}
}

// eventually waits for what a watcher says of itself.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, time.Millisecond)
}

// watch loads the file and watches it.
func watch(t *testing.T, name string, cfg config.WatchConfig, prepare ...func(*config.Watcher)) (*config.Watcher, *seen) {
	t.Helper()
	v, err := config.Load(config.Options{File: name}, config.Section{Key: "pair", Value: &pair{}})
	require.NoError(t, err)
	s := newSeen()
	w := config.NewWatcher(v, cfg, s.changed)
	for _, f := range prepare {
		f(w)
	}
	require.NoError(t, w.Start(t.Context()))
	t.Cleanup(func() { assert.NoError(t, w.Stop(context.Background())) })
	return w, s
}

func write(t *testing.T, name string, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
}

func writePair(t *testing.T, name string, n int) {
	t.Helper()
	head, tail := pairText(n)
	write(t, name, head+tail)
}

// theWays are how files are changed in the world.
var theWays = []struct {
	name string
	// begin makes the first file in a directory and returns its name and what
	// changes it.
	begin func(t *testing.T, dir string) (file string, change func(n int))
}{
	{"WrittenInPlace", func(t *testing.T, dir string) (string, func(int)) {
		name := filepath.Join(dir, "config.yaml")
		writePair(t, name, 1)
		return name, func(n int) { writeInHalves(t, name, n) }
	}},
	{"RenamedOver", func(t *testing.T, dir string) (string, func(int)) {
		name := filepath.Join(dir, "config.yaml")
		writePair(t, name, 1)
		return name, func(n int) {
			writePair(t, name+".new", n)
			require.NoError(t, os.Rename(name+".new", name))
		}
	}},
	{"RemovedAndMadeAnew", func(t *testing.T, dir string) (string, func(int)) {
		name := filepath.Join(dir, "config.yaml")
		writePair(t, name, 1)
		return name, func(n int) {
			require.NoError(t, os.Remove(name))
			writeInHalves(t, name, n)
		}
	}},
	{"SwappedByKubernetes", kubernetes},
}

func writeInHalves(t *testing.T, name string, n int) {
	t.Helper()
	head, tail := pairText(n)
	f, err := os.Create(name)
	require.NoError(t, err)
	_, err = f.WriteString(head)
	require.NoError(t, err)
	_, err = f.WriteString(tail)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// kubernetes lays out a volume of a ConfigMap: config.yaml is a link to
// ..data/config.yaml, and ..data a link to a directory that has the time in its
// name and is replaced with everything in it.
func kubernetes(t *testing.T, dir string) (string, func(int)) {
	data := filepath.Join(dir, "..data")
	old := ""
	change := func(n int) {
		fresh := filepath.Join(dir, "..2026_11_23_"+strconv.Itoa(n))
		require.NoError(t, os.Mkdir(fresh, 0o700))
		writePair(t, filepath.Join(fresh, "config.yaml"), n)
		require.NoError(t, os.Symlink(filepath.Base(fresh), data+"_tmp"))
		require.NoError(t, os.Rename(data+"_tmp", data))
		if old != "" {
			require.NoError(t, os.RemoveAll(old))
		}
		old = fresh
	}
	change(1)
	name := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.Symlink(filepath.Join("..data", "config.yaml"), name))
	return name, change
}

// TestThousandChanges makes 1,000 changes in each way, and never sees an empty
// or torn file. Every hundredth is waited for, with LONG_TESTS each.
func TestThousandChanges(t *testing.T) {
	t.Parallel()
	every := 100
	if os.Getenv("LONG_TESTS") != "" {
		every = 1
	}
	for _, way := range theWays {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			name, change := way.begin(t, t.TempDir())
			// The poll is out of reach: notifications alone must do.
			w, s := watch(t, name, config.WatchConfig{Debounce: 2 * time.Millisecond, Poll: time.Hour})
			eventually(t, func() bool { return w.Blind() == "" })
			for n := 2; n <= 1001; n++ {
				change(n)
				if n%every == 0 {
					s.await(t, n)
				}
			}
			s.await(t, 1001)
			s.mu.Lock()
			defer s.mu.Unlock()
			assert.Empty(t, s.errs)
			assert.Empty(t, s.torn)
			assert.Empty(t, w.Blind())
		})
	}
}

func TestWatcher(t *testing.T) {
	t.Parallel()
	quick := config.WatchConfig{Debounce: time.Millisecond, Poll: 5 * time.Millisecond}

	t.Run("SameBytesAreNoChange", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "config.yaml")
		writePair(t, name, 1)
		_, s := watch(t, name, quick)
		for range 20 {
			writePair(t, name, 1)
			require.NoError(t, os.Chtimes(name, time.Now(), time.Now()))
		}
		writePair(t, name, 2)
		s.await(t, 2)
		assert.Equal(t, 1, s.count())
	})

	t.Run("WhatChangedBeforeTheStartIsFound", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "config.yaml")
		writePair(t, name, 1)
		_, s := watch(t, name, config.WatchConfig{Poll: time.Hour}, func(*config.Watcher) { writePair(t, name, 2) })
		s.await(t, 2)
	})

	t.Run("FileThatComesLaterIsTaken", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "config.yaml")
		w, s := watch(t, name, config.WatchConfig{Poll: time.Hour})
		assert.False(t, w.Files()[0].There)
		writePair(t, name, 2)
		s.await(t, 2)
		eventually(t, func() bool { return w.Files()[0].There })
	})

	for what, spoil := range map[string]func(t *testing.T, name string){
		"EmptyFileIsNotTaken": func(t *testing.T, name string) { write(t, name, "\n ") },
		"GoneFileIsNotTaken":  func(t *testing.T, name string) { require.NoError(t, os.Remove(name)) },
		"DirectoryIsNotTaken": func(t *testing.T, name string) {
			require.NoError(t, os.Remove(name))
			require.NoError(t, os.Mkdir(name, 0o700))
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "config.yaml")
			writePair(t, name, 1)
			w, s := watch(t, name, quick)
			spoil(t, name)
			eventually(t, func() bool { return w.Files()[0].Wrong != "" })
			state := w.Files()[0]
			assert.Contains(t, state.Wrong, "stays in force")
			assert.False(t, state.Since.IsZero())
			assert.True(t, state.There)
			assert.Zero(t, s.count())

			require.NoError(t, os.RemoveAll(name))
			writePair(t, name, 2)
			s.await(t, 2)
			eventually(t, func() bool { return w.Files()[0].Wrong == "" && w.Files()[0].Since.IsZero() })
		})
	}

	t.Run("WrongFileIsToldWithItsLine", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "config.yaml")
		writePair(t, name, 1)
		_, s := watch(t, name, quick)
		write(t, name, "pair:\n  first: 2\n  lst: 2\n")
		eventually(t, func() bool { return s.count() == 1 })
		s.mu.Lock()
		require.Len(t, s.errs, 1)
		assert.ErrorContains(t, s.errs[0], "config.yaml:3:3: pair.lst: unknown key, did you mean \"last\"?")
		s.mu.Unlock()
		writePair(t, name, 3)
		s.await(t, 3)
	})

	t.Run("DirectoryIsRemovedAndMadeAnew", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "etc")
		require.NoError(t, os.Mkdir(dir, 0o700))
		name := filepath.Join(dir, "config.yaml")
		writePair(t, name, 1)
		w, s := watch(t, name, quick)
		for n := 2; n < 12; n++ {
			if n%2 == 0 {
				require.NoError(t, os.RemoveAll(dir))
			} else { // moved away: it is not removed, but another one
				require.NoError(t, os.Rename(dir, dir+strconv.Itoa(n)))
			}
			eventually(t, func() bool { return w.Files()[0].Wrong != "" })
			require.NoError(t, os.Mkdir(dir, 0o700))
			writePair(t, name, n)
			s.await(t, n)
			eventually(t, func() bool { return w.Blind() == "" })
		}
	})

	t.Run("NotificationsThatEndAreHadAgain", func(t *testing.T) {
		t.Parallel()
		name := filepath.Join(t.TempDir(), "config.yaml")
		writePair(t, name, 1)
		made := make(chan *fsnotify.Watcher, 100)
		w, s := watch(t, name, quick, func(w *config.Watcher) {
			w.NotifyBy(func() (*fsnotify.Watcher, error) {
				fs, err := fsnotify.NewWatcher()
				made <- fs
				return fs, err
			})
		})
		for n := 2; n < 12; n++ {
			require.NoError(t, (<-made).Close())
			writePair(t, name, n)
			s.await(t, n)
		}
		eventually(t, func() bool { return w.Blind() == "" })
	})
}

// TestWatcherByPoll has no notifications: time is that of the bubble, so that
// nothing depends on the machine.
func TestWatcherByPoll(t *testing.T) {
	t.Parallel()
	mute := func(w *config.Watcher) {
		w.NotifyBy(func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") })
	}
	in := func(name string, f func(t *testing.T, file string, w *config.Watcher, s *seen)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(dir, "config.yaml")
				writePair(t, file, 1)
				w, s := watch(t, file, config.WatchConfig{}, mute)
				f(t, file, w, s)
			})
		})
	}

	in("FindsChangesWithoutNotifications", func(t *testing.T, file string, w *config.Watcher, s *seen) {
		for n := 2; n < 50; n++ {
			writePair(t, file, n)
			time.Sleep(config.DefaultPoll)
			synctest.Wait()
			assert.Equal(t, n, s.last)
		}
		assert.Equal(t, "too many open files", w.Blind())
		assert.Equal(t, 48, s.count())
	})

	in("HalfOfAFileIsNotTakenWhileItIsWritten", func(t *testing.T, file string, _ *config.Watcher, s *seen) {
		head, tail := pairText(2)
		f, err := os.Create(file)
		require.NoError(t, err)
		_, err = f.WriteString(head)
		require.NoError(t, err)
		time.Sleep(config.DefaultPoll / 2)
		assert.Zero(t, s.count())
		_, err = f.WriteString(tail)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, 2, s.last)
		assert.Equal(t, 1, s.count())
		assert.Empty(t, s.torn)
	})

	in("WhoNeverClosesDoesNotKeepItForEver", func(t *testing.T, file string, _ *config.Watcher, s *seen) {
		head, tail := pairText(2)
		f, err := os.Create(file)
		require.NoError(t, err)
		defer func() { assert.NoError(t, f.Close()) }()
		_, err = f.WriteString(head + tail)
		require.NoError(t, err)
		time.Sleep(3 * config.DefaultPoll)
		synctest.Wait()
		assert.Equal(t, 2, s.last)
	})
}

func TestWatcherIsStopped(t *testing.T) {
	t.Parallel()
	load := func(t *testing.T, changed func(context.Context, *config.Values, error)) (*config.Watcher, string) {
		name := filepath.Join(t.TempDir(), "config.yaml")
		writePair(t, name, 1)
		v, err := config.Load(config.Options{File: name}, config.Section{Key: "pair", Value: &pair{}})
		require.NoError(t, err)
		return config.NewWatcher(v, config.WatchConfig{Debounce: time.Millisecond}, changed), name
	}

	t.Run("BeforeItWasStarted", func(t *testing.T) {
		t.Parallel()
		w, _ := load(t, nil)
		require.NoError(t, w.Stop(t.Context()))
		require.Error(t, w.Start(t.Context()))
	})

	t.Run("TwiceAndByMany", func(t *testing.T) {
		t.Parallel()
		w, _ := load(t, nil)
		require.NoError(t, w.Start(t.Context()))
		require.Error(t, w.Start(t.Context()))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { assert.NoError(t, w.Stop(context.Background())) })
		}
		all.Wait()
	})

	t.Run("WhileItCalls", func(t *testing.T) {
		t.Parallel()
		entered, leave := make(chan struct{}), make(chan struct{})
		w, name := load(t, func(ctx context.Context, _ *config.Values, _ error) {
			close(entered)
			<-ctx.Done()
			<-leave
		})
		require.NoError(t, w.Start(t.Context()))
		writePair(t, name, 2)
		<-entered
		over, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, w.Stop(over), context.Canceled)
		close(leave)
		require.NoError(t, w.Stop(context.Background()))
	})
}

func TestWatchConfigSaysEveryWrongField(t *testing.T) {
	t.Parallel()
	err := config.WatchConfig{Debounce: -1, Poll: -1}.Validate()
	require.ErrorContains(t, err, "debounce: ")
	require.ErrorContains(t, err, "poll: ")
	require.NoError(t, config.WatchConfig{}.Validate())
}
