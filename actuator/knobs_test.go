package actuator_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

const boxKnobs = "/actuator/components/box:sms/knobs"

func TestKnobs(t *testing.T) {
	t.Run("AreShownWithTheirBoundsAndTheirRevision", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		w := ask(t, act, http.MethodGet, boxKnobs)
		require.Equal(t, http.StatusOK, w.Code)
		assert.Equal(t, `"1"`, w.Header().Get("ETag"))
		body := decoded(t, w)
		assert.Equal(t, "box:sms", body["component"])
		knobs := body["knobs"].([]any)
		require.Len(t, knobs, 6)
		assert.Equal(t, object{
			"name": "workers", "help": "How many work.", "key": "boxes.sms.workers", "type": "int", "value": 4.0, "min": 1.0, "max": 1000.0,
		}, knobs[0])
		assert.Equal(t, "1s", knobs[3].(object)["value"])
		assert.Equal(t, true, knobs[5].(object)["cold"])
	})

	t.Run("OfNoComponentAre404", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		body := get(t, act, "/actuator/components/box:email/knobs", http.StatusNotFound)
		assert.Contains(t, body["detail"], "/actuator/components lists what there is")
		assert.Equal(t, http.StatusNotFound, send(t, act, http.MethodPatch, "/actuator/components/box:email/knobs", `{"workers":1}`).Code)
	})

	t.Run("AreWhereTheirKindIsToo", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		assert.Equal(t, get(t, act, boxKnobs, http.StatusOK), get(t, act, "/actuator/boxs/box:sms/knobs", http.StatusOK))
		require.Equal(t, http.StatusOK, send(t, act, http.MethodPatch, "/actuator/boxs/box:sms/knobs", `{"workers":7}`).Code)
		assert.Equal(t, int64(7), b.value("workers"))
		get(t, act, "/actuator/pools/box:sms/knobs", http.StatusNotFound)
	})

	t.Run("AreTurnedAndTheAuditSaysByWhom", func(t *testing.T) {
		b := newBox()
		a, conductor := app(t, b.hook())
		a.RequireStart()
		defer a.RequireStop()
		act := over(t, conductor, actuator.Config{}, actuator.WithCaller(func(*http.Request) (string, string) { return "alice\nbob", "10.0.0.7:1" }))
		w := send(t, act, http.MethodPatch, boxKnobs, `{"workers": 8, "wait": "1m", "share": 1, "policy": "abort", "keep": false}`)
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		assert.Equal(t, `"2"`, w.Header().Get("ETag"))
		turned := decoded(t, w)
		assert.Equal(t, object{"workers": 4.0, "wait": "1s", "share": 0.5, "policy": "block", "keep": true}, turned["before"])
		assert.Equal(t, object{"workers": 8.0, "wait": "1m0s", "share": 1.0, "policy": "abort", "keep": false}, turned["after"])
		assert.Equal(t, int64(8), b.value("workers"))
		assert.Equal(t, "alice?bob", turned["by"], "nobody forges a line of the log")
		assert.Equal(t, "10.0.0.7:1", turned["from"])

		entries := get(t, act, "/actuator/audit", http.StatusOK)["entries"].([]any)
		require.Len(t, entries, 1)
		assert.Equal(t, turned, entries[0])
	})

	t.Run("WrongOnesAreAllNamedAndNothingIsChanged", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		w := send(t, act, http.MethodPatch, boxKnobs, `{"workers": 0, "share": "much", "polcy": "abort", "wait": "1s", "shelves": 7, "keep": false}`)
		require.Equal(t, http.StatusUnprocessableEntity, w.Code, "%s", w.Body)
		wrong := decoded(t, w)["knobs"].(object)
		assert.Len(t, wrong, 4, "%v", wrong)
		assert.Contains(t, wrong["polcy"], "policy", "did you mean")
		assert.Contains(t, wrong["shelves"], "restart")
		assert.Contains(t, wrong["workers"], "1")
		assert.Contains(t, wrong, "share")
		assert.Equal(t, true, b.value("keep"), "all or nothing")
	})

	t.Run("ColdOnesNeedARestart", func(t *testing.T) {
		act := running(t, actuator.Config{}, newBox().hook())
		w := send(t, act, http.MethodPatch, boxKnobs, `{"shelves": 7}`)
		require.Equal(t, http.StatusConflict, w.Code, "%s", w.Body)
		body := decoded(t, w)
		assert.Equal(t, true, body["needs_restart"])
		assert.Contains(t, body["detail"], "needs a restart")
	})

	t.Run("ComponentMayRefuseOrPanic", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		w := send(t, act, http.MethodPatch, boxKnobs, `{"workers": 500}`)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, "%s", w.Body)
		assert.Contains(t, w.Body.String(), errRefused.Error())
		w = send(t, act, http.MethodPatch, boxKnobs, `{"workers": 13}`)
		assert.Equal(t, http.StatusInternalServerError, w.Code, "%s", w.Body)
		assert.Equal(t, int64(4), b.value("workers"))
	})

	t.Run("StaleChangeIsRefused", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		tag := ask(t, act, http.MethodGet, boxKnobs).Header().Get("ETag")
		require.Equal(t, http.StatusOK, send(t, act, http.MethodPatch, boxKnobs, `{"workers": 5}`, "If-Match", tag).Code)
		w := send(t, act, http.MethodPatch, boxKnobs, `{"workers": 6}`, "If-Match", tag)
		assert.Equal(t, http.StatusPreconditionFailed, w.Code, "%s", w.Body)
		assert.Equal(t, int64(5), b.value("workers"))
	})

	t.Run("IfMatchIsOneETag", func(t *testing.T) {
		for _, tt := range []struct {
			give string
			want int
		}{
			{"*", http.StatusOK},
			{` "1" `, http.StatusOK},
			{`"2"`, http.StatusPreconditionFailed},
			{`"0"`, http.StatusPreconditionFailed},
			{`"x"`, http.StatusPreconditionFailed},
			{`""`, http.StatusPreconditionFailed},
			{`1`, http.StatusBadRequest},
			{`W/"1"`, http.StatusBadRequest},
			{`"1", "2"`, http.StatusBadRequest},
			{`"`, http.StatusBadRequest},
		} {
			act := running(t, actuator.Config{}, newBox().hook())
			w := send(t, act, http.MethodPatch, boxKnobs, `{"workers": 5}`, "If-Match", tt.give)
			assert.Equal(t, tt.want, w.Code, "%s: %s", tt.give, w.Body)
		}
	})

	t.Run("DryRunShowsTheDifferenceAndChangesNothing", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		w := send(t, act, http.MethodPatch, boxKnobs+"?dryRun=true", `{"workers": 8, "keep": true}`)
		require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
		body := decoded(t, w)
		assert.Equal(t, object{"workers": 4.0}, body["before"])
		assert.Equal(t, object{"workers": 8.0}, body["after"], "what stays as it is is no difference")
		assert.NotContains(t, body, "seq")
		assert.Equal(t, int64(4), b.value("workers"))
		assert.Empty(t, get(t, act, "/actuator/audit", http.StatusOK)["entries"])
	})

	t.Run("TypingErrorInTheQueryIsNotTakenForTheRealThing", func(t *testing.T) {
		b := newBox()
		act := running(t, actuator.Config{}, b.hook())
		for _, query := range []string{"dryrun=true", "dryRun=yes", "ttl=10", "ttl=-1s", "ttl=1ms", "ttl=9999h", "ttl=1m&ttl=2m", "tll=1m", "ttl=%zz"} {
			w := send(t, act, http.MethodPatch, boxKnobs+"?"+query, `{"workers": 8}`)
			assert.Equal(t, http.StatusBadRequest, w.Code, "%s: %s", query, w.Body)
		}
		assert.Equal(t, int64(4), b.value("workers"))
	})

	t.Run("BodyMustBeOneJSONObject", func(t *testing.T) {
		act := running(t, actuator.Config{MaxBodyBytes: 100}, newBox().hook())
		for body, want := range map[string]int{
			``: http.StatusBadRequest, `null`: http.StatusBadRequest, `[]`: http.StatusBadRequest, `{"workers":`: http.StatusBadRequest,
			`{"workers":1}{}`: http.StatusBadRequest, `{"workers":null}`: http.StatusUnprocessableEntity,
			`{"workers":9007199254740993}`: http.StatusUnprocessableEntity, `{"workers":1e999}`: http.StatusUnprocessableEntity,
			`{"workers":[1]}`: http.StatusUnprocessableEntity, `{}`: http.StatusOK, `{"workers":8.0}`: http.StatusOK,
			`{"workers":"` + string(make([]byte, 100)) + `"}`: http.StatusRequestEntityTooLarge,
		} {
			w := send(t, act, http.MethodPatch, boxKnobs, body)
			assert.Equal(t, want, w.Code, "%s: %s", body, w.Body)
		}
		for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			w := send(t, act, http.MethodPatch, boxKnobs, `{"workers":8}`, "Content-Type", media)
			assert.Equal(t, http.StatusUnsupportedMediaType, w.Code, media)
		}
	})

	t.Run("ChangeForATimeIsTakenBack", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			act := running(t, actuator.Config{}, b.hook())
			w := send(t, act, http.MethodPatch, boxKnobs+"?ttl=10m", `{"workers": 8}`)
			require.Equal(t, http.StatusOK, w.Code, "%s", w.Body)
			assert.NotEmpty(t, decoded(t, w)["until"])
			time.Sleep(10*time.Minute - time.Second)
			assert.Equal(t, int64(8), b.value("workers"))
			time.Sleep(2 * time.Second)
			assert.Equal(t, int64(4), b.value("workers"))
			assert.Len(t, get(t, act, "/actuator/audit", http.StatusOK)["entries"], 2, "it is audited that it was taken back")
		})
	})

	t.Run("BeforeTheStartAreShownAndNotTurned", func(t *testing.T) {
		a, conductor := app(t, newBox().hook())
		act := over(t, conductor, actuator.Config{})
		assert.Equal(t, http.StatusOK, ask(t, act, http.MethodGet, boxKnobs).Code)
		assert.Equal(t, http.StatusConflict, send(t, act, http.MethodPatch, boxKnobs, `{"workers": 8}`).Code)
		a.RequireStart().RequireStop()
	})

	t.Run("WithoutAPanelThereAreNone", func(t *testing.T) {
		act := running(t, actuator.Config{}, lifecycle.Hook{Name: "plain"})
		assert.Equal(t, []any{}, get(t, act, "/actuator/components/plain/knobs", http.StatusOK)["knobs"])
		assert.Equal(t, http.StatusUnprocessableEntity, send(t, act, http.MethodPatch, "/actuator/components/plain/knobs", `{"workers": 8}`).Code)
	})
}

