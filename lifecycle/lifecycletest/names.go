package lifecycletest

import (
	"strings"
	"sync"
)

// names are the components that a fault has seen.
type names struct {
	mu   sync.Mutex
	list []string
}

func (n *names) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, name)
}

func (n *names) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) == 0 {
		return "nobody (is lifecycle.Module among the options, and did it get that far?)"
	}
	return strings.Join(n.list, ", ")
}
