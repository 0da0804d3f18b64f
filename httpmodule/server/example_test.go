package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lastcall-go/lastcall/httpmodule/server"
)

func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s", r.PathValue("name"))
	})
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0"}, mux)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}

	res, err := http.Get("http://" + srv.Addr().String() + "/hello/world")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	fmt.Println(string(body))

	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	fmt.Println("stop:", srv.Stop(ctx))
	fmt.Println(srv.Gate().Ledger())
	// Output:
	// hello, world
	// stop: <nil>
	// accepted 1 = done 1 + failed 0 + saved 0
}

// A stream that ends by itself when the server wants its clients to leave.
func ExampleEndless() {
	events := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		draining := server.Endless(r.Context())
		_, _ = io.WriteString(w, "data: first\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-draining: // the client connects again, to the successor
			_, _ = io.WriteString(w, "event: moved\n\n")
		case <-r.Context().Done(): // the client has gone
		}
	}
	srv, err := server.New(server.Config{Addr: "127.0.0.1:0"}, http.HandlerFunc(events))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	res, err := http.Get("http://" + srv.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stop:", srv.Stop(context.Background()))
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	fmt.Print(string(body))
	// Output:
	// stop: <nil>
	// data: first
	//
	// event: moved
}
