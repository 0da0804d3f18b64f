package filejournal

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// specimen is a journal of two segments, of which every place is known.
type specimen struct {
	disk    *memDisk
	files   []string
	frames  []specimenFrame
	unacked []string
	slots   map[string]int // by file, where the first is that is written
}

type specimenFrame struct {
	file     string
	from, to int
	text     string
	acked    bool
}

// newSpecimen leaves a journal behind, after Close or a crash.
func newSpecimen(t *testing.T, clean bool) *specimen {
	t.Helper()
	s := &specimen{disk: newMemDisk(), slots: map[string]int{}}
	j := openOnDisk(t, s.disk, small(SyncProcess))
	for i := 0; len(j.now()) < 2 || j.activeNow().count < 6; i++ {
		span := appendText(t, j, i)
		if i%3 == 0 {
			ack(t, j, span)
		}
		a := j.activeNow()
		size := entrySize(&journal.Entry{Payload: []byte(text(i))})
		s.frames = append(s.frames, specimenFrame{
			file: a.path, from: int(a.tail) - size, to: int(a.tail), text: text(i), acked: i%3 == 0,
		})
	}
	for _, g := range j.now() {
		s.files = append(s.files, g.path)
		s.slots[g.path] = int(slotAt(g.size, g.slots-1))
	}
	s.unacked = texts(t, j)
	if clean {
		require.NoError(t, j.Close())
	} else {
		j.crash()
	}
	return s
}

// check opens a disk that was tampered with and holds what comes back to what
// must: intact says whether the frame was not touched.
func (s *specimen) check(t *testing.T, d *memDisk, what string, intact func(specimenFrame) bool) {
	j := openOnDisk(t, d, small(SyncProcess))
	defer j.crash()
	got := texts(t, j)
	position := 0
	for _, f := range s.frames {
		back := position < len(got) && got[position] == f.text
		if back {
			position++
		}
		if f.acked || back {
			continue
		}
		require.False(t, intact(f), "%s: %.10q is intact and did not come back; it yielded %.10q, health %v", what, f.text, got, j.Health())
		require.NotEmpty(t, j.Health().Damage, "%s: %.10q is gone in silence", what, f.text)
	}
	require.Len(t, got, position, "%s: it yielded what was never appended: %q", what, got)
}

// places are the bytes of a file that are worth a try of their own: those that
// a reader looks at one by one.
func (s *specimen) places(file string) iter.Seq[int] {
	var edges []int
	for _, f := range s.frames {
		if f.file == file {
			edges = append(edges, f.from, f.to)
		}
	}
	return places(len(s.disk.content(file)), edges, s.slots[file])
}

// places are the bytes of a segment of this size: in a long run all, else
//   - both headers,
//   - around the edges of the frames the last 8 before, where the zeros are that
//     fill it up, and the 16 of the head behind,
//   - the slots that are written,
//   - of the rest every 13th: the middle of bodies, of which a reader knows no
//     more than their checksum, and bytes that were never written.
func places(size int, edges []int, slots int) iter.Seq[int] {
	near := func(at int) bool {
		if at < headerMore || at >= headerCopy && at < headerCopy+headerMore || at >= slots {
			return true
		}
		return slices.ContainsFunc(edges, func(edge int) bool { return at >= edge-8 && at < edge+frameHead })
	}
	return func(yield func(int) bool) {
		every := stride(13)
		for at := range size {
			if (at%every == 0 || near(at)) && !yield(at) {
				return
			}
		}
	}
}

func (s *specimen) textsOf(file string) (all []string) {
	for _, f := range s.frames {
		if f.file == file {
			all = append(all, f.text)
		}
	}
	return all
}

func TestEveryByteFlipped(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		for i, which := range []string{"Earlier", "Last"} {
			t.Run(fmt.Sprintf("%sSegmentAfterClose=%t", which, clean), func(t *testing.T) {
				t.Parallel()
				s := newSpecimen(t, clean)
				name := s.files[i]
				for at := range s.places(name) {
					d := s.disk.copy()
					d.flip(name, at, 1<<(at%8))
					s.check(t, d, fmt.Sprintf("byte %d", at), func(f specimenFrame) bool {
						return f.file != name || at < f.from || at >= f.to
					})
				}
			})
		}
	}
}

func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{true, false} {
		for i, which := range []string{"Earlier", "Last"} {
			t.Run(fmt.Sprintf("%sSegmentAfterClose=%t", which, clean), func(t *testing.T) {
				t.Parallel()
				s := newSpecimen(t, clean)
				name := s.files[i]
				whole := s.disk.content(name)
				for size := range s.places(name) {
					d := s.disk.copy()
					d.put(name, whole[:size:size])
					s.check(t, d, fmt.Sprintf("cut at %d", size), func(f specimenFrame) bool {
						return f.file != name || size >= f.to
					})
				}
			})
		}
	}
}

