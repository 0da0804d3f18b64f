package filejournal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

var syncs = []filejournal.Sync{filejournal.SyncProcess, filejournal.SyncEvery(5 * time.Millisecond), filejournal.SyncAlways}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, sync := range syncs {
		t.Run(sync.String(), func(t *testing.T) {
			t.Parallel()
			journaltest.Run(t, journaltest.Store{
				Open: func(t *testing.T, place string) (journal.Opener, func()) {
					d := open(t, filejournal.Config{Dir: place, Sync: sync, SegmentBytes: 64 << 10, MaxBytes: 64 << 20})
					return d, d.Crash
				},
				OpenSmall: func(t *testing.T, place string) journal.Opener {
					return open(t, filejournal.Config{Dir: place, Sync: sync, SegmentBytes: 128 << 10, MaxBytes: 1 << 20})
				},
			})
		})
	}
}

// open opens a directory that is closed when the test ends.
func open(tb testing.TB, cfg filejournal.Config) *filejournal.Directory {
	tb.Helper()
	d, err := filejournal.Open(cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	return d
}
