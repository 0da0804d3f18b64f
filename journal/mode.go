package journal

import "fmt"

// Mode says when a component writes its work down.
type Mode string

// The modes. The zero Mode leaves the choice to the component.
const (
	// Off: never. What a stop leaves over goes to a function of the user's,
	// or is lost.
	Off Mode = "off"
	// OnStop: what a stop leaves over is written down when everything else has
	// ended. A kill loses what is inside.
	OnStop Mode = "onstop"
	// Always: work is written down before it is accepted, and crossed out when
	// it is done. What that withstands is the store's to say.
	Always Mode = "always"
)

// Validate reports a mode that there is not.
func (m Mode) Validate() error {
	switch m {
	case "", Off, OnStop, Always:
		return nil
	}
	return fmt.Errorf("is %q; give %s, %s or %s", string(m), Off, OnStop, Always)
}
