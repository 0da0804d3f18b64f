package filejournal

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	gosync "sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// seen is what a replay yields, with what must not change.
type seen struct {
	seq  uint64
	id   string
	text string
}

func replayed(t *testing.T, j journal.Journal) (all []seen) {
	t.Helper()
	for e, err := range j.Replay(t.Context()) {
		if n := len(all); err != nil || n > 0 && e.Seq <= all[n-1].seq {
			require.NoError(t, err)
			require.Greater(t, e.Seq, all[n-1].seq)
		}
		all = append(all, seen{e.Seq, e.ID, string(e.Payload)})
	}
	require.Len(t, all, j.Len())
	return all
}

// sparse leaves a row of full segments behind in which little is alive.
func sparse(t *testing.T, sync Sync, segments int) (*memDisk, []seen) {
	t.Helper()
	d := newMemDisk()
	j := openOnDisk(t, d, small(sync))
	for i := 0; len(j.now()) < segments; i++ {
		span := appendText(t, j, i)
		if i%11 > 0 {
			ack(t, j, span)
		}
	}
	all := replayed(t, j)
	j.crash()
	return d, all
}

// TestManyLives: however many lives leave an entry, they take a few files.
func TestManyLives(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncProcess, SyncAlways} {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			cfg := small(sync)
			cfg.SegmentBytes, cfg.MaxBytes = minSegment, 8*minSegment
			d := newMemDisk()
			random := rand.New(rand.NewPCG(1, 1))
			var want []seen
			lives := 1000 // in the short run, some two segments are alive at the end, else five
			if !long {
				lives = 500
			}
			for life := range lives {
				j := openOnDisk(t, d, cfg)
				span := appendText(t, j, life)
				want = append(want, seen{span.First, j.ID(span.First), text(life)})
				if life%100 == 99 {
					require.Equal(t, want, replayed(t, j))
				}
				live := int64(len(want)) * 250
				j.tidied()
				require.LessOrEqual(t, j.Health().Bytes, 2*live+3*cfg.SegmentBytes, "life %d", life)
				require.LessOrEqual(t, len(d.segmentNames()), 12, "life %d", life)
				if random.IntN(2) == 0 {
					j.crash()
				} else {
					require.NoError(t, j.Close())
				}
			}
		})
	}
}

