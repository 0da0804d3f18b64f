package program_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/internal/program"
)

// told is a test that notes how it ended.
type told struct {
	testing.TB
	failed, skipped string
}

func (t *told) Helper()                        {}
func (t *told) Fatalf(format string, _ ...any) { t.failed = format }
func (t *told) Skipf(format string, _ ...any)  { t.skipped = format }

func TestFind(t *testing.T) {
	self, err := os.Executable()
	assert.NoError(t, err)

	t.Run("ProgramThatIsThere", func(t *testing.T) {
		var tb told
		assert.Equal(t, self, program.Find(&tb, self, "none"))
		assert.Equal(t, told{}, tb)
	})
	t.Run("MissingProgramSkips", func(t *testing.T) {
		t.Setenv(program.Required, "")
		var tb told
		program.Find(&tb, self+".missing", "none")
		assert.NotEmpty(t, tb.skipped)
		assert.Empty(t, tb.failed)
	})
	t.Run("MissingProgramFailsWhereItIsRequired", func(t *testing.T) {
		t.Setenv(program.Required, "1")
		var tb told
		program.Find(&tb, self+".missing", "none")
		assert.NotEmpty(t, tb.failed)
		assert.Empty(t, tb.skipped)
	})
}
