package alarm_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/actuator/alarm"
	"github.com/lastcall-go/lastcall/intake"
)

// request is what a platform was sent.
type request struct {
	method string
	header http.Header
	query  url.Values
	body   string
}

// platform is a server that answers as one does.
type platform struct {
	*httptest.Server
	requests chan request
}

func serve(t *testing.T, status int, answer string, header ...string) *platform {
	t.Helper()
	p := &platform{requests: make(chan request, 100)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.requests <- request{r.Method, r.Header.Clone(), r.URL.Query(), string(body)}
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(p.Close)
	return p
}

// open is a webhook that is ready.
func open(t *testing.T, cfg alarm.WebhookConfig) *alarm.Webhook {
	t.Helper()
	w, err := alarm.NewWebhook(cfg)
	require.NoError(t, err)
	require.NoError(t, w.Open(t.Context()))
	return w
}

var noon = time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)

// two is a message of two notices; the names are as bad as names can be.
func two() alarm.Message {
	return alarm.Message{Service: "shop", Host: "node-7", PID: 42, Notices: []alarm.Notice{
		{
			ID: 7, State: alarm.Raised, Component: `pool:"<@all>"`, Kind: "pool", Alarm: "capacity", Unit: "%", Value: 93.5, Threshold: 80, At: noon, Since: noon,
			Text: `pool:"<@all>": capacity 93.5%, threshold 80%: Raise & mend.`, Help: "Raise & mend.", Receivers: []string{"ops"},
			Ledger: &intake.Ledger{Offered: 3, Accepted: 3, Inside: 3}, Stats: json.RawMessage(`{"queued":93}`),
		},
		{ID: 8, State: alarm.Resolved, Component: "b", Alarm: "oldest", Text: "b: oldest 0 s, threshold 30 s: resolved after 1m0s", At: noon, Since: noon, Receivers: []string{"ops"}},
	}}
}