// TestCompaction looks at what it does and what it leaves alone.
func TestCompaction(t *testing.T) {
	t.Parallel()

	t.Run("LosesAndChangesNothing", func(t *testing.T) {
		t.Parallel()
		for _, sync := range []Sync{SyncProcess, SyncAlways} {
			d, want := sparse(t, sync, 12)
			require.GreaterOrEqual(t, len(d.segmentNames()), 12)
			j := openOnDisk(t, d, small(sync))
			j.tidied()
			require.LessOrEqual(t, len(d.segmentNames()), 4)
			require.Equal(t, want, replayed(t, j))
			next := appendText(t, j, 1)
			require.Greater(t, next.First, want[len(want)-1].seq)

			// Acknowledged in the new one, and moved once more.
			for i, s := range want {
				if i%2 == 0 {
					ack(t, j, journal.Span{First: s.seq, Last: s.seq})
				}
			}
			j.crash()
			j = openOnDisk(t, d, small(sync))
			again := replayed(t, j)
			require.Len(t, again, len(want)/2+1)
			for i := range len(want) / 2 {
				require.Equal(t, want[2*i+1], again[i])
			}
			ack(t, j, journal.Span{First: 1, Last: next.First})
			require.NoError(t, j.Close())
			require.Empty(t, d.segmentNames())
		}
	})

	t.Run("DoesNotCopyTheSameOverAndOver", func(t *testing.T) {
		t.Parallel()
		cfg := small(SyncProcess)
		cfg.SegmentBytes, cfg.MaxBytes = 256<<10, 1<<28
		d := newMemDisk()
		var written, live int
		for life := range 200 {
			j := openOnDisk(t, d, cfg)
			for _, s := range j.now() {
				if s.compacted() && s.ours {
					written += s.count
				}
			}
			for i := range 20 {
				appendText(t, j, life*20+i)
				live++
			}
			require.NoError(t, j.Close())
		}
		require.Less(t, written, 20*live, "entries that were copied, of %d", live)
	})

	t.Run("WinsRoomWhileRunning", func(t *testing.T) {
		t.Parallel()
		for _, sync := range []Sync{SyncProcess, SyncAlways} {
			cfg := small(sync)
			cfg.MaxBytes = 6 * cfg.SegmentBytes
			j := openOnDisk(t, newMemDisk(), cfg)
			var want []string
			for i := range 600 { // a tenth stays: of what is appended they hold a fraction
				span, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))})
				require.NoError(t, err, "entry %d", i)
				if i%40 > 0 {
					ack(t, j, span)
				} else {
					want = append(want, text(i))
				}
			}
			require.Equal(t, want, texts(t, j))
			require.NoError(t, j.Health().Err())

			// What is alive fills it: then it is full.
			var err error
			for i := 0; err == nil; i++ {
				_, err = j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))})
			}
			require.ErrorIs(t, err, journal.ErrFull)
			require.LessOrEqual(t, j.Health().Bytes, cfg.MaxBytes)
			require.NoError(t, j.Close())
		}
	})

	t.Run("LeavesWhatAReplayIsReading", func(t *testing.T) {
		t.Parallel()
		cfg := small(SyncProcess)
		cfg.MaxBytes = 6 * cfg.SegmentBytes
		j := openOnDisk(t, newMemDisk(), cfg)
		i := 0
		fill := func(n int) {
			for range n {
				span := appendText(t, j, i)
				if i%12 > 0 {
					ack(t, j, span)
				}
				i++
			}
		}
		fill(60)
		want := replayed(t, j)
		var got []seen
		compacted := 0
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			got = append(got, seen{e.Seq, e.ID, string(e.Payload)})
			j.making.Lock()
			for j.compact(winsRoomOrFiles) {
				compacted++
			}
			j.making.Unlock()
			fill(5) // segments are recycled and removed beside it
		}
		require.Positive(t, compacted)
		require.Equal(t, want, got)
		require.NoError(t, j.Close())
	})

	t.Run("ForcesBeforeItRemoves", func(t *testing.T) {
		t.Parallel()
		d, _ := sparse(t, SyncProcess, 4)
		var ops []string // of everybody: a spare is being made beside it
		d.failing(func(op, name string) error {
			if strings.HasSuffix(name, tempSuffix) {
				op = "heir " + op
			}
			ops = append(ops, op)
			return nil
		})
		openOnDisk(t, d, small(SyncProcess)).crash()
		d.mu.Lock()
		defer d.mu.Unlock()
		require.Regexp(t, "heir write.*heir sync.*rename.*syncdir.*remove.*remove", strings.Join(ops, ","))
	})

	t.Run("TakesWhatIsAcknowledgedMeanwhile", func(t *testing.T) {
		t.Parallel()
		j, c, heir, want := copied(t)
		ack(t, j, journal.Span{First: want[1].seq, Last: want[2].seq})
		require.NoError(t, c.publish(heir))
		c.removeOld(heir)
		want = append(want[:1], want[3:]...)
		require.Equal(t, want, replayed(t, j))
		d := j.fs.(*memDisk)
		j.crash()
		j = openOnDisk(t, d, small(SyncProcess))
		require.Equal(t, want, replayed(t, j))
		j.crash()
	})

	t.Run("GivesWayToAReplayThatCame", func(t *testing.T) {
		t.Parallel()
		j, c, heir, want := copied(t)
		var got []seen
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			if len(got) == 0 {
				require.ErrorIs(t, c.publish(heir), errBusy)
			}
			got = append(got, seen{e.Seq, e.ID, string(e.Payload)})
		}
		require.Equal(t, want, got)
		j.crash()
	})

	t.Run("IsEnteredByAReplayThatHasLeftOneOfTheOld", func(t *testing.T) {
		t.Parallel()
		j, c, heir, _ := copied(t)
		left := c.from[1]
		require.NoError(t, c.publish(heir))
		j.mu.Lock()
		behind := j.behindLocked(left, left.base)
		j.mu.Unlock()
		require.Zero(t, behind, "what comes after is in the heir")
		j.crash()
	})

	t.Run("StaysUntilTheOldOnesAreGone", func(t *testing.T) {
		t.Parallel()
		j, c, heir, want := copied(t)
		require.NoError(t, c.publish(heir))
		ack(t, j, journal.Span{First: 1, Last: want[len(want)-1].seq})
		j.tidied()
		d := j.fs.(*memDisk)
		require.Contains(t, d.segmentNames(), heir.path)
		c.removeOld(heir)
		j.tidied()
		require.NotContains(t, d.segmentNames(), heir.path)
		j.crash()
	})

	t.Run("DoesNotStandForWhatAFailedFileHeldLast", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, doesNotStandForWhatAFailedFileHeldLast)
	})

	t.Run("LeavesWhatIsDamaged", func(t *testing.T) {
		t.Parallel()
		d, want := sparse(t, SyncProcess, 6)
		name := d.segmentNames()[2]
		d.flip(name, headerSize+20, 1)
		j := openOnDisk(t, d, small(SyncProcess))
		require.Len(t, j.Health().Damage, 1)
		require.Contains(t, d.segmentNames(), name)
		require.Subset(t, want, replayed(t, j))
		j.crash()
		j = openOnDisk(t, d, small(SyncProcess))
		require.Len(t, j.Health().Damage, 1, "and says so in every life")
		j.crash()
	})

	t.Run("IsSkippedOnAFullDisk", func(t *testing.T) {
		t.Parallel()
		d, want := sparse(t, SyncProcess, 12)
		d.failing(func(op, name string) error {
			if op == "allocate" || op == "write" && strings.HasSuffix(name, tempSuffix) {
				return syscall.ENOSPC
			}
			return nil
		})
		j := openOnDisk(t, d, small(SyncProcess))
		require.ErrorIs(t, j.Health().Err(), syscall.ENOSPC)
		require.Equal(t, want, replayed(t, j))
		_, err := j.Append(t.Context(), journal.Entry{})
		require.ErrorIs(t, err, journal.ErrFull)
		require.NoError(t, j.Close())
		for _, name := range d.files() {
			require.NotContains(t, name, tempSuffix)
		}
		d.failing(nil)
		j = openOnDisk(t, d, small(SyncProcess))
		j.tidied()
		require.LessOrEqual(t, len(d.segmentNames()), 4)
		require.Equal(t, want, replayed(t, j))
		j.crash()
	})
}

