package server

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDismissedConnectionLooksALastTime walks through the race of a drain: the
// drain finds a connection silent, a request arrives, the reader is woken.
func TestDismissedConnectionLooksALastTime(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cs := &conns{wake: make(chan struct{}, 1), all: map[*conn]struct{}{}}
	tracked := listener{Listener: ln, conns: cs}
	defer func() { _ = tracked.Close() }()

	client, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	nc, err := tracked.Accept()
	require.NoError(t, err)
	c := connOf(nc)
	require.Len(t, cs.list(), 1)

	_, err = client.Write([]byte("POST"))
	require.NoError(t, err)
	c.dismiss()
	buf := make([]byte, 8)
	n, err := c.Read(buf)
	require.NoError(t, err, "what has arrived is served")
	assert.Equal(t, "POST", string(buf[:n]))

	c.dismiss()
	_, err = c.Read(buf)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "where nothing is, the reader goes")
	require.NoError(t, c.Close())
	assert.Empty(t, cs.list())
}