func TestWebhookSpeaksToEachPlatform(t *testing.T) {
	t.Parallel()
	const ok = `{"errcode":0,"errmsg":"ok"}`
	for _, tt := range []struct {
		platform alarm.Platform
		answer   string
		want     string
	}{
		{alarm.Slack, "ok", `{
			"text": "[shop] 1 raised, 1 resolved",
			"blocks": [
				{"type": "header", "text": {"type": "plain_text", "emoji": false, "text": "[shop] 1 raised, 1 resolved"}},
				{"type": "section", "text": {"type": "plain_text", "emoji": false, "text": "raised: pool:\"<@all>\": capacity 93.5%, threshold 80%: Raise & mend."}},
				{"type": "section", "text": {"type": "plain_text", "emoji": false, "text": "resolved: b: oldest 0 s, threshold 30 s: resolved after 1m0s"}},
				{"type": "context", "elements": [{"type": "plain_text", "emoji": false, "text": "shop on node-7, process 42"}]}
			]}`},
		{alarm.Lark, `{"code":0,"msg":"success","data":{}}`, `{
			"msg_type": "interactive",
			"card": {
				"config": {"wide_screen_mode": true},
				"header": {"template": "red", "title": {"tag": "plain_text", "content": "[shop] 1 raised, 1 resolved"}},
				"elements": [
					{"tag": "div", "text": {"tag": "plain_text", "content": "raised: pool:\"<@all>\": capacity 93.5%, threshold 80%: Raise & mend."}},
					{"tag": "div", "text": {"tag": "plain_text", "content": "resolved: b: oldest 0 s, threshold 30 s: resolved after 1m0s"}},
					{"tag": "note", "elements": [{"tag": "plain_text", "content": "shop on node-7, process 42"}]}
				]
			}}`},
		{alarm.DingTalk, ok, `{"msgtype": "text", "at": {"atMobiles": [], "isAtAll": false}, "text": {"content":
			"[shop] 1 raised, 1 resolved\nraised: pool:\"‹@all›\": capacity 93.5%, threshold 80%: Raise & mend.\nresolved: b: oldest 0 s, threshold 30 s: resolved after 1m0s\nshop on node-7, process 42"}}`},
		{alarm.WeCom, ok, `{"msgtype": "text", "text": {"mentioned_list": [], "content":
			"[shop] 1 raised, 1 resolved\nraised: pool:\"‹@all›\": capacity 93.5%, threshold 80%: Raise & mend.\nresolved: b: oldest 0 s, threshold 30 s: resolved after 1m0s\nshop on node-7, process 42"}}`},
		{alarm.Plain, "whatever", `{"title": "[shop] 1 raised, 1 resolved", "state": "raised", "service": "shop", "host": "node-7", "pid": 42, "notices": [
			{"id": 7, "state": "raised", "component": "pool:\"<@all>\"", "kind": "pool", "alarm": "capacity", "unit": "%", "value": 93.5, "threshold": 80,
				"text": "pool:\"<@all>\": capacity 93.5%, threshold 80%: Raise & mend.", "help": "Raise & mend.",
				"at": "2025-03-04T12:00:00Z", "since": "2025-03-04T12:00:00Z", "receivers": ["ops"], "stats": {"queued": 93},
				"ledger": {"offered": 3, "accepted": 3, "rejected": 0, "done": 0, "failed": 0, "saved": 0, "dropped": 0, "lost": 0, "inside": 3}},
			{"id": 8, "state": "resolved", "component": "b", "alarm": "oldest", "value": 0, "threshold": 0, "text": "b: oldest 0 s, threshold 30 s: resolved after 1m0s",
				"at": "2025-03-04T12:00:00Z", "since": "2025-03-04T12:00:00Z", "receivers": ["ops"]}
		]}`},
	} {
		t.Run(string(tt.platform), func(t *testing.T) {
			t.Parallel()
			p := serve(t, http.StatusOK, tt.answer)
			w := open(t, alarm.WebhookConfig{Platform: tt.platform, URL: p.URL + "/hook?key=k1", Headers: map[string]string{"X-Team": "blue"}})
			require.NoError(t, w.Send(t.Context(), two()))
			got := <-p.requests
			assert.Equal(t, http.MethodPost, got.method)
			assert.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
			assert.Equal(t, "blue", got.header.Get("X-Team"))
			assert.Equal(t, url.Values{"key": {"k1"}}, got.query)
			assert.JSONEq(t, tt.want, got.body)
		})
	}
}

func TestWebhookSigns(t *testing.T) {
	t.Parallel()
	const secret = "SEC-canary"
	sum := func(key, message string) []byte {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(message))
		return mac.Sum(nil)
	}
	send := func(t *testing.T, platform alarm.Platform, answer string) request {
		t.Helper()
		p := serve(t, http.StatusOK, answer)
		w := open(t, alarm.WebhookConfig{Platform: platform, URL: p.URL + "/send?access_token=a%2Bb", Secret: secret})
		require.NoError(t, w.Send(t.Context(), two()))
		return <-p.requests
	}
	t.Run("DingTalkInTheQuery", func(t *testing.T) {
		t.Parallel()
		got := send(t, alarm.DingTalk, `{"errcode":0}`)
		at := got.query.Get("timestamp")
		assert.Len(t, at, 13, "milliseconds")
		assert.Equal(t, base64.StdEncoding.EncodeToString(sum(secret, at+"\n"+secret)), got.query.Get("sign"))
		assert.Equal(t, "a+b", got.query.Get("access_token"))
	})
	t.Run("LarkInTheBody", func(t *testing.T) {
		t.Parallel()
		got := send(t, alarm.Lark, `{"StatusCode":0}`)
		var body struct{ Timestamp, Sign string }
		require.NoError(t, json.Unmarshal([]byte(got.body), &body))
		assert.Len(t, body.Timestamp, 10, "seconds")
		assert.Equal(t, base64.StdEncoding.EncodeToString(sum(body.Timestamp+"\n"+secret, "")), body.Sign)
	})
	t.Run("PlainOverTheBody", func(t *testing.T) {
		t.Parallel()
		got := send(t, alarm.Plain, "")
		at := got.header.Get("X-Lastcall-Timestamp")
		assert.Equal(t, "sha256="+hex.EncodeToString(sum(secret, at+"."+got.body)), got.header.Get("X-Lastcall-Signature"))
	})
}

func TestWebhookLooksAtTheAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		platform alarm.Platform
		status   int
		answer   string
		header   []string
		want     string // empty: delivered
		again    bool   // it is worth another try
	}{
		"DingTalkRefusesInTheBody": {alarm.DingTalk, 200, `{"errcode":310000,"errmsg":"keywords not in content"}`, nil, "keywords not in content", false},
		"DingTalkIsBusy":           {alarm.DingTalk, 200, `{"errcode":130101,"errmsg":"send too fast"}`, nil, "send too fast", true},
		"WeComRefusesInTheBody":    {alarm.WeCom, 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`, nil, "invalid webhook url", false},
		"WeComIsBusy":              {alarm.WeCom, 200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, nil, "freq out of limit", true},
		"LarkRefusesInTheBody":     {alarm.Lark, 200, `{"code":19021,"msg":"sign match fail"}`, nil, "sign match fail", false},
		"LarkIsBusy":               {alarm.Lark, 200, `{"code":11232,"msg":"frequency limited"}`, nil, "frequency limited", true},
		"NoPlatformAtAll":          {alarm.Lark, 200, `<html>sign in</html>`, nil, "is the address right?", false},
		"SlackSaysOK":              {alarm.Slack, 200, `ok`, nil, "", false},
		"SlackSaysNotOK":           {alarm.Slack, 200, `{"ok":false,"error":"channel_not_found"}`, nil, "channel_not_found", false},
		"SlackHasNoSuchHook":       {alarm.Slack, 404, `no_service`, nil, "404 Not Found: no_service", false},
		"TooMany":                  {alarm.Slack, 429, `slow down`, []string{"Retry-After", "1"}, "takes no more at present", true},
		"ServerIsDown":             {alarm.Plain, 503, `later`, nil, "503", true},
		"PlainKnowsNoCodes":        {alarm.Plain, 202, `{"code":7}`, nil, "", false},
		"RedirectIsNotFollowed":    {alarm.Plain, 302, ``, []string{"Location", "http://127.0.0.1:1/elsewhere"}, "302 Found", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, tt.status, tt.answer, tt.header...)
			w := open(t, alarm.WebhookConfig{Platform: tt.platform, URL: p.URL + "/canary?key=canary"})
			err := w.Send(t.Context(), two())
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "canary")
			assert.Equal(t, tt.again, !alarm.IsPermanent(err))
		})
	}
}

func TestWebhookThatCannotBeReachedKeepsItsSecret(t *testing.T) {
	t.Parallel()
	p := serve(t, http.StatusOK, "")
	address := p.URL
	p.Close()
	w := open(t, alarm.WebhookConfig{Platform: alarm.Slack, URL: strings.Replace(address, "http://", "http://user:canary@", 1) + "/canary?token=canary"})
	err := w.Send(t.Context(), two())
	require.ErrorContains(t, err, "slack at "+address+"/***")
	assert.NotContains(t, err.Error(), "canary")
	assert.False(t, alarm.IsPermanent(err))
	assert.NotContains(t, w.String(), "canary")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.Send(ctx, two()), context.Canceled)
}

func TestWebhookDoesNotRepeatItsSecretsWhenTheAnswerDoes(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(r *http.Request) (status int, header, body string){
		"AddressInAPage": func(r *http.Request) (int, string, string) {
			return http.StatusNotFound, "", "<p>The requested URL " + r.URL.String() + " was not found</p>"
		},
		"EscapedInJSON": func(r *http.Request) (int, string, string) {
			return http.StatusForbidden, "", `{"path":"` + strings.ReplaceAll(r.URL.Path, "/", `\/`) + `","key":"` + r.URL.Query().Get("key") + `"}`
		},
		"Headers": func(r *http.Request) (int, string, string) {
			return http.StatusUnauthorized, "", "no such token: " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		},
		"WhereItWouldBeCut": func(r *http.Request) (int, string, string) {
			return http.StatusBadGateway, "", strings.Repeat("x", 190) + r.URL.Path
		},
		"LocationThatIsNone": func(r *http.Request) (int, string, string) {
			return http.StatusFound, "http://[" + r.URL.Path, "moved"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				status, location, body := answer(r)
				if location != "" {
					w.Header().Set("Location", location)
				}
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			defer srv.Close()
			w := open(t, alarm.WebhookConfig{
				Platform: alarm.Plain, URL: srv.URL + "/services/T0-canary/B0-canary?key=a%2Fcanary",
				Headers: map[string]string{"Authorization": "Bearer canary-token"},
			})
			err := w.Send(t.Context(), two())
			require.ErrorContains(t, err, "***")
			assert.NotContains(t, err.Error(), "canary")
			assert.NotContains(t, strings.ReplaceAll(err.Error(), srv.URL, ""), "can", "nor a part of one")
		})
	}
}

func TestWebhookIsTriedAgainByItsReceiver(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(w, "ok")
	}))
	defer srv.Close()
	s := stage(t, alarm.Config{
		Every: 10 * time.Millisecond, Rules: []alarm.Rule{{Count: 1, Receivers: []string{"slack"}}},
		Receivers: map[string]alarm.Receiver{"slack": {Sink: open(t, alarm.WebhookConfig{Platform: alarm.Slack, URL: srv.URL})}},
	}, raisedThing("a"))
	require.Eventually(t, func() bool { return s.watch.Receivers()[1].Delivered == 1 }, time.Minute, 10*time.Millisecond)
	assert.EqualValues(t, 2, calls.Load())
	assert.Equal(t, "slack at "+srv.URL+"/***", s.watch.Receivers()[1].Target)
	s.RequireStop()
}

func TestTemplateOfOnesOwn(t *testing.T) {
	t.Parallel()
	file := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "mine.tmpl")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	t.Run("MakesTheBody", func(t *testing.T) {
		t.Parallel()
		p := serve(t, http.StatusOK, "")
		w := open(t, alarm.WebhookConfig{
			Platform: alarm.Plain, URL: p.URL, Method: http.MethodPut,
			Template: file(t, `{"who": {{json (index .Notices 0).Component}}, "all": [{{range $i, $n := .Notices}}{{if $i}},{{end}}{{json $n.Alarm}}{{end}}]}`),
		})
		require.NoError(t, w.Send(t.Context(), two()))
		got := <-p.requests
		assert.Equal(t, http.MethodPut, got.method)
		assert.JSONEq(t, `{"who": "pool:\"<@all>\"", "all": ["capacity", "oldest"]}`, got.body)
	})
	for want, text := range map[string]string{
		"mine.tmpl":               `{{`,
		"can't evaluate field":    `{"x": {{json .Nothing}}}`,
		"it does not make JSON":   `{"x": "{{(index .Notices 0).Component}}"}`,
		"function \"env\" not de": `{{env "HOME"}}`,
	} {
		w, err := alarm.NewWebhook(alarm.WebhookConfig{Platform: alarm.Plain, URL: "http://localhost/", Template: file(t, text)})
		require.NoError(t, err, "a constructor reads no file")
		require.ErrorContains(t, w.Open(t.Context()), want)
		require.ErrorContains(t, w.Send(t.Context(), two()), "was not opened")
	}
	w, err := alarm.NewWebhook(alarm.WebhookConfig{Platform: alarm.Plain, URL: "http://localhost/", Template: "nowhere.tmpl"})
	require.NoError(t, err)
	require.ErrorContains(t, w.Open(t.Context()), "template: open nowhere.tmpl")
}
