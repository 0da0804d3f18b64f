package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestMain is also the child of the test that kills one.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// newPool returns a pool that is started now and must be empty and balanced
// when the test ends.
func newPool(t *testing.T, cfg pool.Config, opts ...pool.Option) *pool.Pool {
	t.Helper()
	p, err := pool.New("test", cfg, opts...)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	t.Cleanup(func() {
		tasks, err := p.Stop(context.Background())
		require.NoError(t, err)
		for _, task := range tasks {
			task.Lose()
		}
		ledger := p.Gate().Ledger()
		require.True(t, ledger.Balanced(), "%s", ledger)
		require.Zero(t, ledger.Inside)
	})
	return p
}

// block returns a task that says when it runs and waits to be released.
func block() (task func(context.Context), running <-chan struct{}, release func()) {
	began, end := make(chan struct{}), make(chan struct{})
	return func(context.Context) { close(began); <-end }, began, func() { close(end) }
}

func nothing(context.Context) {}

// ended is the context of a stop whose time is up.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func errorIsAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
