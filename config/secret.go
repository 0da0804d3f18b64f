package config

import (
	"fmt"
	"io"
	"log/slog"
)

const mask = "***"

// Secret is a text that cannot be printed: whatever formats, logs or encodes
// it sees three stars. Only [Secret.Reveal] gives it away. The zero value is
// an empty secret.
//
// It is decoded from text as a string is; a JSON or YAML encoder writes the
// stars, so a secret does not survive a round trip.
type Secret struct {
	// A pointer, because fmt looks through unexported fields of other structs
	// without asking their methods; there it finds an address.
	text *string
}

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// String returns three stars, and nothing for an empty secret, so that a
// missing one can be seen.
func (s Secret) String() string {
	if s.Reveal() == "" {
		return ""
	}
	return mask
}

// GoString returns what String does.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns what String does.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns what String does.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
