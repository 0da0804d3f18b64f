package filejournal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// script appends entries and acknowledges every third, as far as the disk
// lets it, and returns what was accepted and not acknowledged, and what was
// refused. What was acknowledged while the disk failed is in neither: the file
// may be one that is not written any more.
func script(t *testing.T, j *Journal, n int) (kept, refused, undecided []string) {
	t.Helper()
	for i := range n {
		span, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))})
		switch {
		case err != nil:
			refused = append(refused, text(i))
		case i%3 == 0:
			// An error leaves it undecided for the next life.
			if j.Ack(t.Context(), span) != nil {
				refused = append(refused, text(i))
			} else if j.Health().Fault != nil {
				undecided = append(undecided, text(i))
			}
		default:
			kept = append(kept, text(i))
		}
	}
	return kept, refused, undecided
}

// TestFaultAtEachCall lets one call to the disk fail, each in turn, or the
// disk from that call on. memDisk panics when a file is forced, or written,
// again after that failed.
func TestFaultAtEachCall(t *testing.T) {
	t.Parallel()
	const entries = 60
	for _, sync := range []Sync{SyncProcess, SyncAlways, SyncEvery(time.Millisecond)} {
		for _, disk := range diskErrors {
			for _, lasts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/lasts=%t", sync, disk, lasts), func(t *testing.T) {
					t.Parallel()
					healthy := newMemDisk()
					j := openOnDisk(t, healthy, small(sync))
					opening := healthy.calls()
					script(t, j, entries)
					require.NoError(t, j.Close())
					total := healthy.calls() - opening
					require.Greater(t, total, entries)

					for at := 1; at <= total; at++ {
						d := newMemDisk()
						if sync > 0 {
							d.crossed = runtime.Gosched
						}
						j := openOnDisk(t, d, small(sync))
						d.failing(failAt(at, disk, lasts))
						kept, refused, undecided := script(t, j, entries)
						if !lasts {
							require.LessOrEqual(t, len(refused), 1, "call %d", at)
						}
						requireSubset(t, texts(t, j), kept, "call %d: in this life", at)

						// It heals.
						d.failing(nil)
						span, err := j.Append(t.Context(), journal.Entry{Payload: []byte("healed")})
						require.NoError(t, err, "call %d", at)
						require.NotZero(t, span.Len())
						kept = append(kept, "healed")

						j.crash()
						j = openOnDisk(t, d, small(sync))
						got := texts(t, j)
						requireSubset(t, got, kept, "call %d: in the next life", at)
						requireSubset(t, slices.Concat(kept, refused, undecided), got, "call %d: it was acknowledged", at)
						j.crash()
					}
				})
			}
		}
	}
}

// TestPowerLoss: with sync: always, what was accepted survives a power loss at
// any moment, and a disk that refuses some syncs besides.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	for _, faults := range []bool{false, true} {
		t.Run(fmt.Sprintf("FailingSyncs=%t", faults), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(150) {
				losePower(t, seed, faults)
			}
		})
	}
}

// TestPowerLossInterval: with a sync of 50 ms a power loss takes at most what
// was appended in the last 50 ms.
func TestPowerLossInterval(t *testing.T) {
	t.Parallel()
	const interval = 50 * time.Millisecond
	taken := 0
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			d := newMemDisk()
			j := openOnDisk(t, d, small(SyncEvery(interval)))
			appended := map[string]time.Time{}
			for n := range 30 {
				_, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(n))})
				require.NoError(t, err)
				appended[text(n)] = time.Now()
				time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
			}
			synctest.Wait()
			now, after := time.Now(), d.powerLoss(random)
			j.crash()
			j = openOnDisk(t, after, small(SyncEvery(interval)))
			got := texts(t, j)
			j.crash()
			for text, at := range appended {
				if now.Sub(at) > interval {
					require.Contains(t, got, text, "seed %d: it was %s old", seed, now.Sub(at))
				}
			}
			taken += len(appended) - len(got)
		})
	}
	require.NotZero(t, taken, "the disk of the test forgets nothing")
}

// TestPowerLossProcess: without syncs a power loss may take anything, but what
// is left is whole, and the journal goes on.
func TestPowerLossProcess(t *testing.T) {
	t.Parallel()
	taken := 0
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 10))
		d := newMemDisk()
		j := openOnDisk(t, d, small(SyncProcess))
		appended := map[string]bool{}
		for n := range 30 {
			_, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(n))})
			require.NoError(t, err)
			appended[text(n)] = true
		}
		after := d.powerLoss(random)
		j.crash()
		j = openOnDisk(t, after, small(SyncProcess))
		got := texts(t, j)
		for _, text := range got {
			require.True(t, appended[text], "seed %d: %q is not of this journal", seed, text)
		}
		taken += len(appended) - len(got)
		_, err := j.Append(t.Context(), journal.Entry{Payload: []byte("later")})
		require.NoError(t, err)
		require.Contains(t, texts(t, j), "later")
	}
	require.NotZero(t, taken, "the disk of the test forgets nothing")
}

