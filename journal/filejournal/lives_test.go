package filejournal_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

// TestOneLetterPerLife: a box that gets a letter in each life of the program,
// and keeps it, does not become full of files. There are more lives than
// segments in max_bytes. Files of the default sizes hold nearly nothing but
// zeros, which each life reads: they are for LONG_TESTS.
func TestOneLetterPerLife(t *testing.T) {
	t.Parallel()
	cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 256 << 10, MaxBytes: 16 << 20}
	if os.Getenv("LONG_TESTS") != "" {
		cfg.SegmentBytes, cfg.MaxBytes = 0, 0
	}
	limit := cfg.WithDefaults()
	for life := range limit.MaxBytes/limit.SegmentBytes + 2 {
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		j, err := d.Open(t.Context(), "deadletters")
		require.NoError(t, err)
		require.EqualValues(t, life, j.Len())
		_, err = j.Append(t.Context(), journal.Entry{Payload: make([]byte, 200)})
		require.NoError(t, err, "life %d", life)
		require.LessOrEqual(t, d.Health()["deadletters"].Bytes, 3*limit.SegmentBytes)
		if life%2 == 0 {
			require.NoError(t, d.Close())
		} else {
			d.Crash()
		}
	}
}

// TestFilesFromBeforeCompaction opens what the version before has left: four
// lives of 150 entries, two of them killed. Every fifth entry is alive; those
// of odd numbers have an id that was made.
func TestFilesFromBeforeCompaction(t *testing.T) {
	t.Parallel()
	cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
	unpack(t, "testdata/before-compaction.tar.gz", cfg.Dir)
	var want []string
	epochs := map[int]string{} // by life, which had a segment each
	files, err := filepath.Glob(filepath.Join(cfg.Dir, "j-*", "*.segment"))
	require.NoError(t, err)
	require.Len(t, files, 4)
	for life, file := range files {
		_, epoch, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".segment"), "-")
		epochs[life] = epoch
	}
	for n := range 600 {
		if n%10 != 3 && n%10 != 8 {
			continue
		}
		id := fmt.Sprintf("id-%d", n)
		if n%2 == 1 {
			id = fmt.Sprintf("%s-%d", epochs[n/150], n+1)
		}
		want = append(want, fmt.Sprintf("%d %s entry %d %s", n+1, id, n, strings.Repeat("x", n*37%300)))
	}
	read := func(o journal.Opener) (got []string) {
		j, err := o.Open(t.Context(), "lane:sms")
		require.NoError(t, err)
		for e, err := range j.Replay(t.Context()) {
			require.NoError(t, err)
			got = append(got, fmt.Sprintf("%d %s %s", e.Seq, e.ID, e.Payload))
		}
		return got
	}
	v, err := filejournal.Look(cfg.Dir)
	require.NoError(t, err)
	require.Equal(t, want, read(v))
	require.NoError(t, v.Close())
	for range 2 {
		d, err := filejournal.Open(cfg)
		require.NoError(t, err)
		require.Equal(t, want, read(d))
		require.NoError(t, d.Health()["lane:sms"].Err())
		require.NoError(t, d.Close())
	}
	v, err = filejournal.Look(cfg.Dir)
	require.NoError(t, err)
	require.Equal(t, want, read(v))
	in, err := v.Inspect(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, in[0].Segments, 1, "they are in one now: %+v", in[0].Segments)
	require.Equal(t, in[0].Live, in[0].Segments[0].Live)
	require.EqualValues(t, 4, in[0].Segments[0].First)
	require.EqualValues(t, 599, in[0].Segments[0].Last)
	require.NoError(t, v.Close())
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	files := tar.NewReader(z)
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		data, err := io.ReadAll(files)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
}