// TestDamage looks at what is said of it, once.
func TestDamage(t *testing.T) {
	t.Parallel()

	t.Run("IsQuarantinedWithPositionAndReason", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		bad := s.frames[4]
		s.disk.flip(bad.file, bad.from+20, 0xff)
		broken := s.disk.content(bad.file)[bad.from:bad.to]

		for life := range 3 { // no crash loop, and no more files
			j := openOnDisk(t, s.disk, small(SyncProcess))
			want := slices.DeleteFunc(slices.Clone(s.unacked), func(text string) bool { return text == bad.text })
			require.Equal(t, want, texts(t, j))

			health := j.Health()
			require.Len(t, health.Damage, 1)
			d := health.Damage[0]
			require.Equal(t, "test", d.Journal)
			require.EqualValues(t, bad.from, d.Offset)
			require.EqualValues(t, bad.to-bad.from, d.Bytes)
			require.EqualValues(t, 5, d.First)
			require.EqualValues(t, 5, d.Last)
			require.Equal(t, 1, d.Lost)
			require.ErrorIs(t, health.Err(), journal.ErrCorrupt)
			require.ErrorContains(t, health.Err(), fmt.Sprintf("at %d: %d bytes", bad.from, bad.to-bad.from))
			require.Equal(t, broken, s.disk.content(d.Quarantine))
			note := string(s.disk.content(strings.TrimSuffix(d.Quarantine, ".bytes") + ".txt"))
			require.Contains(t, note, fmt.Sprintf("offset: %d\n", bad.from))
			require.Contains(t, note, "missing entries: 5 to 5\nnot acknowledged: 1\nreason: ")
			quarantined := slices.DeleteFunc(s.disk.files(), func(name string) bool { return !strings.Contains(name, quarantineDir) })
			require.Len(t, quarantined, 2, "life %d", life)
			require.NoError(t, j.Close())
		}
	})

	t.Run("IsForgottenWithItsSegment", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		s.disk.flip(s.files[0], s.frames[4].from+20, 0xff)
		j := openOnDisk(t, s.disk, small(SyncProcess))
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			ack(t, j, e.Span())
		}
		require.NoError(t, j.Close())
		require.Empty(t, s.disk.segmentNames())
		j = openOnDisk(t, s.disk, small(SyncProcess))
		require.NoError(t, j.Health().Err())
		require.NoError(t, j.Close())
	})

	t.Run("TornEndIsNotCalledDamage", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, false)
		last := s.frames[len(s.frames)-1]
		s.disk.flip(last.file, last.to-9, 0xff)
		j := openOnDisk(t, s.disk, small(SyncProcess))
		require.NoError(t, j.Health().Err())
		require.Len(t, j.Health().Damage, 1)
		require.True(t, j.Health().Damage[0].Torn)
		require.NotEmpty(t, j.Health().Damage[0].Quarantine, "its bytes are kept all the same")
		require.NoError(t, j.Close())
	})

	t.Run("ThatComesWhileOpenIsFoundByReplay", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		j := openOnDisk(t, s.disk, small(SyncProcess))
		s.disk.flip(j.now()[0].path, headerSize+40, 0xff)
		require.Len(t, texts(t, j), len(s.unacked)-1)
		require.Len(t, texts(t, j), len(s.unacked)-1)
		require.Len(t, j.Health().Damage, 1)
		require.Equal(t, 1, j.Health().Damage[0].Lost)
		require.NoError(t, j.Close())
	})

	t.Run("ThatCannotBeCopiedKeepsItsSegment", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		s.disk.flip(s.files[0], s.frames[4].from+20, 0xff)
		s.disk.failing(func(op, name string) error {
			if op == "create" && strings.Contains(name, quarantineDir) {
				return diskErrors[1]
			}
			return nil
		})
		j := openOnDisk(t, s.disk, small(SyncProcess))
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			ack(t, j, e.Span())
		}
		require.ErrorContains(t, j.Health().Err(), "could not be copied")
		require.NoError(t, j.Close())
		require.Equal(t, s.files[:1], s.disk.segmentNames())
	})
}

// TestStaleFrames: what an earlier user of a file has left is never taken for
// a frame, even where all but the name of the file is as it was.
func TestStaleFrames(t *testing.T) {
	t.Parallel()

	t.Run("AFileUnderAnotherNameIsEmpty", func(t *testing.T) {
		t.Parallel()
		s := newSpecimen(t, true)
		for i, change := range []key{{1, 0}, {0, 1}} {
			d := s.disk.copy()
			name := s.files[1]
			k, _ := parseName(name[strings.LastIndex(name, "/")+1:])
			k.number += change.number * 10
			k.epoch ^= change.epoch
			renamed := strings.ReplaceAll(name, name[strings.LastIndex(name, "/")+1:], k.name())
			require.NoError(t, d.Rename(name, renamed))
			j := openOnDisk(t, d, small(SyncProcess))
			for _, got := range texts(t, j) {
				require.Contains(t, s.textsOf(s.files[0]), got, "change %d", i)
			}
			j.crash()
		}
	})

	t.Run("AndNoneOfTheNewAreMissedAfterAPowerLoss", func(t *testing.T) {
		t.Parallel()
		random := rand.New(rand.NewPCG(1, 1))
		d := newMemDisk()
		j := openOnDisk(t, d, small(SyncAlways))
		for i := range 250 {
			span := appendText(t, j, i)
			for range 4 {
				again := openOnDisk(t, d.powerLoss(random), small(SyncAlways))
				require.Contains(t, texts(t, again), text(i))
				again.crash()
			}
			ack(t, j, span)
		}
		require.NoError(t, j.Close())
	})

	t.Run("OfAnEarlierTurnAreNotSeenAtAnyEnd", func(t *testing.T) {
		t.Parallel()
		d := newMemDisk()
		j := openOnDisk(t, d, small(SyncProcess))
		turns, files := 0, map[*memFile]bool{}
		for i := 0; turns < 6; i++ {
			before := j.activeNow().number
			span := appendText(t, j, i)
			active := j.activeNow()
			if active.number != before {
				turns++
			}
			c := d.copy()
			again := openOnDisk(t, c, small(SyncProcess))
			require.Equal(t, []string{text(i)}, texts(t, again), "at entry %d, turn %d", i, turns)
			require.Empty(t, again.Health().Damage)
			again.crash()
			ack(t, j, span)
			files[active.f.(*memHandle).memFile] = true
		}
		require.Less(t, len(files), turns, "files were used again")
		require.NoError(t, j.Close())
	})
}
