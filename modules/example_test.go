package modules_test

import (
	"context"
	"fmt"
	"net/http"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// front is a handler that hands its work to a lane.
type front struct{ out *pool.Lane[string] }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.out.Submit(r.Context(), r.URL.Path); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func ExampleDefault() {
	var greetings *pool.Lane[string]
	a := app.New(
		modules.Default(modules.Without(modules.HTTP)),
		modules.Sources(config.Options{Environ: []string{"LASTCALL_POOLS_GREETERS_WORKERS=1"}}),
		fx.Replace(zap.NewNop()),

		poolmodule.Provide("greeters", pool.Config{Workers: 4}),
		poolmodule.Lane[string]("greetings", "greeters", func(_ context.Context, name string) error {
			fmt.Println("good evening,", name)
			return nil
		}),
		fx.Populate(&greetings),
	)
	ctx := context.Background()
	if err := a.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"Ada", "Grace"} {
		if err := greetings.Submit(ctx, name); err != nil {
			fmt.Println(err)
		}
	}
	if err := a.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(a.Receipt().Total)
	// Output:
	// good evening, Ada
	// good evening, Grace
	// accepted 2 = done 2 + failed 0 + saved 0
}
