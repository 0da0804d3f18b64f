package lifecycle

import (
	"context"
	"runtime/pprof"
	"strconv"
	"strings"

	"go.uber.org/fx/fxevent"
)

// constructors is what Fx's events tell of an application's functions.
type constructors struct {
	tapped    bool                  // a tap is in place
	outputs   map[string][][]string // of each constructor of that name
	decorated []string              // types
	current   []owner               // innermost last
	runs      int
	functions []Function // as told; Needs and Components are not filled in
}

// Tap returns an event logger for fx.WithLogger that learns from the events
// who appends which hook and what stands on what, and passes each event on to
// next. [app.New] puts it in place; in a bare fx.New it is
//
//	fx.WithLogger(func(c *lifecycle.Conductor) fxevent.Logger {
//		return c.Tap(&fxevent.ConsoleLogger{W: os.Stderr})
//	})
//
// Without the tap names come from the call stack and [Config.Parallel] has no
// effect. The events of the one hook by which Fx drives the conductor are not
// passed on: what they stand for is logged hook by hook. While a constructor
// runs, its goroutine and those it starts carry pprof labels, by which a leak
// is traced to its component; labels that the caller of fx.New had set on its
// own goroutine are not restored.
//
// [app.New]: https://pkg.go.dev/github.com/lastcall-go/lastcall/app#New
func (c *Conductor) Tap(next fxevent.Logger) fxevent.Logger {
	c.mu.Lock()
	c.constructors.tapped = true
	c.mu.Unlock()
	return &tap{conductor: c, next: next}
}

type tap struct {
	conductor *Conductor
	next      fxevent.Logger
}

// LogEvent implements [fxevent.Logger].
func (t *tap) LogEvent(event fxevent.Event) {
	c := t.conductor
	if isConductor(hookOf(event)) {
		return
	}
	c.told(event)
	switch e := event.(type) {
	case *fxevent.Provided:
		c.provided(e)
	case *fxevent.Decorated:
		c.decorated(e)
	case *fxevent.Invoking:
		c.enter(owner{name: e.FunctionName, module: e.ModuleName, kind: ownerOther})
	case *fxevent.Invoked:
		c.leave()
	case *fxevent.BeforeRun:
		kind := ownerOther
		if e.Kind == "provide" {
			kind = ownerConstructor
		}
		c.enter(owner{name: e.Name, module: e.ModuleName, kind: kind})
	case *fxevent.Run:
		c.leave()
	}
	t.next.LogEvent(event)
}

// hookOf is the function of an event about a hook of Fx; empty for another.
func hookOf(event fxevent.Event) string {
	switch e := event.(type) {
	case *fxevent.OnStartExecuting:
		return e.FunctionName
	case *fxevent.OnStartExecuted:
		return e.FunctionName
	case *fxevent.OnStopExecuting:
		return e.FunctionName
	case *fxevent.OnStopExecuted:
		return e.FunctionName
	default:
		return ""
	}
}

func isConductor(function string) bool {
	return strings.HasPrefix(function, thisPackage+"(*Conductor).fx")
}

func (c *Conductor) provided(e *fxevent.Provided) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := strings.TrimSuffix(e.ConstructorName, "()")
	c.constructors.outputs[name] = append(c.constructors.outputs[name], e.OutputTypeNames)
}

func (c *Conductor) decorated(e *fxevent.Decorated) {
	if isOurs(e.DecoratorName) {
		return // sees through
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.constructors.decorated = append(c.constructors.decorated, e.OutputTypeNames...)
}

// enter and leave bracket the run of one function. Fx runs one at a time, but
// builds what an invoked function needs between Invoking and Invoked.
func (c *Conductor) enter(o owner) {
	c.mu.Lock()
	c.constructors.runs++
	o.run = c.constructors.runs
	c.constructors.current = append(c.constructors.current, o)
	c.mu.Unlock()
	c.label(o)
}

func (c *Conductor) leave() {
	c.mu.Lock()
	stack := c.constructors.current
	if len(stack) > 0 {
		stack = stack[:len(stack)-1]
	}
	c.constructors.current = stack
	c.mu.Unlock()
	if len(stack) > 0 {
		c.label(stack[len(stack)-1])
		return
	}
	pprof.SetGoroutineLabels(context.Background())
}

const (
	labelApp       = "lastcall.app"
	labelComponent = "lastcall.component"
	labelRun       = "lastcall.run"
	labelCall      = "lastcall.call"
)

func (c *Conductor) label(o owner) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(
		labelApp, c.id, labelComponent, o.label(), labelRun, strconv.Itoa(o.run))))
}

// currentOwner is who runs now, or, where no event tells, who is on the call
// stack.
func (c *Conductor) currentOwner() owner {
	c.mu.Lock()
	stack := c.constructors.current
	c.mu.Unlock()
	if len(stack) > 0 {
		return stack[len(stack)-1]
	}
	return ownerFromStack()
}
