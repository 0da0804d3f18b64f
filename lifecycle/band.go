package lifecycle

import (
	"fmt"
	"strconv"
)

// Band says how early a component stops; it starts as late. Within a band
// components stop in the reverse order of their registration. A dependency
// beats a band: see [Plan].
type Band int

// The bands, in the order in which they stop.
const (
	// Ingress lets work in: servers, consumers, cron. First to stop, and all
	// at once where neither After nor a dependency orders it.
	Ingress Band = iota - 1
	// Middle is everything that does not say otherwise, plain fx.Hooks too.
	Middle
	// Resource is what the others work with: clients, databases.
	Resource
	// Sink is what the others tell things to: logs, metrics. Last to stop.
	Sink
)

func (b Band) String() string {
	switch b {
	case Ingress:
		return "ingress"
	case Middle:
		return "middle"
	case Resource:
		return "resource"
	case Sink:
		return "sink"
	default:
		return "band(" + strconv.Itoa(int(b)) + ")"
	}
}

// MarshalText makes a band readable in a JSON receipt.
func (b Band) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what MarshalText wrote of one of the four.
func (b *Band) UnmarshalText(text []byte) error {
	for known := Ingress; known <= Sink; known++ {
		if known.String() == string(text) {
			*b = known
			return nil
		}
	}
	return fmt.Errorf("lifecycle: %q is no band; there are ingress, middle, resource and sink", text)
}
