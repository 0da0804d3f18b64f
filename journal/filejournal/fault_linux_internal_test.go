package filejournal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/journal"
)

// TestFaultOfMappedMemory takes the file away under the memory that is mapped
// over it, as a disk that fails does.
func TestFaultOfMappedMemory(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) *Journal {
		cfg := small(SyncProcess)
		cfg.Dir = t.TempDir()
		j, err := openJournal(t.Context(), disk{}, cfg, "test", func() {})
		require.NoError(t, err)
		t.Cleanup(j.crash)
		appendText(t, j, 1)
		j.background.Wait() // a spare has been made, which says that the disk is well
		require.NotNil(t, j.activeNow().mem, "it is mapped")
		return j
	}

	t.Run("AppendGoesOnInAnotherSegment", func(t *testing.T) {
		t.Parallel()
		j := open(t)
		first := j.activeNow()
		require.NoError(t, os.Truncate(first.path, 0))
		for i := range 3 {
			appendText(t, j, i)
		}
		require.True(t, j.now()[0].failed)
		require.NotEqual(t, first.number, j.activeNow().number)
		require.Equal(t, 3, j.activeNow().count)
	})

	t.Run("AckSaysSo", func(t *testing.T) {
		t.Parallel()
		j := open(t)
		require.NoError(t, os.Truncate(j.activeNow().path, 0))
		err := j.Ack(t.Context(), journal.Span{First: 1, Last: 1})
		var fault *faultError
		require.ErrorAs(t, err, &fault)
		require.ErrorAs(t, j.Health().Err(), &fault)
		require.Zero(t, j.Len())
	})

	t.Run("ASealThatIsCutIsNone", func(t *testing.T) {
		t.Parallel()
		const page = headerSize
		path := filepath.Join(t.TempDir(), "segment")
		f, err := disk{}.Create(path)
		require.NoError(t, err)
		require.NoError(t, f.Allocate(3*page))
		mem, err := f.Map(3 * page)
		require.NoError(t, err)
		s := &segment{f: f, mem: mem, path: path, size: 3 * page, base: 1, tail: 2*page - frameHead/2}
		require.NoError(t, os.Truncate(path, 2*page)) // the second half of the seal is refused
		var fault *faultError
		require.ErrorAs(t, s.seal(), &fault)
		require.Zero(t, le.Uint64(mem[s.tail:]), "a reader stops here, and finds no damage")
		require.NoError(t, s.close())
	})

	t.Run("APanicThatIsNoFaultGoesOn", func(t *testing.T) {
		t.Parallel()
		require.PanicsWithValue(t, "ours", func() { _ = asFault("ours") })
	})
}
