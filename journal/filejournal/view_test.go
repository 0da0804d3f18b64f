package filejournal_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// populate appends n entries of a minute each and acknowledges every third.
// What it returns is left.
func populate(t *testing.T, d *filejournal.Directory, name string, n int) (left []string) {
	t.Helper()
	j, err := d.Open(t.Context(), name)
	require.NoError(t, err)
	for i := range n {
		id := fmt.Sprintf("%s/%d", name, i)
		span, err := j.Append(t.Context(), journal.Entry{
			ID: id, At: time.Unix(0, 0).Add(time.Duration(i) * time.Minute), Payload: make([]byte, 500),
		})
		require.NoError(t, err)
		if i%3 == 0 {
			require.NoError(t, j.Ack(t.Context(), span))
			continue
		}
		left = append(left, id)
	}
	return left
}

func ids(t *testing.T, o journal.Opener, name string) (got []string) {
	t.Helper()
	j, err := o.Open(t.Context(), name)
	require.NoError(t, err)
	for e, err := range j.Replay(t.Context()) {
		require.NoError(t, err)
		got = append(got, e.ID)
	}
	require.Len(t, got, j.Len())
	return got
}

// fingerprint changes with every name, byte, mode and time of what is below
// dir.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, path, info.Mode(), info.ModTime().UnixNano(), info.Size())
		if info.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		_, _ = sum.Write(data)
		return err
	}))
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// spoil flips a byte of the first segment of a journal, in the entry number n
// of those that populate makes.
func spoil(t *testing.T, dir, journalDir string, n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, journalDir, "*.segment"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	data[4096+n*550+100] ^= 1
	require.NoError(t, os.WriteFile(files[0], data, 0o600))
}

func TestView(t *testing.T) {
	t.Parallel()
	cfg := func(t *testing.T) filejournal.Config {
		return filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
	}

	for _, clean := range []bool{true, false} {
		for _, damaged := range []bool{true, false} {
			t.Run(fmt.Sprintf("YieldsWhatTheNextLifeWillAndChangesNothing/Closed=%t/Damaged=%t", clean, damaged), func(t *testing.T) {
				t.Parallel()
				cfg := cfg(t)
				d, err := filejournal.Open(cfg)
				require.NoError(t, err)
				left := populate(t, d, "lane:sms", 400)
				populate(t, d, "lane:done", 1) // and it is acknowledged: the next life removes its file
				if clean {
					require.NoError(t, d.Close())
				} else {
					d.Crash()
				}
				if damaged {
					spoil(t, cfg.Dir, "j-lane%3Asms", 7)
				}
				half := filepath.Join(cfg.Dir, "j-lane%3Asms", "000000000099-0000000000000001.segment.new")
				require.NoError(t, os.WriteFile(half, nil, 0o600)) // the next life removes that, too
				before := fingerprint(t, cfg.Dir)

				v, err := filejournal.Look(cfg.Dir)
				require.NoError(t, err)
				seen := ids(t, v, "lane:sms")
				require.Empty(t, ids(t, v, "lane:done"))
				names, err := v.Names()
				require.NoError(t, err)
				require.Equal(t, []string{"lane:done", "lane:sms"}, names)
				require.NoError(t, v.Close())
				inspected, err := filejournal.Inspect(t.Context(), cfg.Dir, nil)
				require.NoError(t, err)
				require.Equal(t, before, fingerprint(t, cfg.Dir))

				if !damaged {
					require.Equal(t, left, seen)
				}
				require.Equal(t, ids(t, open(t, cfg), "lane:sms"), seen)
				in := inspected[1]
				require.Equal(t, "lane:sms", in.Journal)
				require.Len(t, seen, in.Live)
				require.Equal(t, in.Entries, in.Live+in.Acknowledged+in.Lost())
				require.Equal(t, damaged, errors.Is(in.Err(), journal.ErrCorrupt), "%v", in.Damage)
				require.Empty(t, in.Quarantine)
				for _, d := range in.Damage {
					require.NotContains(t, d.Reason, "could not be copied", "nobody has tried to")
				}
			})
		}
	}

	t.Run("IsRefusedWhileAProcessHoldsTheDirectory", func(t *testing.T) {
		t.Parallel()
		cfg := cfg(t)
		d := open(t, cfg)
		_, err := filejournal.Look(cfg.Dir)
		var held *filejournal.HeldError
		require.ErrorAs(t, err, &held)
		require.ErrorIs(t, err, journal.ErrLocked)
		require.Equal(t, os.Getpid(), held.Holder.PID)
		require.NotEmpty(t, held.Holder.Program)
		require.NoError(t, d.Close())
		v, err := filejournal.Look(cfg.Dir)
		require.NoError(t, err)
		require.NoError(t, v.Close())
	})

	t.Run("KeepsNoServiceFromStartingAndSaysThatOneCame", func(t *testing.T) {
		t.Parallel()
		cfg := cfg(t)
		v, err := filejournal.Look(cfg.Dir)
		require.NoError(t, err)
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		require.NoError(t, d.Close())
		require.ErrorIs(t, v.Close(), journal.ErrLocked, "it has gone again, and may have changed anything")
	})

	t.Run("ItsJournalsAreReadOnly", func(t *testing.T) {
		t.Parallel()
		v, err := filejournal.Look(t.TempDir())
		require.NoError(t, err)
		j, err := v.Open(t.Context(), "nothing is there")
		require.NoError(t, err)
		require.Zero(t, j.Len())
		_, err = j.Append(t.Context(), journal.Entry{})
		require.ErrorIs(t, err, filejournal.ErrReadOnly)
		require.ErrorIs(t, j.Ack(t.Context(), journal.Span{First: 1, Last: 1}), filejournal.ErrReadOnly)
		require.NoError(t, v.Close())
	})

	t.Run("NeedsADirectory", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		_, err := filejournal.Look(filepath.Join(dir, "missing"))
		require.ErrorIs(t, err, os.ErrNotExist)
		file := filepath.Join(dir, "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err = filejournal.Look(file)
		require.ErrorContains(t, err, "it is no directory")
	})
}

