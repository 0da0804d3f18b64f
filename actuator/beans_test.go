package actuator_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

type (
	cellar  struct{}
	kitchen struct{}
	dish    struct{}
	unasked struct{}
)

func TestBeans(t *testing.T) {
	var conductor *lifecycle.Conductor
	a := fx.New(lifecycle.Module(),
		fx.WithLogger(func(c *lifecycle.Conductor) fxevent.Logger { return c.Tap(fxevent.NopLogger) }),
		fx.Module("house", fx.Provide(
			func(lc fx.Lifecycle) *cellar {
				lifecycle.Append(lc, lifecycle.Hook{Name: "cellar"})
				return &cellar{}
			},
			func(lc fx.Lifecycle, _ *cellar) *kitchen {
				lifecycle.Append(lc, lifecycle.Hook{Name: "kitchen"})
				return &kitchen{}
			},
			func() *unasked { return nil },
			fx.Annotate(func(*kitchen) *dish { return &dish{} }, fx.ResultTags(`group:"menu"`)),
			fx.Annotate(func() *dish { return &dish{} }, fx.ResultTags(`group:"menu"`)),
		)),
		fx.Invoke(fx.Annotate(func([]*dish) {}, fx.ParamTags(`group:"menu"`))),
		fx.Populate(&conductor))
	require.NoError(t, a.Err())
	act := over(t, conductor, actuator.Config{})

	all := get(t, act, "/actuator/beans", http.StatusOK)["contexts"].(object)["application"].(object)
	assert.Nil(t, all["parentId"])
	found := all["beans"].(object)
	b := found["*actuator_test.kitchen"].(object)
	assert.Equal(t, "singleton", b["scope"])
	assert.Equal(t, []any{}, b["aliases"])
	assert.Equal(t, "*actuator_test.kitchen", b["type"])
	assert.Contains(t, b["resource"], "actuator_test.TestBeans.")
	assert.Contains(t, b["dependencies"], "*actuator_test.cellar")
	assert.Equal(t, "house", b["module"])
	assert.Equal(t, true, b["built"])
	assert.Equal(t, false, found["*actuator_test.unasked"].(object)["built"])
	assert.Contains(t, found, "*actuator_test.dish[group=menu]")
	assert.Contains(t, found, "*actuator_test.dish[group=menu]#2")
	for name, b := range found {
		for _, on := range b.(object)["dependencies"].([]any) {
			assert.Contains(t, found, on, "%s stands on something that is there", name)
		}
	}
	require.NoError(t, a.Start(t.Context()))
	k := get(t, act, "/actuator/components/kitchen", http.StatusOK)
	assert.Equal(t, []any{"cellar"}, k["stands_on"])
	require.NoError(t, a.Stop(t.Context()))
}

func TestHeapdump(t *testing.T) {
	get(t, running(t, actuator.Config{}), "/actuator/heapdump", http.StatusNotFound)
	act := running(t, actuator.Config{Endpoints: map[string]bool{"heapdump": true}})
	w := ask(t, act, http.MethodGet, "/actuator/heapdump?live=true")
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))
	assert.Equal(t, `attachment; filename="heapdump.pprof"`, w.Header().Get("Content-Disposition"))
	unzipped, err := gzip.NewReader(w.Body)
	require.NoError(t, err)
	profile, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	assert.Contains(t, string(profile), "inuse_space", "a profile of pprof")
	get(t, act, "/actuator/heapdump?live=maybe", http.StatusBadRequest)
}
