package alarm

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/lastcall-go/lastcall/intake"
)

//go:embed templates/*.tmpl
var shipped embed.FS

// view is the data of a template.
type view struct {
	Message
	// Timestamp is that of the signature; Sign is what Lark wants in the body.
	Timestamp, Sign string
}

var functions = template.FuncMap{
	"json":  inJSON,
	"clip":  clip,
	"slack": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace,
	"plain": strings.NewReplacer("<", "‹", ">", "›").Replace,
}

// inJSON writes any value as JSON. What is no UTF-8 in a text becomes U+FFFD.
func inJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// clip shortens a text to so many bytes, and makes it valid: an end within a
// character, or what was none before, is left out.
func clip(most int, s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	const more = "..."
	return strings.ToValidUTF8(s[:max(0, most-len(more))], "") + more
}

// loadTemplate reads the template of a platform, or one's own, and tries it.
func loadTemplate(p Platform, path string) (*template.Template, error) {
	var text []byte
	var err error
	if path == "" {
		text, err = shipped.ReadFile("templates/" + string(p) + ".json.tmpl")
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	t, err := template.New(string(p)).Funcs(functions).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("template: %s%w", where(path), err)
	}
	for _, sample := range samples() {
		if _, err := render(t, sample); err != nil {
			return nil, fmt.Errorf("%w; tried with a sample%s", err, where(path))
		}
	}
	return t, nil
}

func where(path string) string {
	if path == "" {
		return ""
	}
	return " (" + path + ") "
}

// samples have in them what a template may forget: quotes, more than one
// notice, and nothing where there need not be anything.
func samples() []view {
	now := time.Now()
	notice := Notice{
		ID: 1, State: Raised, Component: `pool:"sms"\`, Kind: "pool", Alarm: "capacity", Unit: "%", Value: 93.5, Threshold: 80,
		Text: "two\nlines and a \" quote", Help: "What to do.", At: now, Since: now, Ledger: &intake.Ledger{},
		Stats: json.RawMessage(`{"queued":93}`), Receivers: []string{},
	}
	bare := Notice{State: Noted, Component: Application, Alarm: "test", At: now, Since: now, Receivers: []string{}}
	return []view{
		{Message: Message{Service: "shop", Notices: []Notice{bare}}, Timestamp: "1"},
		{Message: Message{Service: "shop", Host: "host", PID: 1, Notices: []Notice{notice, bare}}, Timestamp: "1", Sign: "+/="},
	}
}

// render makes the body. One that is no JSON would be refused by the other side
// with less of a reason.
func render(t *template.Template, v view) ([]byte, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	if !json.Valid(b.Bytes()) {
		return nil, errors.New("template: it does not make JSON; write each text with the function json, which puts the quotes")
	}
	return b.Bytes(), nil
}
