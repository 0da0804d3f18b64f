package lifecycle

import "context"

// Interceptor stands around a hook of a component: it gets the hook and
// returns what is called in its place. Interceptors come from the graph, in
// the value group [InterceptorGroup]; the tests of a service put faults in
// with them (lifecycletest), a tracer its spans.
type Interceptor func(component string, phase Phase, hook func(context.Context) error) func(context.Context) error

// InterceptorGroup is the value group of each [Interceptor]:
//
//	fx.Annotate(newTracer, fx.ResultTags(`group:"`+lifecycle.InterceptorGroup+`"`))
const InterceptorGroup = "lastcall.interceptors"

func (c *Conductor) intercept(interceptors []Interceptor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interceptors = interceptors
}

// intercepted is the hook with every interceptor around it. They are called
// in the goroutine of the hook: one that panics is the hook's panic.
func (c *Conductor) intercepted(comp *component, phase Phase, hook func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		hook := hook
		for _, intercept := range c.interceptors {
			hook = intercept(comp.name, phase, hook)
		}
		return hook(ctx)
	}
}