func losePower(t *testing.T, seed uint64, faults bool) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	d := newMemDisk()
	must, may := map[string]bool{}, map[string]bool{}
	n := 0
	for range 3 { // lives
		j := openOnDisk(t, d, small(SyncAlways))
		got := texts(t, j)
		requireSubset(t, got, slices.Collect(maps.Keys(must)), "seed %d: it is lost", seed)
		for _, text := range got {
			if !must[text] && !may[text] {
				require.Fail(t, "it is not of this journal", "seed %d: %q", seed, text)
			}
		}
		if faults {
			faulty := rand.New(rand.NewPCG(seed, 8))
			d.failing(func(op, _ string) error {
				if (op == "sync" || op == "write") && faulty.IntN(12) == 0 {
					return syscall.EIO
				}
				return nil
			})
		}
		spans := map[string]journal.Span{}
		for range 20 + random.IntN(60) {
			n++
			span, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(n))})
			may[text(n)] = true
			if err == nil {
				must[text(n)], spans[text(n)] = true, span
			}
			for text, span := range spans {
				if random.IntN(3) == 0 {
					_ = j.Ack(t.Context(), span)
					delete(spans, text)
					delete(must, text)
				}
				break
			}
		}
		after := d.powerLoss(random)
		j.crash()
		d = after
	}
}

// TestInterval: what was appended is forced an interval later, and whoever
// appends does not wait for it.
func TestInterval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newMemDisk()
		j := openOnDisk(t, d, small(SyncEvery(50*time.Millisecond)))
		random := rand.New(rand.NewPCG(1, 1))
		after := func() []string {
			again := openOnDisk(t, d.powerLoss(random), small(SyncProcess))
			defer again.crash()
			return texts(t, again)
		}
		appendText(t, j, 1)
		time.Sleep(51 * time.Millisecond)
		require.Equal(t, []string{text(1)}, after())

		// The sync fails: what it should have forced is appended again,
		// elsewhere, and forced at once.
		d.failing(failOnce("sync"))
		appendText(t, j, 2)
		time.Sleep(51 * time.Millisecond)
		require.Equal(t, []string{text(1), text(2)}, after())
		require.Equal(t, []string{text(1), text(2)}, texts(t, j))
		require.NoError(t, j.Health().Err())
		require.NoError(t, j.Close())
	})
}

// TestRefugeThatFailed: a sync fails, and then the write to the refuge, of which
// half arrives. Its file is still there in the next life, beside the refuge that
// was made later, or alone.
func TestRefugeThatFailed(t *testing.T) {
	t.Parallel()
	for _, heals := range []bool{true, false} {
		t.Run(fmt.Sprintf("heals=%t", heals), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newMemDisk()
				j := openOnDisk(t, d, small(SyncEvery(50*time.Millisecond)))
				var want []string
				for i := range 12 {
					appendText(t, j, i)
					want = append(want, text(i))
					if i == 0 {
						time.Sleep(51 * time.Millisecond) // it is forced; the rest is not
						synctest.Wait()
					}
				}
				writes := 0
				d.failing(func(op, _ string) error {
					if op == "write" {
						writes++
					}
					// The first write is of the header.
					if op == "sync" && writes == 0 || op == "write" && writes == 2 || op == "remove" || !heals && writes > 1 {
						return syscall.EIO
					}
					return nil
				})
				time.Sleep(51 * time.Millisecond)
				synctest.Wait()
				j.crash()
				d.failing(nil)
				for range 3 {
					j = openOnDisk(t, d, small(SyncProcess))
					require.Equal(t, want, texts(t, j))
					j.crash()
				}
			})
		})
	}
}

