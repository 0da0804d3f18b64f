// Package httpmodule puts the HTTP server of package server into an Fx
// application.
//
//	fx.New(
//		httpmodule.Module(httpmodule.Probes("/readyz", "/livez")),
//		fx.Supply(server.Config{Addr: ":8080"}), // optional
//		httpmodule.Handle("POST /orders", newPlaceOrder),
//		httpmodule.Handle("GET /orders/{id}", newShowOrder),
//		httpmodule.Use(10, newAuthentication),
//	)
//
// The patterns are those of [net/http.ServeMux]. Instead of routes, or beside
// them, an [http.Handler] in the graph (chi, gin, echo) is served at "/". Where
// there is neither, no server is built and no port is opened.
//
// # Configuration
//
// A [server.Config] in the graph is used; without one, its defaults are. It is
// overridden as any value of Fx is: fx.Replace, fx.Decorate. Options of
// [Module] are for what no file can name.
//
// # Start and stop
//
// The server is a hook of the ingress band: last to start, first to stop, with
// its gate, so that a stop waits for the requests in flight and its receipt
// names those it had to cut. It listens in OnStart; a port that is taken fails
// the start. When it can serve no more, the application is shut down with the
// reason. All of this works without lifecycle.Module too, as a plain fx.Hook.
//
// # What is shown
//
// With lifecycle.Module() the server has a [lifecycle.Panel] of kind "server":
// its connections by state, its requests in flight by route, and its limits,
// all of which need a restart. Paths are shown only where a route says nothing,
// as in the receipt.
//
// # Testing
//
// Ask for the *[server.Server] and its Addr:
//
//	var srv *server.Server
//	app := fxtest.New(t, httpmodule.Module(), routes,
//		fx.Replace(server.Config{Addr: "127.0.0.1:0"}), fx.Populate(&srv))
//	defer app.RequireStart().RequireStop()
package httpmodule
