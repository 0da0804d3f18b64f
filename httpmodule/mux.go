package httpmodule

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// mux registers the routes. Where ServeMux would panic, the error names the
// pattern, the one it conflicts with, and where both come from.
func mux(routes []Route) (*http.ServeMux, error) {
	// Groups come in no order; errors should.
	routes = slices.SortedFunc(slices.Values(routes), func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Source, b.Source))
	})
	m := http.NewServeMux()
	var errs []error
	for i, r := range routes {
		if err := register(m, r); err != nil {
			errs = append(errs, explain(r, routes[:i], err))
		}
	}
	return m, errors.Join(errs...)
}

// register makes an error of a panic.
func register(m *http.ServeMux, r Route) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	m.Handle(r.Pattern, r.Handler)
	return nil
}

// explain finds out which of the earlier routes is in the way, if any. What
// net/http says names lines of this file as the place of registration.
func explain(r Route, earlier []Route, err error) error {
	for _, e := range earlier {
		alone := http.NewServeMux()
		if register(alone, e) != nil {
			continue
		}
		if err := register(alone, r); err != nil {
			return fmt.Errorf("httpmodule: route %s conflicts with %s: %s", where(r), where(e), reason(err))
		}
	}
	return fmt.Errorf("httpmodule: route %s: %w", where(r), err)
}

// reason is what net/http says after its first line.
func reason(err error) string {
	_, lines, _ := strings.Cut(err.Error(), "\n")
	return strings.Join(strings.Fields(lines), " ")
}

func where(r Route) string {
	if r.Source == "" {
		return fmt.Sprintf("%q", r.Pattern)
	}
	return fmt.Sprintf("%q (%s)", r.Pattern, r.Source)
}

// wrap puts the middleware around h.
func wrap(h http.Handler, middleware []Middleware) (http.Handler, error) {
	outermostLast := slices.SortedFunc(slices.Values(middleware), func(a, b Middleware) int {
		return cmp.Compare(b.Order, a.Order)
	})
	for _, m := range outermostLast {
		if m.Wrap == nil {
			return nil, fmt.Errorf("httpmodule: middleware %d (%s) is nil; give a func(http.Handler) http.Handler", m.Order, m.Source)
		}
		if h = m.Wrap(h); h == nil {
			return nil, fmt.Errorf("httpmodule: middleware %d (%s) returned a nil handler; let it return the one it was given, or one around that", m.Order, m.Source)
		}
	}
	return h, nil
}
