package actuator_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
)

func TestLoggers(t *testing.T) {
	// The box's policy plays a logger's level.
	open := func(t *testing.T) (*box, *actuator.Actuator) {
		t.Helper()
		b := newBox()
		a, conductor := app(t, b.hook())
		a.RequireStart()
		t.Cleanup(a.RequireStop)
		return b, over(t, conductor, actuator.Config{}, actuator.WithLoggers(
			actuator.Logger{Name: "ROOT", Component: "box:sms", Knob: "policy", Configured: "block"},
			actuator.Logger{Name: "gone", Component: "nobody", Knob: "level"},
			actuator.Logger{Name: "odd", Component: "box:sms", Knob: "workers"},
		))
	}

	t.Run("AreShownAsSpringDoes", func(t *testing.T) {
		_, act := open(t)
		assert.Equal(t, object{
			"levels":  []any{"BLOCK", "ABORT"},
			"loggers": object{"ROOT": object{"configuredLevel": "BLOCK", "effectiveLevel": "BLOCK"}},
			"groups":  object{},
		}, get(t, act, "/actuator/loggers", http.StatusOK))
		assert.Equal(t, object{"configuredLevel": "BLOCK", "effectiveLevel": "BLOCK"}, get(t, act, "/actuator/loggers/ROOT", http.StatusOK))
		get(t, act, "/actuator/loggers/com.example", http.StatusNotFound)
		get(t, act, "/actuator/loggers/gone", http.StatusNotFound)
		get(t, act, "/actuator/loggers/odd", http.StatusNotFound)
	})

	t.Run("AreSetAndResetAndTheAuditSaysSo", func(t *testing.T) {
		b, act := open(t)
		w := send(t, act, http.MethodPost, "/actuator/loggers/ROOT", `{"configuredLevel":"ABORT"}`, "Content-Type", v3)
		require.Equal(t, http.StatusNoContent, w.Code, "%s", w.Body)
		assert.Equal(t, "abort", b.value("policy"))
		for _, body := range []string{`{"configuredLevel":null}`, `{}`} {
			require.Equal(t, http.StatusNoContent, send(t, act, http.MethodPost, "/actuator/loggers/ROOT", body).Code)
			assert.Equal(t, "block", b.value("policy"))
		}
		assert.Len(t, get(t, act, "/actuator/audit", http.StatusOK)["entries"], 2)
	})

	t.Run("ForATimeOnly", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b, act := open(t)
			require.Equal(t, http.StatusNoContent, send(t, act, http.MethodPost, "/actuator/loggers/ROOT?ttl=10m", `{"configuredLevel":"abort"}`).Code)
			time.Sleep(9 * time.Minute)
			assert.Equal(t, "abort", b.value("policy"))
			time.Sleep(2 * time.Minute)
			assert.Equal(t, "block", b.value("policy"))
		})
	})

	t.Run("WrongWishesAreRefused", func(t *testing.T) {
		b, act := open(t)
		for _, tt := range []struct {
			target, body string
			want         int
		}{
			{"/actuator/loggers/ROOT", `{"configuredLevel":"LOUD"}`, http.StatusBadRequest},
			{"/actuator/loggers/ROOT", `{"level":"ABORT"}`, http.StatusBadRequest},
			{"/actuator/loggers/ROOT", `"ABORT"`, http.StatusBadRequest},
			{"/actuator/loggers/ROOT?ttl=soon", `{"configuredLevel":"ABORT"}`, http.StatusBadRequest},
			{"/actuator/loggers/ROOT?dryRun=true", `{"configuredLevel":"ABORT"}`, http.StatusBadRequest},
			{"/actuator/loggers/nobody", `{"configuredLevel":"ABORT"}`, http.StatusNotFound},
		} {
			w := send(t, act, http.MethodPost, tt.target, tt.body)
			assert.Equal(t, tt.want, w.Code, "%s %s: %s", tt.target, tt.body, w.Body)
		}
		assert.Equal(t, "block", b.value("policy"))
	})

	t.Run("WithoutAnyTheListIsEmpty", func(t *testing.T) {
		assert.Equal(t, object{"levels": []any{}, "loggers": object{}, "groups": object{}},
			get(t, running(t, actuator.Config{}), "/actuator/loggers", http.StatusOK))
	})
}
