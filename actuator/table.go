package actuator

import (
	"fmt"
	"strings"
)

// Table draws all endpoints there are as a table in Markdown, those that are off
// and those of others included.
func (a *Actuator) Table() string {
	var b strings.Builder
	b.WriteString("| id | request | query | what it is |\n|---|---|---|---|\n")
	for _, e := range a.all() {
		var query []string
		for _, key := range sortedKeys(e.Query) {
			query = append(query, "`"+key+"` "+e.Query[key])
		}
		fmt.Fprintf(&b, "| %s | `%s %s` | %s | %s%s |\n", e.ID, e.Method, a.pattern(e.Endpoint), strings.Join(query, "; "), e.Summary, e.marks())
	}
	return b.String()
}

func (e endpoint) marks() string {
	marks := ""
	if e.Write {
		marks += " *Changes something.*"
	}
	if e.Open {
		marks += " *Open to all.*"
	}
	if e.OffByDefault {
		marks += " *Off by default.*"
	}
	return marks
}