// TestCompactionDiesAtEachCall takes the disk as it is before each call that an
// open makes, as after a kill -9, and as after several losses of power.
func TestCompactionDiesAtEachCall(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncProcess, SyncAlways} {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			d, want := sparse(t, sync, 8)
			d = d.copy() // it is all on the disk
			random := rand.New(rand.NewPCG(3, 3))
			var after []*memDisk
			d.failing(func(string, string) error {
				after = append(after, d.copyLocked())
				for range 6 {
					after = append(after, d.powerLossLocked(random))
				}
				return nil
			})
			j := openOnDisk(t, d, small(sync))
			j.crash()
			require.Greater(t, len(after), 7*20)
			both := 0
			for i, d := range after {
				if slices.ContainsFunc(look(t, d).outdated, func(l *loaded) bool { return l.heir != nil }) {
					both++
				}
				require.Equal(t, want, replayed(t, look(t, d)), "call %d, looked at", i/7)
				j := openOnDisk(t, d, small(sync))
				require.NoError(t, j.Health().Err())
				require.Equal(t, want, replayed(t, j), "call %d", i/7)
				j.tidied()
				require.LessOrEqual(t, len(d.segmentNames()), 4)
				ack(t, j, journal.Span{First: 1, Last: want[len(want)-2].seq})
				j.crash()
				j = openOnDisk(t, d, small(sync))
				require.Equal(t, want[len(want)-1:], replayed(t, j), "call %d, the next life", i/7)
				j.crash()
			}
			require.Positive(t, both, "old and new were there")
		})
	}
}

// look reads a journal as a View does.
func look(t *testing.T, d *memDisk) *Journal {
	t.Helper()
	cfg := small(SyncProcess)
	v := &View{dir: cfg.Dir}
	j := v.journal("test")
	j.fs = readOnly{d}
	_, err := j.survey(t.Context(), func(int64) {})
	require.NoError(t, err)
	t.Cleanup(j.crash)
	return j
}

// readOnly fails a test that writes.
type readOnly struct{ *memDisk }

func (readOnly) MkdirAll(string) error       { return ErrReadOnly }
func (readOnly) Create(string) (file, error) { return nil, ErrReadOnly }
func (readOnly) Rename(string, string) error { return ErrReadOnly }
func (readOnly) Remove(string) error         { return ErrReadOnly }