// TestHeldByDisturbsNobody: a service starts while others ask who holds its
// directory.
func TestHeldByDisturbsNobody(t *testing.T) {
	t.Parallel()
	cfg := filejournal.Config{Dir: t.TempDir()}
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			if err := filejournal.HeldBy(cfg.Dir); err != nil && !errors.Is(err, journal.ErrLocked) {
				t.Error(err)
			}
		}
	})
	for range 200 {
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		require.ErrorIs(t, filejournal.HeldBy(cfg.Dir), journal.ErrLocked)
		require.NoError(t, d.Close())
	}
	stop()
	asking.Wait()
}

// TestALookThatIsJustTakenIsWaitedFor: a service that starts while somebody
// asks, and so has the lock for an instant, is not refused.
func TestALookThatIsJustTakenIsWaitedFor(t *testing.T) {
	t.Parallel()
	cfg := filejournal.Config{Dir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		release, err := filejournal.HoldShared(cfg.Dir)
		require.NoError(t, err)
		go func() {
			time.Sleep(7 * time.Millisecond)
			release()
		}()
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		require.NoError(t, d.Close())

		keep, err := filejournal.HoldShared(cfg.Dir)
		require.NoError(t, err)
		defer keep()
		_, err = filejournal.Open(cfg)
		require.ErrorIs(t, err, journal.ErrLocked, "but not for ever")
	})
}

