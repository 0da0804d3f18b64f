package pool_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

const labelKey = "lastcall.pool.test"

// labelsIn says which labels the goroutines carry that are in this function
// now, as the goroutine profile shows them.
func labelsIn(t *testing.T, function string) []string {
	t.Helper()
	var profile bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	var found []string
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(block, function) {
			continue
		}
		labels := "none"
		for line := range strings.Lines(block) {
			if l, ok := strings.CutPrefix(line, "# labels: "); ok {
				labels = strings.TrimSpace(l)
			}
		}
		found = append(found, labels)
	}
	return found
}

func labelled(component string) context.Context {
	return pprof.WithLabels(context.Background(), pprof.Labels(labelKey, component))
}

//go:noinline
func waitLabelled(ctx context.Context) { <-ctx.Done() }

//go:noinline
func waitUnlabelled(ctx context.Context) { <-ctx.Done() }

func TestLabels(t *testing.T) {
	t.Parallel()

	// wait submits a task, from a goroutine with labels of its own, to a pool
	// that was started with start, and returns what its worker carries.
	wait := func(t *testing.T, start context.Context, before []func(context.Context), task func(context.Context), name string) (labels []string) {
		synctest.Test(t, func(t *testing.T) {
			p, err := pool.New("mail", pool.Config{Workers: 1, StopBudget: time.Second})
			require.NoError(t, err)
			require.NoError(t, p.Start(start))
			pprof.Do(t.Context(), pprof.Labels(labelKey, "request"), func(ctx context.Context) {
				for _, task := range append(before, task) {
					require.NoError(t, p.Submit(ctx, task))
				}
			})
			synctest.Wait()
			labels = labelsIn(t, name)
			_, err = p.Stop(t.Context())
			require.NoError(t, err)
		})
		return labels
	}

	t.Run("WorkersCarryThoseOfStartNotThoseOfTheSubmitter", func(t *testing.T) {
		t.Parallel()
		panics := func(context.Context) { panic("boom") }
		exits := func(context.Context) { runtime.Goexit() }
		ofTask := func(context.Context) { pprof.SetGoroutineLabels(labelled("task")); panic("boom") }
		for name, before := range map[string][]func(context.Context){
			"AtFirst":                   nil,
			"AfterAPanic":               {panics},
			"AfterAGoexit":              {exits},
			"AfterATaskSetsItsOwnFirst": {ofTask},
		} {
			t.Run(name, func(t *testing.T) {
				labels := wait(t, labelled("pool"), before, waitLabelled, "waitLabelled")
				assert.Equal(t, []string{fmt.Sprintf("{%q:%q}", labelKey, "pool")}, labels)
			})
		}
	})

	t.Run("WorkersCarryNoneIfStartHadNone", func(t *testing.T) {
		t.Parallel()
		labels := wait(t, context.Background(), nil, waitUnlabelled, "waitUnlabelled")
		assert.Equal(t, []string{"none"}, labels)
	})
}
