package poolmodule

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// inspection is what a close look at a pool finds.
type inspection struct {
	Stats pool.Stats `json:"stats"`
	// Running is what the workers run, what was seen longest first.
	Running []pool.Running `json:"running"`
	// Stacks is where in the tasks' own code the workers are, the place with the
	// most of them first. Of a moment later than Running.
	Stacks []stack `json:"stacks"`
}

// stack is a place in a task at which Count workers are.
type stack struct {
	Count int `json:"count"`
	// Task is the function that the pool has called.
	Task string `json:"task"`
	// At is the innermost line; Stack is all of them.
	At    string `json:"at"`
	Stack string `json:"stack"`
}

func (p poolPanel) inspect() inspection {
	i := inspection{Stats: p.Stats(), Running: p.Running(), Stacks: []stack{}}
	if len(i.Running) > 0 {
		i.Stacks = stacksOf(p.labels.get())
	}
	return i
}

// labels are the profiler's labels of a pool's workers: those of the context
// with which it was started.
type labels struct {
	mu  sync.Mutex
	all map[string]string // nil: it was not started, or has none
}

func (l *labels) take(ctx context.Context) {
	all := map[string]string{}
	pprof.ForLabels(ctx, func(key, value string) bool {
		all[key] = value
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = all
}

func (l *labels) get() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all
}

var profileLine = regexp.MustCompile(`^#\t0x[0-9a-f]+\t(\S+?)(?:\+0x[0-9a-f]+)?\s+(\S.*)$`)

// stacksOf finds the tasks among the goroutines that carry all these labels. It
// stops the world for a moment, so it is for a person who looks.
func stacksOf(labels map[string]string) []stack {
	found := []stack{}
	if len(labels) == 0 {
		return found
	}
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a bytes.Buffer does not fail
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if s, ok := taskIn(block, labels); ok {
			found = append(found, s)
		}
	}
	slices.SortStableFunc(found, func(a, b stack) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.At, b.At))
	})
	return found
}

// taskIn reads one group of goroutines of a profile. Of the stack it keeps what
// is within the task: the frames of the pool are around it.
func taskIn(block string, want map[string]string) (stack, bool) {
	var s stack
	var frames []string
	isOurs := false
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if text, ok := strings.CutPrefix(line, "# labels: "); ok {
			isOurs = carries(text, want)
		} else if m := profileLine.FindStringSubmatch(line); m != nil {
			frames = append(frames, m[1]+" ("+m[2]+")")
		} else if n, _, ok := strings.Cut(line, " @ "); ok {
			s.Count, _ = strconv.Atoi(n) // as the profile writes it
		}
	}
	if !isOurs {
		return s, false
	}
	outermost := len(frames)
	for outermost > 0 && strings.HasPrefix(frames[outermost-1], poolPackage) {
		outermost--
	}
	if outermost == 0 || outermost == len(frames) {
		return s, false // it has nothing to do, or is no worker
	}
	s.Task, _, _ = strings.Cut(frames[outermost-1], " (")
	s.At, s.Stack = frames[0], strings.Join(frames[:outermost], "\n")
	return s, true
}

const poolPackage = "github.com/lastcall-go/lastcall/poolmodule/pool."

func carries(text string, want map[string]string) bool {
	var has map[string]string
	if json.Unmarshal([]byte(text), &has) != nil {
		return false // not ours
	}
	for key, value := range want {
		if has[key] != value {
			return false
		}
	}
	return true
}
