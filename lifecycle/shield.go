package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime/debug"
	"sync/atomic"
)

// shielded is the panel as it is given to those who read it: a panic is the
// answer of the function in which it came, and changes are made through the
// one door. Panics are counted.
func (p *Panel) shielded(panics *atomic.Uint64, turn func(context.Context, map[string]any) error, act func(context.Context, Act) (any, error)) *Panel {
	s := &Panel{Kind: p.Kind}
	if p.Stats != nil {
		s.Stats = func() any { return answer(panics, func() any { return p.Stats() }, asAny) }
	}
	if p.Metrics != nil {
		s.Metrics = func() []Metric { return answer(panics, p.Metrics, none[[]Metric]) }
	}
	if p.Health != nil {
		s.Health = func(ctx context.Context) Health {
			return answer(panics, func() Health { return p.Health(ctx) }, func(err *PanicError) Health {
				return Health{Status: Unknown, Reason: "its health check panicked: " + err.Error()}
			})
		}
	}
	if p.Inspect != nil {
		s.Inspect = func(ctx context.Context) any {
			return answer(panics, func() any { return p.Inspect(ctx) }, asAny)
		}
	}
	if p.Knobs != nil {
		s.Knobs = func() []Knob { return answer(panics, p.Knobs, none[[]Knob]) }
	}
	if p.Turn != nil {
		s.Turn = turn
	}
	for _, action := range p.Actions {
		if action.Do != nil {
			action.Do = func(ctx context.Context, args map[string]any) (any, error) {
				return act(ctx, Act{Action: action.Name, Args: args})
			}
			if action.Rehearse != nil {
				action.Rehearse = func(ctx context.Context, args map[string]any) (any, error) {
					return act(ctx, Act{Action: action.Name, Args: args, DryRun: true})
				}
			}
			s.Actions = append(s.Actions, action)
		}
	}
	for _, alarm := range p.Alarms {
		if alarm = alarm.shielded(panics, s.Stats); alarm.Value != nil {
			s.Alarms = append(s.Alarms, alarm)
		}
	}
	return s
}

// shielded has a Value in any case, unless there is nothing to read it off.
func (a Alarm) shielded(panics *atomic.Uint64, stats func() any) Alarm {
	noNumber := func(*PanicError) float64 { return math.NaN() }
	if of := a.Of; of != nil && stats != nil {
		a.Of = func(stats any) float64 {
			if _, panicked := stats.(*PanicError); panicked {
				return math.NaN()
			}
			return answer(panics, func() float64 { return of(stats) }, noNumber)
		}
		a.Value = func() float64 { return a.Of(stats()) }
		return a
	}
	a.Of = nil
	if value := a.Value; value != nil {
		a.Value = func() float64 { return answer(panics, value, noNumber) }
	}
	return a
}

// answer is what f returns, or what its panic means.
func answer[T any](panics *atomic.Uint64, f func() T, panicked func(*PanicError) T) (result T) {
	defer func() {
		if v := recover(); v != nil {
			panics.Add(1)
			result = panicked(&PanicError{Value: v, Stack: string(debug.Stack())})
		}
	}()
	return f()
}

// caught is the panic of f, or nil.
func caught(f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: string(debug.Stack())}
		}
	}()
	f()
	return nil
}

func asAny(err *PanicError) any           { return err }
func none[T any](*PanicError) (nothing T) { return nothing }

// MarshalJSON writes the value as text, as it may be anything, and no stack.
func (e *PanicError) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"error": fmt.Sprintf("panic: %v", e.Value)})
}
