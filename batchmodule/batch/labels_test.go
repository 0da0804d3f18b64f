package batch_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/batchmodule/batch"
)

func TestGoroutinesCarryTheLabelsOfTheStartContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sink := func(context.Context, []int) error { <-release; return nil }
		b, err := batch.New("labelled", sink, batch.Config{MaxItems: 1})
		require.NoError(t, err)
		require.NoError(t, b.Start(pprof.WithLabels(t.Context(), pprof.Labels("lastcall.batch.test", "batcher"))))
		pprof.Do(t.Context(), pprof.Labels("lastcall.batch.test", "producer"), func(ctx context.Context) {
			require.NoError(t, b.Add(ctx, 1))
		})
		synctest.Wait()

		// The flush that waits in the sink, and the keeper.
		var profile bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
		assert.Equal(t, 2, strings.Count(profile.String(), `# labels: {"lastcall.batch.test":"batcher"}`))
		assert.NotContains(t, profile.String(), "producer")

		close(release)
		stopped(t, b)
	})
}
