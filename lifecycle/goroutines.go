package lifecycle

import (
	"bytes"
	"encoding/json"
	"iter"
	"reflect"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
)

// goroutines is a group of goroutines with the same stack and labels, as the
// goroutine profile shows them.
type goroutines struct {
	count  int
	labels map[string]string
	frames []frame // innermost first
}

type frame struct{ function, position string }

var (
	profileHead  = regexp.MustCompile(`^(\d+) @`)
	profileFrame = regexp.MustCompile(`^#\t0x[0-9a-f]+\t(\S+?)(?:\+0x[0-9a-f]+)?\s+(\S.*)$`)
)

// labelled returns the goroutines of this process that carry the label. It
// stops the world for a moment, so it is for reports only.
func labelled(key, value string) []goroutines {
	var found []goroutines
	for block := range goroutineProfile() {
		if !strings.Contains(block, strconv.Quote(value)) {
			continue // saves reading the stacks of everybody else
		}
		if g := parseGoroutines(block); g.labels[key] == value {
			found = append(found, g)
		}
	}
	return found
}

// goroutineProfile is the profile of this moment, a block for each group of
// goroutines.
func goroutineProfile() iter.Seq[string] {
	var buf bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&buf, 1) // a bytes.Buffer does not fail
	return strings.SplitSeq(buf.String(), "\n\n")
}

func parseGoroutines(block string) goroutines {
	var g goroutines
	for line := range strings.Lines(block) {
		line = strings.TrimRight(line, "\n")
		if m := profileHead.FindStringSubmatch(line); m != nil {
			g.count, _ = strconv.Atoi(m[1]) // digits, by the expression
		} else if labels, ok := strings.CutPrefix(line, "# labels: "); ok {
			// Labels that are not JSON are not ours.
			_ = json.Unmarshal([]byte(labels), &g.labels)
		} else if m := profileFrame.FindStringSubmatch(line); m != nil {
			g.frames = append(g.frames, frame{m[1], m[2]})
		}
	}
	return g
}

// stackOf is where the one goroutine with the label is: the innermost line
// that is not the standard library's, and the whole stack.
func stackOf(key, value string) (where, stack string) {
	for _, g := range labelled(key, value) {
		if g.isHook() {
			return g.where(), g.stack()
		}
	}
	return "", ""
}

// isHook tells the goroutine of a hook from those that the hook has started.
func (g goroutines) isHook() bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool { return f.function == thisPackage+"runHook" })
}

// isStop tells the goroutine of a component that stops the application, and
// waits for that or conducts it.
func (g goroutines) isStop() bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool {
		return f.function == thisPackage+"(*Conductor).Stop" || f.function == "go.uber.org/fx.(*App).Stop"
	})
}

// isConnection tells the goroutines of an HTTP client's connections: they
// belong to its transport, which keeps them for the next request of anybody,
// and not to the component whose request has made them.
func (g goroutines) isConnection() bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool {
		switch f.function {
		case "net/http.(*persistConn).readLoop", "net/http.(*persistConn).writeLoop", "net/http.(*http2ClientConn).readLoop":
			return true
		}
		return false
	})
}

func (g goroutines) where() string {
	for _, f := range g.frames {
		if !isStandard(f.position) {
			return f.function + " (" + f.position + ")"
		}
	}
	if n := len(g.frames); n > 0 {
		return g.frames[n-1].function // what the goroutine was started with
	}
	return ""
}

func (g goroutines) stack() string {
	var b strings.Builder
	for _, f := range g.frames {
		b.WriteString(f.function + "\n\t" + f.position + "\n")
	}
	return b.String()
}

// standardRoot is where the sources of the standard library lie, as this
// binary knows them; empty if it was built with -trimpath.
var standardRoot = func() string {
	f := runtime.FuncForPC(reflect.ValueOf(runtime.GC).Pointer())
	file, _ := f.FileLine(f.Entry())
	root, _, _ := strings.Cut(file, "runtime/")
	return root
}()

// isStandard reports whether a source position is in the standard library.
// With -trimpath these are the paths whose first element has no dot.
func isStandard(position string) bool {
	if standardRoot != "" {
		return strings.HasPrefix(position, standardRoot)
	}
	first, _, nested := strings.Cut(position, "/")
	return nested && !strings.Contains(first, ".")
}
