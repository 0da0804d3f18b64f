package actuator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// masked stands where a secret was.
const masked = "******"

// mask takes secrets out of what components say of themselves. It goes by what
// keys are called and what texts look like: a net, not a proof. The proof is a
// component that does not say its secrets.
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
	open, err := encode(value)
	if err != nil {
		return masked
	}
	dec := json.NewDecoder(bytes.NewReader(open))
	dec.UseNumber()
	var out bytes.Buffer
	if err := (mask{c.Show}).copy(&out, dec, c.Hides(key)); err != nil {
		return masked
	}
	return json.RawMessage(out.Bytes())
}

// secretWords make a key secret wherever they stand in it, secretEnds where
// they are its end: "max_tokens" is none.
var (
	secretWords = []string{"password", "passwd", "pwd", "passphrase", "secret", "secrets", "credential", "credentials", "authorization", "cookie"}
	secretEnds  = []string{"token", "apikey", "api key", "private key", "access key", "signing key", "encryption key", "dsn"}
)

// secret reports whether the value of a key is to be hidden.
func (m mask) secret(key string) bool {
	ws := words(key)
	joined := strings.Join(ws, " ")
	sounds := slices.ContainsFunc(ws, func(w string) bool { return slices.Contains(secretWords, w) }) ||
		slices.ContainsFunc(secretEnds, func(end string) bool { return joined == end || strings.HasSuffix(joined, " "+end) })
	return sounds && !m.shown(key)
}

// shown: the configuration says that it is none.
func (m mask) shown(key string) bool {
	return slices.ContainsFunc(m.show, func(p string) bool {
		ok, _ := path.Match(p, key) // Validate has looked at the pattern
		return ok
	})
}

// words splits "db.apiKey", "DB_API_KEY" and "db-api-key" into the same words.
func words(key string) []string {
	var b strings.Builder
	var last rune
	for _, r := range key {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// inText are the places of secrets in a text; what the groups have is kept.
var inText = []*regexp.Regexp{
	regexp.MustCompile(`(://[^\s/:@"]*:)[^\s/"]*@`),
	regexp.MustCompile(`(\b[\w.-]+:)[^\s/:"]+@(tcp|unix)\b`),
	regexp.MustCompile(`(?i)(\b[\w.-]*(?:password|passwd|pwd|secret|token|api_?key|access_?key)[\w-]*=)[^\s&;"',]+`),
	regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`),
}

// text hides the secrets in a text.
func (m mask) text(s string) string {
	if !strings.ContainsAny(s, ":=") && !strings.ContainsRune(s, ' ') {
		return s
	}
	s = inText[0].ReplaceAllString(s, "${1}"+masked+"@")
	s = inText[1].ReplaceAllString(s, "${1}"+masked+"@${2}")
	s = inText[2].ReplaceAllString(s, "${1}"+masked)
	return inText[3].ReplaceAllString(s, "${1}"+masked)
}

// json encodes what a component says, with its secrets hidden and its fields
// in their order. What cannot be encoded, or panics at it, is an error.
func (m mask) json(v any) (raw json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			raw, err = nil, fmt.Errorf("panic while it was encoded: %v", p)
		}
	}()
	open, err := encode(v)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(open))
	dec.UseNumber()
	var out bytes.Buffer
	if err := m.copy(&out, dec, false); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// copy copies one value.
func (m mask) copy(out *bytes.Buffer, dec *json.Decoder, secret bool) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return m.copyMany(out, dec, t, secret)
	case string:
		if secret && t != "" {
			t = masked
		}
		return put(out, m.text(t))
	case json.Number:
		if secret {
			return put(out, masked)
		}
		out.WriteString(t.String())
		return nil
	default: // true, false, null
		return put(out, t)
	}
}

// copyMany copies the rest of an object or a list.
func (m mask) copyMany(out *bytes.Buffer, dec *json.Decoder, open json.Delim, secret bool) error {
	out.WriteString(open.String())
	for first := true; dec.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		hide := secret
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return err
			}
			key, _ := token.(string) // JSON has no others
			if err := put(out, key); err != nil {
				return err
			}
			out.WriteByte(':')
			hide = secret || m.secret(key)
		}
		if err := m.copy(out, dec, hide); err != nil {
			return err
		}
	}
	end, err := dec.Token()
	if err != nil {
		return err
	}
	fmt.Fprint(out, end)
	return nil
}

func put(out *bytes.Buffer, v any) error {
	raw, err := encode(v)
	out.Write(bytes.TrimSuffix(raw, []byte("\n")))
	return err
}
