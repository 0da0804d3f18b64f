package modules_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

type matched = map[string]any

// conditionsOf asks an actuator for the parts that are there, and those that are
// not.
func conditionsOf(s *served) (positive, negative matched) {
	s.t.Helper()
	all := s.get("/actuator/conditions", http.StatusOK)["contexts"].(matched)["application"].(matched)
	return all["positiveMatches"].(matched), all["negativeMatches"].(matched)
}

func messages(t *testing.T, conditions any) (list []string) {
	t.Helper()
	for _, c := range conditions.([]any) {
		list = append(list, c.(matched)["condition"].(string)+": "+c.(matched)["message"].(string))
	}
	return list
}

func TestConditions(t *testing.T) {
	t.Parallel()

	t.Run("SayWhichPartsAreThereAndWhyOthersAreNot", func(t *testing.T) {
		t.Parallel()
		var p *pool.Pool
		s := &served{shown: shown{t: t}}
		s.app = app.New(modules.Default(modules.Without(modules.Batchers)), sources("", anyPort), silent,
			poolmodule.Provide("sms", pool.Config{}),
			fx.Populate(&s.server, &s.conductor, fx.Annotate(&p, fx.ParamTags(`name:"sms"`))),
			fx.Module("mine", fx.Replace(poolmodule.Config{Pools: map[string]pool.Config{"sms": {Workers: 3}}})))
		require.NoError(t, s.app.Err())
		require.NoError(t, s.app.Start(context.Background()))
		positive, negative := conditionsOf(s)
		for _, part := range []string{"Config", "Logging", "Stopping", "Pools", "Management"} {
			require.Contains(t, positive, "modules."+part)
			assert.Equal(t, "OnPart: it is a part of modules.Default", messages(t, positive["modules."+part])[0])
		}
		assert.Contains(t, messages(t, positive["modules.Pools"]), "OnOverride: poolmodule.Config is replaced in module mine")
		assert.Contains(t, messages(t, positive["modules.Pools"]), "OnUse: its components: pool:sms")
		assert.Equal(t, []string{"OnPart: it is left out: modules.Without(modules.Batchers)"}, messages(t, negative["modules.Batchers"].(matched)["notMatched"]))
		assert.Contains(t, messages(t, negative["modules.HTTP"].(matched)["notMatched"])[0], "no port is opened")
		assert.Contains(t, messages(t, negative["modules.Journal"].(matched)["notMatched"])[0], "no directory is opened")
		assert.Len(t, positive, 9-len(negative), "each part is in one of them")
		s.stop()
	})

	t.Run("NameWhoHasDecorated", func(t *testing.T) {
		t.Parallel()
		s := serveAt(t, "") // silent decorates it
		positive, _ := conditionsOf(s)
		logging := messages(t, positive["modules.Logging"])
		assert.Contains(t, logging[len(logging)-2], "OnOverride: *zap.Logger is decorated by github.com/lastcall-go/lastcall/modules_test.")
		s.stop()
	})

	t.Run("CanBeTurnedOffAsAllEndpoints", func(t *testing.T) {
		t.Parallel()
		s := serveAt(t, "management: {endpoints: {conditions: false, journal: false, deadletters: false}}")
		for _, path := range []string{"/actuator/conditions", "/actuator/journal", lettersPath} {
			s.get(path, http.StatusNotFound)
		}
		s.stop()
	})

	t.Run("SayWhyThereIsNoServer", func(t *testing.T) {
		t.Parallel()
		for yaml, why := range map[string]string{
			"management: {enabled: false}": "no server: management.enabled is false",
			"":                             "no server: there is neither an address nor a socket",
		} {
			var act *actuator.Actuator
			a := app.New(modules.Default(), sources(yaml, nil), silent, fx.Populate(&act))
			require.NoError(t, a.Err())
			require.NoError(t, a.Start(context.Background()))
			w := httptest.NewRecorder()
			act.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/actuator/conditions", http.NoBody))
			assert.Contains(t, w.Body.String(), why)
			require.NoError(t, a.Stop(context.Background()))
		}
	})
}
