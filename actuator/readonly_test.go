package actuator_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/actuator"
)

func TestReadOnlyChangesNothing(t *testing.T) {
	a, conductor := app(t, actingBox(func(context.Context, map[string]any) (any, error) {
		t.Error("it was emptied")
		return nil, nil
	}))
	a.RequireStart()
	defer a.RequireStop()
	act := over(t, conductor, actuator.Config{ReadOnly: true, Endpoints: map[string]bool{"shutdown": true}},
		actuator.WithLoggers(actuator.Logger{Name: "ROOT", Component: "box:sms", Knob: "policy"}),
		actuator.WithShutdown(func(string) error { t.Error("it was asked to stop"); return nil }))
	writes := map[string]string{
		boxKnobs:                     http.MethodPatch,
		boxKnobs + "?dryRun=true":    http.MethodPatch,
		"/actuator/loggers/ROOT":     http.MethodPost,
		boxActions + "/empty":        http.MethodPost,
		"/actuator/audit/1/rollback": http.MethodPost,
		"/actuator/shutdown":         http.MethodPost,
		"/actuator/drain":            http.MethodPost,
	}
	for target, method := range writes {
		w := send(t, act, method, target, `{}`)
		assert.Equal(t, http.StatusForbidden, w.Code, target)
		assert.Contains(t, w.Body.String(), "read_only")
	}
	assert.Equal(t, http.StatusForbidden, send(t, act, http.MethodDelete, "/actuator/drain", "").Code)
	assert.Nil(t, conductor.Drained())
	for _, e := range act.Endpoints() {
		assert.False(t, e.Write, "%s %s", e.Method, e.Path)
	}
	assert.NotContains(t, get(t, act, "/actuator", http.StatusOK)["_links"], "shutdown")
	get(t, act, boxKnobs, http.StatusOK)
	get(t, act, boxActions, http.StatusOK)
}