// TestCompactionFaultAtEachCall lets one call of an open fail, or all from that
// one on. Nothing is lost, nothing comes twice, and what is acknowledged then
// does not come back.
func TestCompactionFaultAtEachCall(t *testing.T) {
	t.Parallel()
	for _, sync := range []Sync{SyncProcess, SyncAlways} {
		for _, disk := range diskErrors {
			for _, lasts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/lasts=%t", sync, disk, lasts), func(t *testing.T) {
					t.Parallel()
					before, want := sparse(t, sync, 8)
					healthy := before.copy()
					openOnDisk(t, healthy, small(sync)).crash()
					require.Greater(t, healthy.calls(), 20)
					opened := 0
					for at := 1; at <= healthy.calls(); at++ {
						d := before.copy()
						fail, met := failAt(at, disk, lasts), false
						d.failing(func(op, name string) error {
							err := fail(op, name)
							met = met || err != nil && op != "remove" // that may be tidy's, beside it
							return err
						})
						j, err := openJournal(t.Context(), d, small(sync), "test", func() {})
						d.failing(nil)
						left := want
						if err == nil {
							opened++
							// A disk on which nothing can be made is refused, unless it is full.
							require.False(t, met && lasts && errors.Is(disk, syscall.EIO), "call %d", at)
							require.Equal(t, want, replayed(t, j), "call %d", at)
							appendText(t, j, 12345) // it heals
							half := len(want) / 2
							if at%2 == 0 {
								half = len(want) - 1 // nothing of it is left
							}
							ack(t, j, journal.Span{First: 1, Last: want[half].seq})
							left = want[half+1:]
							j.tidied()
							j.crash()
						} else {
							require.ErrorIs(t, err, disk, "call %d", at)
						}
						for range 3 {
							j = openOnDisk(t, d, small(sync))
							got := replayed(t, j)
							require.Equal(t, left, got[:len(left)], "call %d, a later life", at)
							require.LessOrEqual(t, len(got), len(left)+1)
							require.NoError(t, j.Close())
						}
						require.LessOrEqual(t, len(d.segmentNames()), 5, "call %d", at)
					}
					require.True(t, opened > 0 || lasts && errors.Is(disk, syscall.EIO))
				})
			}
		}
	}
}

// running appends to a journal in which every seventh entry stays for a
// while, and that is so small that it must be compacted now and then. It says
// what it does before and after.
func running(t *testing.T, d *memDisk, sync Sync, n int, say func(what string, i int)) *Journal {
	t.Helper()
	cfg := small(sync)
	cfg.MaxBytes = 4 * cfg.SegmentBytes
	j := openOnDisk(t, d, cfg)
	spans := map[int]journal.Span{}
	ack := func(i int) {
		if span, ok := spans[i]; ok {
			delete(spans, i)
			say("acking", i)
			if err := j.Ack(t.Context(), span); err == nil {
				say("acked", i)
			}
		}
	}
	for i := range n {
		say("appending", i)
		span, err := j.Append(t.Context(), journal.Entry{Payload: []byte(text(i))})
		if err != nil {
			say("refused", i)
			continue
		}
		say("appended", i)
		spans[i] = span
		if i%7 > 0 {
			ack(i)
		}
		ack(i - 70)
	}
	return j
}

