package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// said is what the events say, one line each.
func said(events []lifecycle.Event) []string {
	var lines []string
	for _, e := range events {
		lines = append(lines, strings.TrimSpace(e.Kind+" "+e.Component)+": "+e.Text)
	}
	return lines
}

func TestEvents(t *testing.T) {
	t.Parallel()

	bubble(t, "TellTheWholeLife", func(t *testing.T) {
		d := newDesk()
		h := d.hook()
		h.OnStart, h.OnStop = sleeping(12*time.Millisecond), sleeping(time.Second)
		h.PreDestroy = func(context.Context) error { return errBroken }
		a := build(t, hook(h))
		require.NoError(t, a.start())
		_, err := a.turn(map[string]any{"seats": 8})
		require.NoError(t, err)
		require.Error(t, a.stop())
		events, missed := a.Events().Since(0)
		assert.False(t, missed)
		assert.Equal(t, []string{
			"state: starting",
			"component desk:front: starting",
			"component desk:front: started in 12ms",
			"state: running",
			"knobs desk:front: seats 4 → 8, by alice",
			"state: stopping: stop",
			"stage: not ready",
			"stage: ingress closed",
			"stage: quiet",
			"component desk:front: stopping",
			"component desk:front: stopped after 1s: lifecycle: pre-destroy desk:front: broken",
			"state: stopped: stop, 1s, 0 saved, 0 lost, exit code 3",
		}, said(events))
		for i, e := range events {
			assert.EqualValues(t, i+1, e.Seq)
			assert.False(t, e.At.IsZero())
		}
		text, err := json.Marshal(events[10])
		require.NoError(t, err)
		assert.Contains(t, string(text), `"data":{"state":"stopped","took":"1s","outcome":"failed","error":"lifecycle: pre-destroy desk:front: broken"}`)
		text, err = json.Marshal(events[5].Data)
		require.NoError(t, err)
		assert.JSONEq(t, `{"state":"stopping","cause":{"kind":"stop"}}`, string(text))
	})

	bubble(t, "NextWaitsUntilThereIsOne", func(t *testing.T) {
		a := build(t)
		require.NoError(t, a.start())
		events, err := a.Events().Next(t.Context(), 0)
		require.NoError(t, err)
		last := events[len(events)-1].Seq
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = a.Events().Next(ctx, last)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		seen := make(chan []lifecycle.Event)
		go func() {
			next, err := a.Events().Next(t.Context(), last)
			assert.NoError(t, err)
			seen <- next
		}()
		synctest.Wait()
		go func() { assert.NoError(t, a.stop()) }()
		assert.Equal(t, last+1, (<-seen)[0].Seq)
		<-a.When(lifecycle.Finished)
		for err == nil || len(events) > 0 && err != io.EOF { //nolint:errorlint // Next returns it as it is
			events, err = a.Events().Next(t.Context(), last)
			if len(events) > 0 {
				last = events[len(events)-1].Seq
			}
		}
		require.ErrorIs(t, err, io.EOF)
	})

	t.Run("WhoeverIsTooSlowIsTold", func(t *testing.T) {
		t.Parallel()
		_, a := startedDesk(t)
		for i := range 1100 {
			_, err := a.turn(map[string]any{"seats": 5 + i%2})
			require.NoError(t, err)
		}
		events, missed := a.Events().Since(1)
		assert.True(t, missed)
		assert.Len(t, events, 1000)
		newest := events[999].Seq
		for i, e := range events {
			require.Equal(t, newest-999+uint64(i), e.Seq)
		}
		none, missed := a.Events().Since(newest)
		assert.Empty(t, none)
		assert.False(t, missed)
		some, missed := a.Events().Since(newest - 3)
		assert.Len(t, some, 3)
		assert.False(t, missed)
		all, missed := a.Events().Since(newest + 5)
		assert.True(t, missed, "the number of another process")
		assert.Len(t, all, 1000)
		assert.Len(t, a.Audit(), 1000)
		assert.EqualValues(t, 1100, a.Audit()[999].Seq)
		require.NoError(t, a.stop())
	})
}

func ExampleEvents() {
	app, conductor := exampleDesk()
	ctx := context.Background()
	_ = app.Start(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		seq := uint64(0)
		for {
			events, err := conductor.Events().Next(ctx, seq)
			if err != nil {
				return // io.EOF: the application has stopped
			}
			for _, e := range events {
				if e.Kind == lifecycle.EventState {
					word, _, _ := strings.Cut(e.Text, ":")
					fmt.Println(word)
				}
				seq = e.Seq
			}
		}
	}()
	_ = app.Stop(ctx)
	<-watched
	// Output:
	// starting
	// running
	// stopping
	// stopped
}
