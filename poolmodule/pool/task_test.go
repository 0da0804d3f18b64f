package pool_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

type clock struct{ ticks int }

func (c *clock) tick(context.Context) { c.ticks++ }

// TestTaskName: a task bears the name of what was submitted, whichever way it
// came, and not that of what we put around it.
func TestTaskName(t *testing.T) {
	t.Parallel()
	p, err := pool.New("named", pool.Config{}) // never started: all is handed back
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, p.Submit(ctx, nothing))
	require.NoError(t, p.Submit(ctx, func(context.Context) {}))
	require.NoError(t, p.SubmitKey(ctx, "a", new(clock).tick))
	_, err = pool.Go(ctx, p, func(context.Context) (string, error) { return "", nil })
	require.NoError(t, err)

	tasks, err := p.Stop(ctx)
	require.NoError(t, err)
	var names []string
	for _, task := range tasks {
		names = append(names, task.Name())
		task.Lose()
		assert.Empty(t, task.Name(), "a settled one has none")
	}
	assert.Equal(t, []string{"pool_test.nothing", "pool_test.TestTaskName.func1", "pool_test.(*clock).tick", "pool_test.TestTaskName.func2"}, names)
}
