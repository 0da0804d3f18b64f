package protocodec_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/journal/protocodec"
)

func TestMessageComesBack(t *testing.T) {
	t.Parallel()
	codec := protocodec.Of[*durationpb.Duration]()
	m := journaltest.NewMemory(0)
	k, err := journal.NewKeeper("lane:naps", m, codec, nil)
	require.NoError(t, err)
	require.NoError(t, k.Open(t.Context()))
	require.NoError(t, k.Keep(t.Context(), []journal.Item[*durationpb.Duration]{
		{Value: durationpb.New(time.Hour)}, {Value: durationpb.New(0)},
	}))
	var naps []time.Duration
	for it, err := range k.Replay(t.Context()) {
		require.NoError(t, err)
		naps = append(naps, it.Value.AsDuration())
	}
	assert.Equal(t, []time.Duration{time.Hour, 0}, naps)

	_, err = codec.Decode([]byte{0xff}, 0)
	require.Error(t, err)
}
