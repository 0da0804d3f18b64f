package config

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

func (l *loader) usage(cmd *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [flags] [-- arguments]\n\nFlags:\n%s", l.opts.Name, cmd.usage)
	fmt.Fprintf(&b, "\nKeys, for the file, --set, or the environment (a.b is %sA_B):\n", l.opts.Prefix)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	slices.Sort(l.root.names) // sections come in any order
	l.root.describe(func(n *node) {
		var value string
		if !n.isNil() {
			y := l.yamlLeaf(n)
			y.LineComment = ""
			value = strings.TrimSpace(string(encode(y)))
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\n", n.key, strings.TrimPrefix(n.wants(), "a "), value)
	})
	_ = w.Flush() // writes to memory
	return b.String()
}

// describe calls fn for every leaf, and once for what an entry of a map that
// does not exist yet may hold.
func (n *node) describe(fn func(*node)) {
	if n.kind == leaf || n.kind == list {
		fn(n)
		return
	}
	for _, name := range n.names {
		n.kids[name].describe(fn)
	}
	if n.open() {
		n.entry("<name>").describe(fn)
	}
}
