package filejournal_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
)

func TestConfig(t *testing.T) {
	t.Parallel()

	t.Run("ZeroIsUsable", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, filejournal.Config{}.Validate())
	})

	t.Run("EveryWrongFieldIsReportedTogether", func(t *testing.T) {
		t.Parallel()
		err := filejournal.Config{Sync: -2, SegmentBytes: 1, MaxBytes: 5, WhenFull: "wait"}.Validate()
		for _, want := range []string{"sync: ", "segment_bytes: is ", "max_bytes: is 5", `when_full: is "wait"; give "reject" or "block"`} {
			require.ErrorContains(t, err, want)
		}
		_, err = filejournal.Open(filejournal.Config{MaxBytes: 5, Dir: t.TempDir()})
		require.ErrorContains(t, err, "filejournal: max_bytes: is 5")
	})

	t.Run("SmallJournalsHaveSmallSegments", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, filejournal.Config{MaxBytes: 128 << 10}.Validate())
		require.ErrorContains(t, filejournal.Config{MaxBytes: 127 << 10}.Validate(), "less than two segments")
	})

	t.Run("SegmentsAreLargerWhereToBeginOneTakesASync", func(t *testing.T) {
		t.Parallel()
		require.EqualValues(t, 2<<20, filejournal.Config{}.WithDefaults().SegmentBytes)
		for _, sync := range []filejournal.Sync{filejournal.SyncAlways, filejournal.SyncEvery(time.Second)} {
			require.EqualValues(t, 8<<20, filejournal.Config{Sync: sync}.WithDefaults().SegmentBytes)
		}
	})

	t.Run("SyncIsReadFromText", func(t *testing.T) {
		t.Parallel()
		for _, tt := range []struct {
			give      string
			want      filejournal.Sync
			guarantee string
		}{
			{"process", filejournal.SyncProcess, "kill -9 loses nothing; a power loss, what the kernel has not written back yet (some 30s)"},
			{"50ms", filejournal.SyncEvery(50 * time.Millisecond), "kill -9 loses nothing; power loss up to 50ms"},
			{"always", filejournal.SyncAlways, "neither kill -9 nor a power loss loses anything"},
		} {
			var cfg struct {
				Sync filejournal.Sync `yaml:"sync"`
			}
			require.NoError(t, yaml.Unmarshal([]byte("sync: "+tt.give), &cfg))
			require.Equal(t, tt.want, cfg.Sync)
			require.Equal(t, tt.guarantee, cfg.Sync.Guarantee())
			text, err := cfg.Sync.MarshalText()
			require.NoError(t, err)
			require.Equal(t, tt.give, string(text))
		}
		for _, wrong := range []string{"", "never", "50", "0s", "-1s"} {
			var sync filejournal.Sync
			require.ErrorContains(t, sync.UnmarshalText([]byte(wrong)), "write process, always, or a duration")
		}
	})
}

func TestDirectory(t *testing.T) {
	t.Parallel()

	t.Run("ListsItsJournals", func(t *testing.T) {
		t.Parallel()
		d := open(t, filejournal.Config{Dir: t.TempDir()})
		for _, name := range []string{"pool:sms", "batch:orders", "../x"} {
			_, err := d.Open(t.Context(), name)
			require.NoError(t, err)
		}
		names, err := d.Names()
		require.NoError(t, err)
		require.Equal(t, []string{"../x", "batch:orders", "pool:sms"}, names)
		require.Equal(t, filejournal.SyncProcess.Guarantee(), d.Guarantee())
		health := d.Health()
		require.Len(t, health, 3)
		require.NoError(t, health["pool:sms"].Err())
	})

	t.Run("CloseClosesItsJournals", func(t *testing.T) {
		t.Parallel()
		d := open(t, filejournal.Config{Dir: t.TempDir()})
		j, err := d.Open(t.Context(), "x")
		require.NoError(t, err)
		require.NoError(t, d.Close())
		require.NoError(t, d.Close())
		_, err = j.Append(t.Context(), journal.Entry{})
		require.ErrorIs(t, err, journal.ErrClosed)
		_, err = d.Open(t.Context(), "y")
		require.ErrorIs(t, err, journal.ErrClosed)
	})

	t.Run("AJournalThatHoldsNothingTakesNoRoom", func(t *testing.T) {
		t.Parallel()
		cfg := filejournal.Config{Dir: t.TempDir(), SegmentBytes: 64 << 10}
		d := open(t, cfg)
		j, err := d.Open(t.Context(), "x")
		require.NoError(t, err)
		for range 3000 {
			span, err := j.Append(t.Context(), journal.Entry{Payload: make([]byte, 100)})
			require.NoError(t, err)
			require.NoError(t, j.Ack(t.Context(), span))
		}
		require.LessOrEqual(t, j.(*filejournal.Journal).Health().Bytes, int64(5*64<<10), "segments are used again")
		require.NoError(t, j.Close())
		j, err = d.Open(t.Context(), "x")
		require.NoError(t, err)
		require.EqualValues(t, 64<<10, j.(*filejournal.Journal).Health().Bytes, "the segment made ahead, and no other")
	})
}

func TestHealthInJSONSaysItsFault(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(filejournal.Health{Entries: 1, Fault: errors.New("no space left on device")})
	require.NoError(t, err)
	require.JSONEq(t, `{"recovered": 0, "entries": 1, "bytes": 0, "max_bytes": 0, "fault": "no space left on device"}`, string(text))
}
