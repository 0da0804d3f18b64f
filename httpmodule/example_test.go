package httpmodule_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/httpmodule"
	"github.com/lastcall-go/lastcall/httpmodule/server"
)

// Orders is what the handlers work with.
type Orders map[string]string

// NewOrders would open a database.
func NewOrders() Orders { return Orders{"17": "two coffees"} }

// NewShowOrder returns the handler of one route.
func NewShowOrder(orders Orders) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, orders[r.PathValue("id")])
	}
}

func Example() {
	var srv *server.Server
	app := fx.New(
		fx.NopLogger,
		httpmodule.Module(httpmodule.Probes("/readyz", "/livez")),
		fx.Supply(server.Config{Addr: "127.0.0.1:0"}),
		fx.Provide(NewOrders),
		httpmodule.Handle("GET /orders/{id}", NewShowOrder),
		fx.Populate(&srv),
	)
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	res, err := http.Get("http://" + srv.Addr().String() + "/orders/17")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	fmt.Println(string(body))

	fmt.Println("stop:", app.Stop(context.Background()))
	fmt.Println(srv.Gate().Ledger())
	// Output:
	// two coffees
	// stop: <nil>
	// accepted 1 = done 1 + failed 0 + saved 0
}
