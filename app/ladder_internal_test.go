package app

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestEcho: the same signal within echo of the last that counted is a copy of
// it, whatever is left of the copies before. It hears what the loop would hear:
// signals and a bubble do not go together.
func TestEcho(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &ladder{first: make(chan struct{})}
		for range 3 {
			l.hear(syscall.SIGTERM)
		}
		assert.Equal(t, []os.Signal{syscall.SIGTERM}, l.heard)
		<-l.first

		time.Sleep(echo - time.Millisecond)
		l.hear(syscall.SIGTERM)
		assert.Len(t, l.heard, 1, "it is still a copy")
		time.Sleep(time.Millisecond)
		l.hear(syscall.SIGTERM)
		assert.Len(t, l.heard, 2)
	})

	synctest.Test(t, func(t *testing.T) {
		l := &ladder{first: make(chan struct{})}
		l.hear(os.Interrupt)
		l.hear(syscall.SIGTERM)
		assert.Equal(t, []os.Signal{os.Interrupt, syscall.SIGTERM}, l.heard, "another signal is no copy")
	})
}
