package alarm

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzTemplates gives every template names and texts of any kind: the body is
// JSON of the same shape, and what was said is in it.
func FuzzTemplates(f *testing.F) {
	for _, text := range []string{
		"pool:sms", `"`, `\`, "a\nb\r\t", "\x00\x1b", "\xff\xfe", "</script>", "<at user_id=\"all\"></at>", "{{.}}", "\u2028", "漢字", strings.Repeat("é", 3000), "",
	} {
		f.Add(text, text, text)
	}
	f.Fuzz(func(t *testing.T, component, text, service string) {
		now := time.Now()
		m := Message{Service: service, Host: service, Notices: []Notice{
			{State: Raised, Component: component, Alarm: text, Text: text, Help: text, At: now, Since: now, Receivers: []string{component}},
			{State: Resolved, Component: text, Alarm: component, Text: component, At: now, Since: now},
		}}
		for _, p := range Platforms() {
			tmpl, err := loadTemplate(p, "")
			require.NoError(t, err)
			for _, sign := range []string{"", text} {
				body, err := render(tmpl, view{Message: m, Timestamp: "1", Sign: sign})
				require.NoError(t, err, p)
				var got map[string]any
				require.NoError(t, json.Unmarshal(body, &got), p)
				require.Equal(t, keysOf(p, sign != ""), keys(got), "%s: a text has made a member of its own", p)
			}
		}
		wecom, _ := loadTemplate(WeCom, "")
		body, err := render(wecom, view{Message: m})
		require.NoError(t, err)
		var got struct{ Text struct{ Content string } }
		require.NoError(t, json.Unmarshal(body, &got))
		require.LessOrEqual(t, len(got.Text.Content), 2048, "what WeCom takes")
		require.NotContains(t, got.Text.Content, "<")
	})
}

func keys(m map[string]any) map[string]bool {
	set := map[string]bool{}
	for key := range m {
		set[key] = true
	}
	return set
}

func keysOf(p Platform, signed bool) map[string]bool {
	var names []string
	switch p {
	case Slack:
		names = []string{"text", "blocks"}
	case Lark:
		names = []string{"msg_type", "card"}
		if signed {
			names = append(names, "timestamp", "sign")
		}
	case DingTalk:
		names = []string{"msgtype", "text", "at"}
	case WeCom:
		names = []string{"msgtype", "text"}
	default:
		names = []string{"title", "state", "service", "host", "pid", "notices"}
	}
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}
