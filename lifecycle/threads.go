package lifecycle

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Goroutines are those of the process that stand at the same place with the
// same stack, and were started on behalf of the same component.
type Goroutines struct {
	// Component is whose they are: that of the hook, or of the constructor, in
	// which they began. Empty: nobody's that is known.
	Component string `json:"component,omitempty"`
	Count     int    `json:"count"`
	// State is what they do there, in the words of Go's own tracebacks: "chan
	// receive", "select", "sleep", "IO wait", "sync.Mutex.Lock"; "running" for
	// those that could go on at once, "waiting" for a wait without a name.
	State string `json:"state"`
	// Frames are the stack, innermost first, from the first function on that is
	// not the runtime's.
	Frames []StackFrame `json:"frames"`
}

// StackFrame is one line of a stack.
type StackFrame struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

// Goroutines are all of this process at one moment: those of the components
// first, by their names, and the many before the few. It takes a moment for
// every goroutine that there is, so it is for a person who looks, not for a
// time series. What begins on behalf of nobody, or under labels set anew,
// belongs to nobody.
func (c *Conductor) Goroutines() []Goroutines {
	var all []Goroutines
	for block := range goroutineProfile() {
		g := parseGoroutines(block)
		if g.count == 0 {
			continue // the line above the first
		}
		all = append(all, Goroutines{Component: c.componentOf(g.labels), Count: g.count, State: stateOf(block), Frames: g.lines()})
	}
	slices.SortStableFunc(all, func(a, b Goroutines) int {
		if (a.Component == "") != (b.Component == "") {
			return cmp.Compare(b.Component, a.Component)
		}
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(b.Count, a.Count))
	})
	return all
}

// componentOf reads the labels that one of our hooks or constructors has set.
func (c *Conductor) componentOf(labels map[string]string) string {
	if labels[labelApp] != c.id {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.componentOfLocked(labels)
}

func (g goroutines) lines() []StackFrame {
	lines := make([]StackFrame, 0, len(g.frames))
	for _, f := range g.frames {
		line := StackFrame{Function: f.function, File: f.position}
		if colon := strings.LastIndexByte(f.position, ':'); colon >= 0 {
			if n, err := strconv.Atoi(f.position[colon+1:]); err == nil {
				line.File, line.Line = f.position[:colon], n
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// waits are the functions in which a goroutine waits, and what that is called.
var waits = map[string]string{
	"runtime.chanrecv":                      "chan receive",
	"runtime.chansend":                      "chan send",
	"runtime.selectgo":                      "select",
	"runtime.block":                         "select (no cases)",
	"internal/poll.runtime_pollWait":        "IO wait",
	"time.Sleep":                            "sleep",
	"sync.runtime_notifyListWait":           "sync.Cond.Wait",
	"sync.runtime_SemacquireWaitGroup":      "sync.WaitGroup.Wait",
	"sync.runtime_SemacquireRWMutex":        "sync.RWMutex.Lock",
	"sync.runtime_SemacquireRWMutexR":       "sync.RWMutex.RLock",
	"sync.runtime_SemacquireMutex":          "sync.Mutex.Lock",
	"internal/sync.runtime_SemacquireMutex": "sync.Mutex.Lock",
	"sync.runtime_Semacquire":               "semacquire",
	"internal/synctest.Wait":                "synctest.Wait",
	"os/signal.signal_recv":                 "waiting for a signal",
}

// stateOf reads what the goroutines of a block of the profile do. The frames
// that it prints leave out the functions of the runtime that tell; the
// addresses in its first line have them all.
func stateOf(block string) string {
	frames := runtime.CallersFrames(addresses(block))
	f, more := frames.Next()
	if f.Function != "runtime.gopark" {
		if waits[f.Function] != "" {
			return waits[f.Function] // some wait without being parked
		}
		return "running"
	}
	for more {
		f, more = frames.Next()
		if state := waits[f.Function]; state != "" {
			return state
		}
		if !strings.HasPrefix(f.Function, "runtime.") {
			break
		}
	}
	return "waiting"
}

// addresses are those of the line "12 @ 0x4446f1 0x48301d …".
func addresses(block string) []uintptr {
	var pcs []uintptr
	for line := range strings.Lines(block) {
		if !profileHead.MatchString(line) {
			continue
		}
		_, list, _ := strings.Cut(line, "@")
		for field := range strings.FieldsSeq(list) {
			if pc, err := strconv.ParseUint(field, 0, 64); err == nil {
				pcs = append(pcs, uintptr(pc))
			}
		}
		break
	}
	return pcs
}
