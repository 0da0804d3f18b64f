package lifecycle

import (
	"runtime"
	"strings"
)

// owner is the function on whose behalf a hook was appended: a constructor, a
// decorator or an invoked function.
type owner struct {
	// name is what Fx calls the function; with fx.Annotate its tags belong
	// to it.
	name   string
	module string
	kind   ownerKind
	// run tells apart two runs of functions with the same name. Zero: known
	// from the call stack only.
	run int
}

type ownerKind int

const (
	ownerUnknown ownerKind = iota
	ownerConstructor
	ownerOther // an Invoke or a decorator: not in the dependency graph
)

// label is the owner's name as a person would write it: "svc.NewServer".
func (o owner) label() string { return shortFuncName(o.name) }

// ownerFromStack finds the owner of an Append when no event told it: the
// outermost function below Fx, or, in a goroutine or hook, of those that the
// runtime, a test or the conductor called.
func ownerFromStack() owner {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var o owner
	for {
		f, more := frames.Next()
		switch {
		case isContainer(f.Function), isRoot(f.Function), isOurs(f.Function) && o.name != "":
			return o
		case !isOurs(f.Function):
			o.name = f.Function
		}
		if !more {
			return o
		}
	}
}

const thisPackage = "github.com/lastcall-go/lastcall/lifecycle."

func isOurs(function string) bool { return strings.HasPrefix(function, thisPackage) }

func isContainer(function string) bool {
	return strings.HasPrefix(function, "reflect.") ||
		strings.HasPrefix(function, "go.uber.org/fx.") ||
		strings.HasPrefix(function, "go.uber.org/dig.")
}

// isRoot tells the functions of the standard library at which goroutines
// begin.
func isRoot(function string) bool {
	return strings.HasPrefix(function, "runtime.") ||
		strings.HasPrefix(function, "testing.") ||
		strings.HasPrefix(function, "sync.(*WaitGroup).Go.")
}

// shortFuncName makes "svc.NewServer" of what Fx and the runtime call it:
// `fx.Annotate(github.com/acme/svc.NewServer(), fx.ResultTags(…)`.
func shortFuncName(name string) string {
	if inner, ok := strings.CutPrefix(name, "fx.Annotate("); ok {
		name, _, _ = strings.Cut(inner, "(), fx.")
	}
	name = strings.TrimSuffix(name, "()")
	// Type parameters carry paths of their own.
	name, _, _ = strings.Cut(name, "[")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return name
}
