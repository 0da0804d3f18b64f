package httpmodule

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"

	"go.uber.org/fx"
)

// The value groups the server is made of. [Handle] and [Use] fill them; a
// constructor of one's own may too.
const (
	RouteGroup      = "lastcall.http.routes"
	MiddlewareGroup = "lastcall.http.middleware"
)

// Route is a handler and the pattern of [http.ServeMux] that leads to it.
type Route struct {
	Pattern string
	Handler http.Handler
	// Source says where the route was declared, for errors. May be empty.
	Source string
}

// Middleware wraps the handler of all routes.
type Middleware struct {
	// Order: the lower, the further outside. Equal ones are in no order.
	Order int
	Wrap  func(http.Handler) http.Handler
	// Source says where it was declared, for errors. May be empty.
	Source string
}

// Handle adds a route. The constructor is anything that [fx.Provide] takes and
// whose first result is an [http.Handler] (or a type that is one) or a
// func(http.ResponseWriter, *http.Request), with or without an error beside
// it. Such a function or such a handler itself will do as well. The handler
// stays private to the route: two constructors may return the same type.
//
// Annotations are those of [fx.Annotate], for the constructor:
//
//	httpmodule.Handle("GET /report", newReport, fx.ParamTags(`name:"readonly"`))
func Handle(pattern string, constructor any, annotations ...fx.Annotation) fx.Option {
	from := caller()
	if h, ok := constructor.(func(http.ResponseWriter, *http.Request)); ok {
		constructor = http.HandlerFunc(h)
	}
	if h, ok := constructor.(http.Handler); ok {
		constructor = func() http.Handler { return h }
	}
	name := "http route " + pattern + " of " + from
	route := func(h http.Handler) Route { return Route{Pattern: pattern, Handler: h, Source: from} }

	var join any
	out, err := result(constructor)
	switch {
	case err != nil:
	case out.Implements(reflect.TypeFor[http.Handler]()):
		join = route
		if out != reflect.TypeFor[http.Handler]() {
			annotations = append(annotations, fx.As(new(http.Handler)))
		}
	case out == reflect.TypeFor[func(http.ResponseWriter, *http.Request)]():
		join = func(h func(http.ResponseWriter, *http.Request)) Route { return route(http.HandlerFunc(h)) }
	default:
		err = fmt.Errorf("its first result is %v, which is neither an http.Handler nor a func(http.ResponseWriter, *http.Request)", out)
	}
	if err != nil {
		return fx.Error(fmt.Errorf("httpmodule: Handle(%q) at %s: %w", pattern, from, err))
	}
	return member("http:"+pattern, name, RouteGroup, constructor, annotations, join)
}

// Use adds middleware around all routes and a handler served at "/"; probes
// stay outside. The constructor is anything that [fx.Provide] takes and whose
// first result is a func(http.Handler) http.Handler, or such a function
// itself. The lower the order, the further outside it is.
func Use(order int, constructor any, annotations ...fx.Annotation) fx.Option {
	from := caller()
	if wrap, ok := constructor.(func(http.Handler) http.Handler); ok {
		constructor = func() func(http.Handler) http.Handler { return wrap }
	}
	want := reflect.TypeFor[func(http.Handler) http.Handler]()
	out, err := result(constructor)
	if err == nil && out != want {
		err = fmt.Errorf("its first result is %v, not %v", out, want)
	}
	if err != nil {
		return fx.Error(fmt.Errorf("httpmodule: Use(%d) at %s: %w", order, from, err))
	}
	name := fmt.Sprintf("http middleware %d of %s", order, from)
	return member(fmt.Sprintf("http:middleware:%d", order), name, MiddlewareGroup, constructor, annotations,
		func(wrap func(http.Handler) http.Handler) Middleware {
			return Middleware{Order: order, Wrap: wrap, Source: from}
		})
}

// member provides what constructor returns under a private name, and what
// join makes of it to the group.
func member(module, name, group string, constructor any, annotations []fx.Annotation, join any) fx.Option {
	tag := fmt.Sprintf("name:%q", name)
	return fx.Module(module,
		fx.Provide(fx.Annotate(constructor, append(annotations, fx.ResultTags(tag))...), fx.Private),
		fx.Provide(fx.Annotate(join, fx.ParamTags(tag), fx.ResultTags(fmt.Sprintf("group:%q", group)))),
	)
}

// result is the first result of a constructor.
func result(constructor any) (reflect.Type, error) {
	t := reflect.TypeOf(constructor)
	switch {
	case t == nil:
		return nil, errors.New("the constructor is nil; give a function, or what it would return")
	case t.PkgPath() == "go.uber.org/fx":
		return nil, errors.New("the constructor is annotated already; give the constructor itself, and the annotations after it")
	case t.Kind() != reflect.Func:
		return nil, fmt.Errorf("%v is not a constructor; give a function, or what it would return", t)
	case t.NumOut() == 0:
		return nil, fmt.Errorf("the constructor %v returns nothing; return what is to be served, or the middleware", t)
	}
	return t.Out(0), nil
}

// caller is where the caller of Handle or Use stands.
func caller() string {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
