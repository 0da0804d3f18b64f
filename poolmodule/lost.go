package poolmodule

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// mostNamed bounds how many functions an error names. It stands in a log line.
const mostNamed = 5

// lostError says which functions never ran, the most frequent first. A saver
// may have settled some of the tasks before it failed: they are not lost.
func lostError(name string, tasks []pool.Task, why error) error {
	times := map[string]int{}
	lost := 0
	for _, task := range tasks {
		if function := task.Name(); function != "" {
			times[function]++
			lost++
		}
	}
	if lost == 0 {
		return fmt.Errorf("pool %s: %w", name, why)
	}
	return fmt.Errorf("pool %s: %s lost: %s: %w", name, english.Plural(lost, "task", ""), counted(times), why)
}

func counted(times map[string]int) string {
	functions := slices.SortedFunc(maps.Keys(times), func(a, b string) int {
		return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b))
	})
	named := functions[:min(len(functions), mostNamed)]
	var parts []string
	for _, function := range named {
		parts = append(parts, fmt.Sprintf("%s ×%d", function, times[function]))
	}
	rest := 0
	for _, function := range functions[len(named):] {
		rest += times[function]
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more of %d others", rest, len(functions)-len(named)))
	}
	return strings.Join(parts, ", ")
}