// TestCompactionWhileRunning kills a journal, takes its power, and lets calls
// fail, while appends win their room by compaction.
func TestCompactionWhileRunning(t *testing.T) {
	t.Parallel()
	const entries = 250
	check := func(t *testing.T, d *memDisk, state map[string]string, acks bool, what string) {
		j := openOnDisk(t, d, small(SyncProcess))
		defer j.crash()
		got := map[string]bool{}
		for _, s := range replayed(t, j) {
			if state[s.text] == "" || acks && state[s.text] == "acked" {
				require.Contains(t, state, s.text, what)
				require.Fail(t, "it comes though it was acknowledged", "%s: %.10q", what, s.text)
			}
			got[s.text] = true
		}
		for text, state := range state {
			if state == "appended" && !got[text] {
				require.Fail(t, "it is lost", "%s: %.10q", what, text)
			}
		}
	}
	for _, sync := range []Sync{SyncProcess, SyncAlways} {
		t.Run("Dies/"+sync.String(), func(t *testing.T) {
			t.Parallel()
			d := newMemDisk()
			random := rand.New(rand.NewPCG(5, 5))
			var mu gosync.Mutex
			state := map[string]string{}
			var checks []func()
			var compactions int
			d.failing(func(op, name string) error {
				mu.Lock()
				defer mu.Unlock()
				if f := d.names[name+tempSuffix]; op == "rename" && f != nil && strings.HasPrefix(string(f.data), magicCompact) {
					compactions++
				}
				if op == "write" && random.IntN(4) > 0 {
					return nil
				}
				was, killed, out := maps.Clone(state), d.copyLocked(), d.powerLossLocked(random)
				checks = append(checks, func() { check(t, killed, was, true, "killed") })
				if sync == SyncAlways {
					checks = append(checks, func() { check(t, out, was, false, "without power") })
				}
				return nil
			})
			j := running(t, d, sync, 2*entries, func(what string, i int) {
				mu.Lock()
				defer mu.Unlock()
				require.NotEqual(t, "refused", what, "entry %d", i)
				state[text(i)] = what
			})
			j.crash()
			require.GreaterOrEqual(t, compactions, 5)
			for _, check := range checks {
				check()
			}
		})
		for _, lasts := range []bool{false, true} {
			t.Run(fmt.Sprintf("Fails/%s/lasts=%t", sync, lasts), func(t *testing.T) {
				t.Parallel()
				met := map[string]bool{}
				for _, at := range callsToFail(t, sync, entries) {
					d := newMemDisk()
					state := map[string]string{}
					refused, unsure := 0, false
					j := running(t, d, sync, entries, func(what string, i int) {
						if i == 0 && what == "appending" {
							fail := at.fail(syscall.EIO, lasts)
							d.failing(func(op, name string) error {
								err := fail(op, name)
								met[kindOfCall(op, name)] = met[kindOfCall(op, name)] || err != nil
								unsure = unsure || err != nil && op == "syncdir"
								return err
							})
						}
						if what == "refused" {
							refused++
						}
						state[text(i)] = what
					})
					d.failing(nil)
					if !lasts && !unsure {
						require.LessOrEqual(t, refused, 1, "call %v", at)
					}
					j.crash()
					check(t, d, state, false, fmt.Sprintf("call %v", at))
				}
				for _, kind := range []string{"new create", "new write", "new sync", "rename", "syncdir", "remove", "write"} {
					require.True(t, met[kind], "%s has failed in none", kind)
				}
			})
		}
	}
}

// kindOfCall tells what is done to a file in the making from what is done to
// one that counts.
func kindOfCall(op, name string) string {
	if strings.HasSuffix(name, tempSuffix) {
		return "new " + op
	}
	return op
}

// callsToFail are calls that running makes: of each kind the first and every
// third; of the many that append and acknowledge, and are alike, every 31st.
// All, in a long run.
func callsToFail(t *testing.T, sync Sync, entries int) (calls []nthCall) {
	t.Helper()
	d := newMemDisk()
	made := map[string]int{}
	running(t, d, sync, entries, func(what string, i int) {
		if i == 0 && what == "appending" {
			d.failing(func(op, name string) error {
				made[kindOfCall(op, name)]++
				return nil
			})
		}
	}).crash()
	for _, kind := range slices.Sorted(maps.Keys(made)) {
		every := stride(3)
		if kind == "write" || sync == SyncAlways && kind == "sync" {
			every = stride(31)
		}
		for n := 1; n <= made[kind]; n += every {
			calls = append(calls, nthCall{kind, n})
		}
	}
	return calls
}

// nthCall is one of a kind. Calls of other goroutines do not make it another.
type nthCall struct {
	kind string
	n    int
}

// fail lets it fail, and all calls after it if that lasts.
func (c nthCall) fail(err error, lasts bool) func(op, name string) error {
	count := 0
	return func(op, name string) error {
		is := kindOfCall(op, name) == c.kind
		if is {
			count++
		}
		if is && count == c.n || lasts && count >= c.n {
			return err
		}
		return nil
	}
}

// copied is a journal that runs, a run of whose segments was copied; the copy
// does not count yet.
func copied(t *testing.T) (*Journal, *copying, *segment, []seen) {
	t.Helper()
	j := openOnDisk(t, newMemDisk(), small(SyncProcess))
	for i := range 100 {
		span := appendText(t, j, i)
		if i%11 > 0 {
			ack(t, j, span)
		}
	}
	c, heir := copyFirst(t, j, 3)
	return j, c, heir, replayed(t, j)
}

