package actuator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/lifecycle"
)

func (a *Actuator) threadEndpoints() []endpoint {
	return []endpoint{{Endpoint{
		ID: "threaddump", Method: http.MethodGet, Path: "/threaddump", Answer: threadDump{}, Media: textMedia,
		Query:   map[string]string{"component": "a name: only the goroutines of that component"},
		Summary: "The goroutines, those at the same place together, by the component that has started them. As text with Accept: text/plain.",
	}, a.threadDump}}
}

// threadDump is Spring's, with a group of goroutines where it has a thread.
type threadDump struct {
	Threads []thread `json:"threads"`
}

// thread has what Go knows of Spring's; what it cannot know is -1 or false, as
// there for a VM that does not measure it.
type thread struct {
	ThreadName   string       `json:"threadName"`
	ThreadID     int          `json:"threadId"`
	ThreadState  string       `json:"threadState"`
	BlockedTime  int          `json:"blockedTime"`
	BlockedCount int          `json:"blockedCount"`
	WaitedTime   int          `json:"waitedTime"`
	WaitedCount  int          `json:"waitedCount"`
	LockOwnerID  int          `json:"lockOwnerId"`
	Daemon       bool         `json:"daemon"`
	InNative     bool         `json:"inNative"`
	Suspended    bool         `json:"suspended"`
	Priority     int          `json:"priority"`
	StackTrace   []stackTrace `json:"stackTrace"`
	// LockedMonitors and LockedSynchronizers are always empty: Go does not say
	// who holds a lock.
	LockedMonitors      []any `json:"lockedMonitors"`
	LockedSynchronizers []any `json:"lockedSynchronizers"`

	// Component, Count and GoState are ours: whose they are, how many, and what
	// they do in Go's own words.
	Component string `json:"component"`
	Count     int    `json:"count"`
	GoState   string `json:"goState"`
}

type stackTrace struct {
	ClassName    string `json:"className"`
	MethodName   string `json:"methodName"`
	FileName     string `json:"fileName"`
	LineNumber   int    `json:"lineNumber"`
	NativeMethod bool   `json:"nativeMethod"`
}

func (a *Actuator) threadDump(w http.ResponseWriter, r *http.Request) error {
	groups := a.conductor.Goroutines()
	if r.URL.Query().Has("component") {
		component := r.URL.Query().Get("component")
		groups = slices.DeleteFunc(groups, func(g lifecycle.Goroutines) bool { return g.Component != component })
	}
	if wantsText(r) {
		sendText(w, dumpText(groups))
		return nil
	}
	dump := threadDump{Threads: make([]thread, len(groups))}
	for i, g := range groups {
		dump.Threads[i] = newThread(i+1, g)
	}
	return reply(w, r, http.StatusOK, dump)
}

func newThread(id int, g lifecycle.Goroutines) thread {
	t := thread{
		ThreadName: threadName(g), ThreadID: id, ThreadState: threadState(g.State),
		BlockedTime: -1, BlockedCount: -1, WaitedTime: -1, WaitedCount: -1, LockOwnerID: -1,
		StackTrace: make([]stackTrace, len(g.Frames)), LockedMonitors: []any{}, LockedSynchronizers: []any{},
		Component: g.Component, Count: g.Count, GoState: g.State,
	}
	for i, f := range g.Frames {
		class, method := splitFunction(f.Function)
		t.StackTrace[i] = stackTrace{ClassName: class, MethodName: method, FileName: f.File, LineNumber: f.Line}
	}
	return t
}

// threadName is what a list shows: "pool:sms: 8 in pool.(*worker).run".
func threadName(g lifecycle.Goroutines) string {
	whose := g.Component
	if whose == "" {
		whose = "(nobody's)"
	}
	if len(g.Frames) == 0 {
		return fmt.Sprintf("%s: %d", whose, g.Count)
	}
	began := g.Frames[len(g.Frames)-1].Function // what they were started with
	return fmt.Sprintf("%s: %d in %s", whose, g.Count, began[strings.LastIndexByte(began, '/')+1:])
}

// threadState is the nearest of Java's words.
func threadState(state string) string {
	switch state {
	case "running":
		return "RUNNABLE"
	case "sleep":
		return "TIMED_WAITING"
	case "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock":
		return "BLOCKED"
	default:
		return "WAITING"
	}
}

// splitFunction splits "example.com/pool.(*Worker).run" behind the package.
func splitFunction(function string) (class, method string) {
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return "", function
	}
	return function[:slash+dot], function[slash+dot+1:]
}

func dumpText(groups []lifecycle.Goroutines) string {
	var b strings.Builder
	total := 0
	for _, g := range groups {
		total += g.Count
	}
	fmt.Fprintf(&b, "%d goroutines at %d places", total, len(groups))
	for i, g := range groups {
		if i == 0 || g.Component != groups[i-1].Component {
			whose := g.Component
			if whose == "" {
				whose = "(nobody's)"
			}
			fmt.Fprintf(&b, "\n\n%s", whose)
		}
		fmt.Fprintf(&b, "\n\n  %d [%s]", g.Count, g.State)
		for _, f := range g.Frames {
			fmt.Fprintf(&b, "\n    %s\n      %s:%d", f.Function, f.File, f.Line)
		}
	}
	b.WriteByte('\n')
	return b.String()
}
