package dashboard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/lastcall-go/lastcall/actuator/dashboard"
)

// With section "management" of package modules nothing of this is needed.
func ExampleNew() {
	d, err := dashboard.New(dashboard.Config{BasePath: "/actuator"})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/", d) // and the actuator at "/actuator/"

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
