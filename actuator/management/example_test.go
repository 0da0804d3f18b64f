package management_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/lastcall-go/lastcall/actuator/management"
)

func Example() {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "good evening")
	})
	srv, err := management.New(management.Config{Address: "127.0.0.1:0"}, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := srv.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	transport := &http.Transport{DisableKeepAlives: true}
	for _, host := range []string{"localhost", "evil.example"} { // as a page says whose name points here
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+srv.Addr().String(), http.NoBody)
		req.Host = host
		resp, err := transport.RoundTrip(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(host, resp.Status)
		_ = resp.Body.Close()
	}
	if err := srv.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	_, err = management.New(management.Config{Address: "0.0.0.0:9988"}, hello)
	fmt.Println(err)
	// Output:
	// localhost 200 OK
	// evil.example 403 Forbidden
	// management: wrong configuration:
	// address: 0.0.0.0:9988 can be reached from other machines, and there is no token; set management.token, or listen on 127.0.0.1:9988
}
