package modules

import (
	"net/http"

	"github.com/lastcall-go/lastcall/actuator/dashboard"
)

func (c ManagementConfig) hasPage() bool { return c.Dashboard == nil || *c.Dashboard }

// page is the dashboard; nil: there is none.
func (c ManagementConfig) page() (*dashboard.Dashboard, error) {
	if !c.hasPage() {
		return nil, nil
	}
	return dashboard.New(dashboard.Config{BasePath: c.Actuator.WithDefaults().BasePath})
}

// isPage: the request is for the page or one of its files. They are the same in
// every service and show nothing by themselves, so anybody may read them: the
// page is where the token is typed in.
func isPage(page *dashboard.Dashboard, r *http.Request) bool {
	return page != nil && page.Serves(r.URL.Path)
}

func withPage(page *dashboard.Dashboard, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPage(page, r) {
			page.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