// copyFirst copies the first segments of a journal.
func copyFirst(t *testing.T, j *Journal, n int) (*copying, *segment) {
	t.Helper()
	j.mu.Lock()
	c := &copying{j: j, key: j.nextKeyLocked(), image: make([]byte, headerSize)}
	first := slices.Clone(j.segments[:n])
	var acked []bitset
	for _, s := range first {
		s.pins++ // as compact does
		acked = append(acked, slices.Clone(s.acked))
	}
	j.mu.Unlock()
	for i, s := range first {
		require.NoError(t, c.add(s, acked[i]))
	}
	heir, err := c.write()
	require.NoError(t, err)
	return c, heir
}

// TestCompactedIsDamaged flips every byte of a compacted segment, and cuts it at
// every byte: every entry that is intact comes back, under its number and id,
// and the others are reported.
func TestCompactedIsDamaged(t *testing.T) {
	t.Parallel()
	d, want := sparse(t, SyncProcess, 8)
	j := openOnDisk(t, d, small(SyncProcess))
	require.Equal(t, want, replayed(t, j))
	heir := j.now()[0]
	require.True(t, heir.compacted())
	require.Equal(t, want[len(want)-1].seq, heir.seqs[heir.count-1])
	name := heir.path
	j.crash()

	whole := d.content(name)
	sc := newScanner(whole, heir.key, want[0].seq)
	var frames []frame
	for f, _, bad, ok := sc.scan(); ok && f.kind == kindMoved; f, _, bad, ok = sc.scan() {
		require.False(t, bad)
		frames = append(frames, f)
	}
	require.Len(t, frames, len(want))
	var edges []int
	for _, f := range frames {
		edges = append(edges, f.off, f.off+f.size)
	}
	tried := func() iter.Seq[int] { return places(len(whole), edges, len(whole)-slotSize) }

	check := func(what string, data []byte, intact func(from, to int) bool) {
		c := d.copy()
		c.put(name, data)
		j := openOnDisk(t, c, small(SyncProcess))
		defer j.crash()
		got := replayed(t, j)
		reported := 0
		for _, damage := range j.Health().Damage {
			reported += damage.Lost
		}
		for i, s := range want {
			if slices.Contains(got, s) {
				continue
			}
			require.False(t, intact(frames[i].off, frames[i].off+frames[i].size), "%s: entry %d is intact", what, s.seq)
			require.NotEmpty(t, j.Health().Damage, "%s: entry %d is gone in silence", what, s.seq)
			for _, damage := range j.Health().Damage {
				if damage.Lost > 0 {
					require.LessOrEqual(t, damage.First, s.seq, what)
					require.GreaterOrEqual(t, damage.Last, s.seq, what)
				}
				require.False(t, damage.Torn, what)
			}
		}
		for _, s := range got {
			if !slices.Contains(want, s) {
				require.Contains(t, want, s, what)
			}
		}
		if len(data) == len(whole) && len(got)+1 == len(want) && got[len(got)-1] == want[len(want)-1] {
			require.Equal(t, 1, reported, what)
		}
	}
	t.Run("Flipped", func(t *testing.T) {
		for at := range tried() {
			data := slices.Clone(whole)
			data[at] ^= 1 << (at % 8)
			check(fmt.Sprintf("byte %d", at), data, func(from, to int) bool { return at < from || at >= to })
		}
	})
	t.Run("Cut", func(t *testing.T) {
		for size := range tried() {
			check(fmt.Sprintf("cut at %d", size), whole[:size:size], func(_, to int) bool { return size >= to })
		}
	})
}

func doesNotStandForWhatAFailedFileHeldLast(t *testing.T) {
	d := newMemDisk()
	j := openOnDisk(t, d, small(SyncAlways))
	appendText(t, j, 1)
	synctest.Wait() // a spare has been made: the sync that fails is the next append's
	d.failing(failOnce("sync"))
	appendText(t, j, 2) // moved; the file that failed holds it as well
	j.crash()
	d.failing(func(op, _ string) error {
		if op == "create" {
			return syscall.ENOSPC // nothing is compacted yet
		}
		return nil
	})
	j = openOnDisk(t, d, small(SyncAlways))
	want := replayed(t, j)
	require.Len(t, want, 2)
	d.failing(nil)
	now := j.now()
	require.Greater(t, now[0].end(), now[1].base)
	c, heir := copyFirst(t, j, 1)
	require.NoError(t, c.publish(heir))
	j.crash()
	require.Equal(t, want, replayed(t, look(t, d)))
}
