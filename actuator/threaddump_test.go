package actuator_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

func TestThreadDump(t *testing.T) {
	end := make(chan struct{})
	act := running(t, actuator.Config{}, lifecycle.Hook{
		Name: "worker",
		OnStart: func(context.Context) error {
			for range 3 {
				go func() { <-end }() // ends with OnStop
			}
			return nil
		},
		OnStop: func(context.Context) error { close(end); return nil },
	})

	t.Run("GroupsGoroutinesByComponent", func(t *testing.T) {
		var found object
		require.Eventually(t, func() bool {
			threads := get(t, act, "/actuator/threaddump?component=worker", http.StatusOK)["threads"].([]any)
			if len(threads) != 1 {
				return false
			}
			found = threads[0].(object)
			return found["count"] == 3.0 && found["goState"] == "chan receive"
		}, time.Minute, time.Millisecond)
		assert.Equal(t, "worker", found["component"])
		assert.Equal(t, "WAITING", found["threadState"])
		frame := found["stackTrace"].([]any)[0].(object)
		assert.Equal(t, "github.com/lastcall-go/lastcall/actuator_test", frame["className"])
		assert.Contains(t, frame["methodName"], "TestThreadDump")
		assert.Contains(t, frame["fileName"], "threaddump_test.go")
	})

	t.Run("AsTextToo", func(t *testing.T) {
		w := ask(t, act, http.MethodGet, "/actuator/threaddump", "Accept", "text/plain")
		assert.Regexp(t, `^\d+ goroutines at \d+ places\n\nworker\n\n  3 \[chan receive\]\n`, w.Body.String())
		assert.Contains(t, w.Body.String(), "(nobody's)")
	})

	t.Run("OfNobodyIsEmpty", func(t *testing.T) {
		assert.Equal(t, []any{}, get(t, act, "/actuator/threaddump?component=x", http.StatusOK)["threads"])
	})
}
