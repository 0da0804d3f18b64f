package actuator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/actuator"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// A component of the application's own is shown because it has a Panel.
func Example() {
	var conductor *lifecycle.Conductor
	app := fx.New(lifecycle.Module(), fx.NopLogger, fx.Populate(&conductor),
		fx.Invoke(func(lc fx.Lifecycle) {
			lifecycle.Append(lc, lifecycle.Hook{Name: "oven", Panel: &lifecycle.Panel{
				Kind:   "oven",
				Stats:  func() any { return map[string]int{"degrees": 220} },
				Health: func(context.Context) lifecycle.Health { return lifecycle.Health{Status: lifecycle.Up} },
			}})
		}))
	act, err := actuator.New(conductor, actuator.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(path string) {
		w := httptest.NewRecorder()
		act.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, http.NoBody))
		fmt.Println(w.Code, w.Body)
	}

	_ = app.Start(context.Background())
	ask("/actuator/health/oven")
	ask("/readyz")
	_ = app.Stop(context.Background())
	ask("/readyz")
	_ = act.Stop(context.Background())

	// Output:
	// 200 {"status":"UP"}
	//
	// 200 UP
	//
	// 503 OUT_OF_SERVICE
}