func TestAudit(t *testing.T) {
	other := newBox().hook()
	other.Name = "box:email"
	act := running(t, actuator.Config{}, newBox().hook(), other)
	for _, body := range []string{`{"workers":1}`, `{"workers":2}`, `{"workers":0}`} {
		send(t, act, http.MethodPatch, boxKnobs, body)
	}
	send(t, act, http.MethodPatch, "/actuator/components/box:email/knobs", `{"keep":false}`)

	t.Run("NewestFirstRefusalsToo", func(t *testing.T) {
		body := get(t, act, "/actuator/audit", http.StatusOK)
		assert.EqualValues(t, 4, body["total"])
		entries := body["entries"].([]any)
		assert.Equal(t, "box:email", entries[0].(object)["component"])
		assert.NotEmpty(t, entries[1].(object)["error"])
		assert.EqualValues(t, 1, entries[3].(object)["seq"])
	})
	t.Run("OfOneComponentAndNotMoreThanAsked", func(t *testing.T) {
		body := get(t, act, "/actuator/audit?component=box:sms&limit=1", http.StatusOK)
		assert.EqualValues(t, 3, body["total"])
		assert.Len(t, body["entries"], 1)
		assert.Equal(t, []any{}, get(t, act, "/actuator/audit?component=nobody", http.StatusOK)["entries"])
	})
	t.Run("LimitMustBeANumber", func(t *testing.T) {
		for _, limit := range []string{"0", "-1", "1001", "x", ""} {
			get(t, act, "/actuator/audit?limit="+limit, http.StatusBadRequest)
		}
	})
}
