package lifecycle_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// Waits of all sorts, each in a function whose name can be found in a stack.
func waitToReceive(c chan int) { <-c }
func waitToSend(c chan int)    { c <- 1 }
func waitForOneOfTwo(a, b chan int) {
	select {
	case <-a:
	case <-b:
	}
}
func waitForMutex(mu sync.Locker, held *int) {
	mu.Lock()
	*held++
	mu.Unlock()
}
func waitForGroup(wg *sync.WaitGroup) { wg.Wait() }
func waitALittle(end chan int) {
	for {
		select {
		case <-end:
			return
		default:
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func TestGoroutines(t *testing.T) {
	t.Parallel()

	t.Run("AreThoseOfTheirComponentsWithWhatTheyDo", func(t *testing.T) {
		t.Parallel()
		receive, send, a, b, end := make(chan int), make(chan int), make(chan int), make(chan int), make(chan int)
		var mu sync.Mutex
		held := 0
		mu.Lock()
		var none, running sync.WaitGroup
		none.Add(1)
		h := build(t, hook(lifecycle.Hook{Name: "worker", OnStart: func(context.Context) error {
			for range 3 {
				running.Go(func() { waitToReceive(receive) })
			}
			running.Go(func() { waitToSend(send) })
			running.Go(func() { waitForOneOfTwo(a, b) })
			running.Go(func() { waitForMutex(&mu, &held) })
			running.Go(func() { waitForGroup(&none) })
			running.Go(func() { waitALittle(end) })
			return nil
		}}))
		require.NoError(t, h.start())
		defer func() {
			close(receive)
			<-send
			close(a)
			close(end)
			mu.Unlock()
			none.Done()
			running.Wait()
			require.NoError(t, h.stop())
		}()

		for function, want := range map[string]string{
			"waitToReceive":   "chan receive",
			"waitToSend":      "chan send",
			"waitForOneOfTwo": "select",
			"waitForMutex":    "sync.Mutex.Lock",
			"waitForGroup":    "sync.WaitGroup.Wait",
			"waitALittle":     "sleep",
		} {
			assert.Eventually(t, func() bool {
				return slices.ContainsFunc(h.Goroutines(), func(g lifecycle.Goroutines) bool {
					return g.State == want && g.Component == "worker" && in(g, function)
				})
			}, time.Minute, time.Millisecond, "%s: %s", function, want)
		}
		assert.Eventually(t, func() bool {
			return slices.ContainsFunc(h.Goroutines(), func(g lifecycle.Goroutines) bool { return g.Count == 3 && in(g, "waitToReceive") })
		}, time.Minute, time.Millisecond, "the same place is told once")
	})

	t.Run("AskerRunsAndBelongsToNobody", func(t *testing.T) {
		t.Parallel()
		all := build(t).Goroutines()
		own := slices.IndexFunc(all, func(g lifecycle.Goroutines) bool { return in(g, "(*Conductor).Goroutines") && in(g, "TestGoroutines") })
		require.GreaterOrEqual(t, own, 0)
		assert.Empty(t, all[own].Component)
		assert.Equal(t, "running", all[own].State)
		assert.NotZero(t, all[own].Frames[0].Line)
		assert.True(t, strings.HasSuffix(all[own].Frames[0].File, ".go"), all[own].Frames[0].File)
	})

	t.Run("OfAnotherApplicationBelongToNobodyHere", func(t *testing.T) {
		t.Parallel()
		end := make(chan int)
		var running sync.WaitGroup
		other := build(t, hook(lifecycle.Hook{Name: "stranger", OnStart: func(context.Context) error {
			running.Go(func() { waitToReceive(end) })
			return nil
		}}))
		require.NoError(t, other.start())
		for _, g := range build(t).Goroutines() {
			assert.NotEqual(t, "stranger", g.Component)
		}
		close(end)
		running.Wait()
		require.NoError(t, other.stop())
	})
}

func in(g lifecycle.Goroutines, function string) bool {
	return slices.ContainsFunc(g.Frames, func(f lifecycle.StackFrame) bool { return strings.Contains(f.Function, function) })
}