func TestInspect(t *testing.T) {
	t.Parallel()

	t.Run("TheOldestIsNotTheFirst", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir()}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		j, err := d.Open(t.Context(), "x")
		require.NoError(t, err)
		for _, second := range []int64{50, 20, 90, 60} {
			_, err := j.Append(t.Context(), journal.Entry{At: time.Unix(second, 0)}, journal.Entry{})
			require.NoError(t, err)
		}
		require.NoError(t, d.Close())
		in, err := filejournal.Inspect(t.Context(), cfg.Dir, nil)
		require.NoError(t, err)
		require.Equal(t, []int64{20, 90}, []int64{in[0].Oldest.Unix(), in[0].Newest.Unix()})
	})

	t.Run("CountsWhatIsThere", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		left := populate(t, d, "lane:sms", 300)
		populate(t, d, "batch:orders", 1) // and it is acknowledged
		require.NoError(t, d.Close())

		var last, whole int64
		in, err := filejournal.Inspect(t.Context(), cfg.Dir, func(done, total int64) {
			require.Greater(t, done, last)
			last, whole = done, total
		})
		require.NoError(t, err)
		require.Equal(t, whole, last)
		require.Len(t, in, 2)
		require.Equal(t, filejournal.Inspection{Journal: "batch:orders", Segments: []filejournal.Segment{}}, in[0])
		sms := in[1]
		require.Len(t, left, sms.Live)
		require.Equal(t, 300, sms.Entries)
		require.Equal(t, 100, sms.Acknowledged)
		require.Equal(t, time.Unix(60, 0).UTC(), sms.Oldest)
		require.Equal(t, time.Unix(299*60, 0).UTC(), sms.Newest)
		require.Equal(t, whole, sms.Bytes)
		entries := 0
		for _, s := range sms.Segments {
			require.Equal(t, filejournal.Sealed, s.State)
			require.Equal(t, s.Entries, int(s.Last-s.First+1))
			entries += s.Entries
		}
		require.Equal(t, 300, entries)
	})

	t.Run("TellsSegmentsApart", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		populate(t, d, "x", 80)
		populate(t, d, "y", 0) // a segment is made ahead, and never begun
		d.Crash()
		alien := filepath.Join(cfg.Dir, "j-x", "000000000000-0000000000000001.segment")
		require.NoError(t, os.WriteFile(alien, []byte(strings.Repeat("alien ", 1000)), 0o600))

		in, err := filejournal.Inspect(t.Context(), cfg.Dir, nil)
		require.NoError(t, err)
		require.Equal(t, filejournal.Unknown, in[0].Segments[0].State)
		require.Equal(t, filejournal.Unsealed, in[0].Segments[1].State)
		require.Equal(t, filejournal.Empty, in[1].Segments[0].State)
		require.ErrorContains(t, in[0].Err(), "neither a header nor a frame is found")
	})

	t.Run("ListsTheQuarantine", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		populate(t, d, "x", 50)
		require.NoError(t, d.Close())
		spoil(t, cfg.Dir, "j-x", 7)
		d, err = filejournal.Open(cfg)
		require.NoError(t, err)
		_ = ids(t, d, "x")
		require.NoError(t, d.Close())

		in, err := filejournal.Inspect(t.Context(), cfg.Dir, nil)
		require.NoError(t, err)
		require.Len(t, in[0].Damage, 1)
		require.Equal(t, 1, in[0].Lost())
		require.Equal(t, []string{in[0].Damage[0].Quarantine}, in[0].Quarantine)
		require.FileExists(t, in[0].Quarantine[0])
	})

	t.Run("ANameThatIsNotThereIsAnError", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir()}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		populate(t, d, "lane:sms", 2)
		require.NoError(t, d.Close())
		v, err := filejournal.Look(cfg.Dir)
		require.NoError(t, err)
		_, err = v.Inspect(t.Context(), nil, "lane:smss")
		require.ErrorContains(t, err, `no journal "lane:smss" in`)
		require.ErrorContains(t, err, "there are: lane:sms")
		in, err := v.Inspect(t.Context(), nil, "lane:sms")
		require.NoError(t, err)
		require.Len(t, in, 1)
		require.NoError(t, v.Close())
	})

	t.Run("StopsWithItsContext", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir()}
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		populate(t, d, "x", 2)
		require.NoError(t, d.Close())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = filejournal.Inspect(ctx, cfg.Dir, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestInspectAfterKill looks at what a child has left that was killed, and is
// refused while it lives.
func TestInspectAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := childCommand(t.Context(), dir, filejournal.SyncProcess)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	buffer := make([]byte, 64<<10)
	for lines := 0; lines < 500; { // it works
		n, err := out.Read(buffer)
		require.NoError(t, err)
		lines += strings.Count(string(buffer[:n]), "\n")
	}
	_, err = filejournal.Inspect(t.Context(), dir, nil)
	var held *filejournal.HeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, cmd.Process.Pid, held.Holder.PID)

	require.NoError(t, cmd.Process.Kill())
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // killed
	before := fingerprint(t, dir)
	in, err := filejournal.Inspect(t.Context(), dir, nil)
	require.NoError(t, err)
	require.NoError(t, in[0].Err())
	require.Positive(t, in[0].Live)
	require.Equal(t, before, fingerprint(t, dir))
	require.Len(t, ids(t, open(t, killed(dir, filejournal.SyncProcess)), "child"), in[0].Live)
}

// TestInspectOfTheHolder: what the process that holds a directory says of it is
// what others will read of it.
func TestInspectOfTheHolder(t *testing.T) {
	t.Parallel()
	for _, sync := range syncs {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			cfg := filejournal.Config{Dir: t.TempDir(), Sync: sync, SegmentBytes: 64 << 10}
			d, err := filejournal.Open(cfg)
			require.NoError(t, err)
			left := populate(t, d, "lane:sms", 300)
			populate(t, d, "empty", 0)
			holder, err := d.Inspect(t.Context())
			require.NoError(t, err)
			entries, err := d.Entries(t.Context(), "lane:sms")
			require.NoError(t, err)
			var got []string
			for e, err := range entries {
				require.NoError(t, err)
				got = append(got, e.ID)
			}
			require.Equal(t, left, got)
			require.NoError(t, d.Close())

			others, err := filejournal.Inspect(t.Context(), cfg.Dir, nil)
			require.NoError(t, err)
			require.Len(t, holder, 2)
			for i := range holder {
				require.Equal(t, others[i].Journal, holder[i].Journal)
				require.Equal(t, others[i].Entries, holder[i].Entries)
				require.Equal(t, others[i].Live, holder[i].Live)
				require.Equal(t, others[i].Oldest, holder[i].Oldest)
				require.Equal(t, others[i].Newest, holder[i].Newest)
			}
			_, err = d.Inspect(t.Context(), "lane:sms")
			require.ErrorIs(t, err, filejournal.ErrNotOpen)
			_, err = d.Entries(t.Context(), "lane:sms")
			require.ErrorIs(t, err, filejournal.ErrNotOpen)
		})
	}

	t.Run("FindsWhatWasDamagedSince", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
		d := open(t, cfg)
		populate(t, d, "x", 50)
		spoil(t, cfg.Dir, "j-x", 7)
		in, err := d.Inspect(t.Context(), "x")
		require.NoError(t, err)
		require.ErrorIs(t, in[0].Err(), journal.ErrCorrupt)
		require.Equal(t, 1, in[0].Lost())
		require.Len(t, in[0].Quarantine, 1)
		require.Equal(t, in[0].Entries, in[0].Live+in[0].Acknowledged+1)
	})
}
