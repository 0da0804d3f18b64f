package actuator

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/lastcall-go/lastcall/internal/secret"
)

// masked stands where a secret was.
const masked = secret.Hidden

// mask takes secrets out of what components say of themselves; see package
// secret for what it knows.
type mask struct {
	show []string // patterns of keys that are none
}

func (a *Actuator) mask() mask { return mask{a.cfg.Show} }

// Masked encodes v as JSON as the answers are: secrets are hidden in it. What
// cannot be encoded, or panics at it, is an error.
func (c Config) Masked(v any) (json.RawMessage, error) { return mask{c.Show}.json(v) }

// Hides reports whether the value of a whole configuration key ("db.password")
// is hidden, because of how the key sounds. Show is asked for all of it, and for
// its last part.
func (c Config) Hides(key string) bool {
	m := mask{c.Show}
	return m.secret(key) && !m.shown(key[strings.LastIndexByte(key, '.')+1:])
}

// Mask is the value of a configuration key as an answer may show it: hidden as a
// whole where the key sounds like a secret, else with what sounds so inside of
// it hidden. What it returns is encoded as JSON.
func (c Config) Mask(key string, value any) any {
	raw, err := c.Masked(value)
	if c.Hides(key) {
		raw, err = secret.Hide(value)
	}
	if err != nil {
		return masked
	}
	return raw
}

// secret reports whether the value of a key is to be hidden.
func (m mask) secret(key string) bool { return secret.Key(key) && !m.shown(key) }

// shown: the configuration says that it is none.
func (m mask) shown(key string) bool {
	return slices.ContainsFunc(m.show, func(p string) bool {
		ok, _ := path.Match(p, key) // Validate has looked at the pattern
		return ok
	})
}

// text hides the secrets in a text.
func (m mask) text(s string) string { return secret.Text(s) }

// json encodes what a component says, with its secrets hidden and its fields
// in their order. What cannot be encoded, or panics at it, is an error.
func (m mask) json(v any) (json.RawMessage, error) { return secret.JSON(v, m.shown) }