// TestRefusedEntriesTakeNothingsPlace: of a batch that was refused, since the
// disk failed, two entries have arrived. What is accepted next has the number of
// the first, and what came before may have to move.
func TestRefusedEntriesTakeNothingsPlace(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncProcess, SyncEvery(50 * time.Millisecond)} {
		for accepted := range 4 {
			t.Run(fmt.Sprintf("%s/%d", sync, accepted), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := newMemDisk()
					j := openOnDisk(t, d, small(sync))
					appendText(t, j, 0)
					want := []string{text(0)}
					d.failing(func(op, _ string) error {
						if op == "write" {
							return syscall.EIO
						}
						return nil
					})
					entry := func(n int) journal.Entry { return journal.Entry{Payload: make([]byte, n)} }
					// The first two frames are half of what is written: zeros follow the last.
					_, err := j.Append(t.Context(), entry(40), entry(48), entry(40), entry(40))
					require.ErrorIs(t, err, syscall.EIO)
					d.failing(nil)
					for i := range accepted {
						appendText(t, j, i+1)
						want = append(want, text(i+1))
					}
					time.Sleep(51 * time.Millisecond)
					synctest.Wait()
					require.Equal(t, want, texts(t, j))
					j.crash()
					for range 3 {
						j = openOnDisk(t, d, small(sync))
						if accepted > 0 {
							require.Equal(t, want, texts(t, j))
						} else { // nothing says that the others were refused
							requireSubset(t, texts(t, j), want)
						}
						j.crash()
					}
				})
			})
		}
	}
}

// TestSyncIsCrossedByAWriteThatFails: what the disk says to a sync is not
// believed where a write has failed since it was called. Both are moved.
func TestSyncIsCrossedByAWriteThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newMemDisk()
		var armed atomic.Bool
		var j *Journal
		d.crossed = func() {
			if armed.CompareAndSwap(true, false) {
				d.failing(failOnce("write"))
				appendText(t, j, 2)
			}
		}
		j = openOnDisk(t, d, small(SyncEvery(50*time.Millisecond)))
		appendText(t, j, 1)
		synctest.Wait() // a spare has been made
		armed.Store(true)
		time.Sleep(51 * time.Millisecond)
		synctest.Wait()
		time.Sleep(51 * time.Millisecond)
		synctest.Wait()
		for seed := range uint64(20) {
			again := openOnDisk(t, d.powerLoss(rand.New(rand.NewPCG(seed, 1))), small(SyncProcess))
			require.Equal(t, []string{text(1), text(2)}, texts(t, again))
			again.crash()
		}
		require.NoError(t, j.Health().Err())
		require.NoError(t, j.Close())
	})
}

func failOnce(what string) func(op, name string) error {
	done := false
	return func(op, _ string) error {
		if op == what && !done {
			done = true
			return syscall.EIO
		}
		return nil
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	full := func(op, _ string) error {
		if op == "allocate" {
			return syscall.ENOSPC
		}
		return nil
	}

	t.Run("RefusesAndHeals", func(t *testing.T) {
		t.Parallel()
		d := newMemDisk()
		j := openOnDisk(t, d, small(SyncProcess))
		d.failing(full)
		kept := 0
		var err error
		for err == nil {
			_, err = j.Append(t.Context(), journal.Entry{Payload: []byte("x")})
			kept++
		}
		require.ErrorIs(t, err, journal.ErrFull)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.ErrorIs(t, j.Health().Err(), syscall.ENOSPC)
		require.Len(t, texts(t, j), kept-1)
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			ack(t, j, e.Span()) // there is room for that
			break
		}
		d.failing(nil)
		appendText(t, j, 1)
		require.NoError(t, j.Health().Err())
		require.NoError(t, j.Close())
	})

	t.Run("OpensAndReplaysAllTheSame", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		s.disk.failing(full)
		j := openOnDisk(t, s.disk, small(SyncProcess))
		require.Equal(t, s.unacked, texts(t, j))
		_, err := j.Append(t.Context(), journal.Entry{})
		require.ErrorIs(t, err, journal.ErrFull)
		require.NoError(t, j.Close())
	})

	t.Run("BlocksUntilThereIsRoom", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := newMemDisk()
			cfg := small(SyncProcess)
			cfg.WhenFull = Block
			j := openOnDisk(t, d, cfg)
			d.failing(full)
			for i := 0; i == 0 || j.activeNow().fits(500); i++ {
				appendText(t, j, i)
			}
			payload := make([]byte, 1000)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := j.Append(ctx, journal.Entry{Payload: payload})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, journal.ErrFull)

			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := j.Append(t.Context(), journal.Entry{Payload: payload})
				assert.NoError(t, err)
			})
			time.Sleep(time.Minute)
			d.failing(nil)
			wg.Wait()
			require.NoError(t, j.Close())
		})
	})

	t.Run("BlocksUntilEntriesAreAcknowledgedOrItIsClosed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			cfg := small(SyncProcess)
			cfg.WhenFull, cfg.MaxBytes = Block, 2*cfg.SegmentBytes
			j := openOnDisk(t, newMemDisk(), cfg)
			var spans []journal.Span
			append1000 := func(ctx context.Context) error {
				span, err := j.Append(ctx, journal.Entry{Payload: make([]byte, 1000)})
				spans = append(spans, span)
				return err
			}
			for len(j.now()) < 2 || j.activeNow().fits(1100) {
				require.NoError(t, append1000(t.Context()))
			}
			results := make(chan error, 2)
			go func() { results <- append1000(t.Context()) }()
			synctest.Wait()
			require.Empty(t, results)
			ack(t, j, journal.Span{First: spans[0].First, Last: spans[3].Last})
			require.NoError(t, <-results)

			for j.activeNow().fits(1100) {
				require.NoError(t, append1000(t.Context()))
			}
			go func() { results <- append1000(t.Context()) }()
			synctest.Wait()
			require.NoError(t, j.Close())
			require.ErrorIs(t, <-results, journal.ErrClosed)
		})
	})
}

