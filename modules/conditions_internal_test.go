package modules

import (
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/actuator/management"
)

// TestTakenAddressIsNoted: one that was not asked for is done without.
func TestTakenAddressIsNoted(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	in := conditionsIn{Note: newManagementNote()}
	assert.Empty(t, in.idle(Management, nil), "there is a server")
	srv, err := management.New(
		management.Config{Address: taken.Addr().String(), Socket: filepath.Join(t.TempDir(), "m")}, http.NotFoundHandler(),
		managementOptions(managementIn{Note: in.Note}, nil, zap.NewNop(), false)...)
	require.NoError(t, err)
	require.NoError(t, srv.Start(t.Context()))
	assert.Contains(t, in.idle(Management, nil), "no server: the address is taken")
	require.NoError(t, srv.Stop(t.Context()))
}

func TestEveryPartHasItsName(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for p := Config; p <= Alarms; p++ {
		assert.NotEmpty(t, p.String())
		assert.False(t, seen[p.String()], "%s is there twice", p)
		seen[p.String()] = true
	}
	assert.Len(t, parts, len(seen))
	assert.Equal(t, "Part(99)", Part(99).String())
}
