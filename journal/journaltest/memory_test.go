package journaltest_test

import (
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMemoryConforms holds the model to what is asked of everybody.
func TestMemoryConforms(t *testing.T) {
	t.Parallel()
	var stores sync.Map // by place
	open := func(place string, limit int) *journaltest.Memory {
		m, _ := stores.LoadOrStore(filepath.Clean(place), journaltest.NewMemory(limit))
		return m.(*journaltest.Memory)
	}
	journaltest.Run(t, journaltest.Store{
		Open: func(_ *testing.T, place string) (journal.Opener, func()) {
			m := open(place, 0)
			return m, m.Crash
		},
		OpenSmall: func(_ *testing.T, place string) journal.Opener { return open(place, 1<<20) },
	})
}