// TestSyncFailsForGroups: those who wait for the same sync, and those who
// gather behind them, all hear of it, or none needs to.
func TestSyncFailsForGroups(t *testing.T) {
	t.Parallel()
	for _, lasts := range []bool{false, true} {
		t.Run(fmt.Sprintf("lasts=%t", lasts), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { syncFailsForGroups(t, lasts) })
		})
	}
}

func syncFailsForGroups(t *testing.T, lasts bool) {
	d := newMemDisk()
	j := openOnDisk(t, d, small(SyncAlways))
	appendText(t, j, 0)
	synctest.Wait() // a spare has been made: nobody else needs the disk, which a sync will hold
	release := make(chan struct{})
	syncs := 0
	d.failing(func(op, _ string) error {
		if op != "sync" {
			return nil
		}
		if syncs++; syncs == 1 {
			<-release
		}
		if syncs == 1 || lasts {
			return syscall.EIO
		}
		return nil
	})
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() { _, errs[i] = j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))}) })
		if i == 0 {
			synctest.Wait() // it is being forced, the others gather
		}
	}
	synctest.Wait()
	close(release)
	wg.Wait()
	if lasts {
		for _, err := range errs {
			require.ErrorIs(t, err, syscall.EIO)
		}
		require.Equal(t, []string{text(0)}, texts(t, j))
		require.ErrorIs(t, j.Health().Err(), syscall.EIO)
	} else {
		require.NoError(t, errors.Join(errs...))
		require.Len(t, texts(t, j), 1+len(errs))
		require.NoError(t, j.Health().Err())
	}
	j.crash()
}

// TestLeftBehind looks at the segment that has failed, and at the one that
// took its place.
func TestLeftBehind(t *testing.T) {
	t.Parallel()

	t.Run("WhatWasMovedAndAcknowledgedDoesNotComeBack", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, movedDoesNotComeBack)
	})

	t.Run("AReplayThatIsUnderWayGoesOnInItsPlace", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			d := newMemDisk()
			j := openOnDisk(t, d, small(SyncEvery(time.Second)))
			for i := range 4 {
				appendText(t, j, i)
			}
			synctest.Wait() // a spare has been made
			var got []string
			for e, err := range j.Replay(t.Context()) {
				require.NoError(t, err)
				got = append(got, string(e.Payload))
				if len(got) == 1 {
					ack(t, j, journal.Span{First: 3, Last: 3})
					d.failing(failOnce("sync"))
					time.Sleep(1001 * time.Millisecond)
					require.EqualValues(t, 2, j.activeNow().number, "what was there was moved: %+v", j.Health())
				}
			}
			require.Equal(t, []string{text(0), text(1), text(3)}, got)
			require.NoError(t, j.Close())
		})
	})
}

func movedDoesNotComeBack(t *testing.T) {
	d := newMemDisk()
	j := openOnDisk(t, d, small(SyncAlways))
	appendText(t, j, 1)
	synctest.Wait() // a spare has been made
	d.failing(failOnce("sync"))
	moved := appendText(t, j, 2)
	refuge := j.activeNow()
	require.Equal(t, moved.First, refuge.base)
	ack(t, j, moved)
	for i := 3; i < 300; i++ { // segments are used again, over and over
		ack(t, j, appendText(t, j, i))
	}
	for _, s := range j.now() {
		require.True(t, s.number != refuge.number || s.live == 0, "nothing is left in it")
	}
	require.Equal(t, []string{text(1)}, texts(t, j))
	j.crash()

	for range 3 {
		j = openOnDisk(t, d, small(SyncAlways))
		require.Equal(t, []string{text(1)}, texts(t, j), "in the file that failed, text 2 is there as well")
		require.NoError(t, j.Close())
	}
}
