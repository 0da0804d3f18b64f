package alarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Platform is what a [Webhook] speaks to.
type Platform string

// The platforms.
const (
	Plain    Platform = "webhook" // anything that takes JSON
	Slack    Platform = "slack"
	Lark     Platform = "lark" // and Feishu
	DingTalk Platform = "dingtalk"
	WeCom    Platform = "wecom"
)

// Platforms are all of them.
func Platforms() []Platform { return []Platform{Plain, Slack, Lark, DingTalk, WeCom} }

// WebhookInterval is a good [Receiver].Interval for the platforms: several of
// them take 20 messages a minute.
const WebhookInterval = 3 * time.Second

// mostAnswer bounds what is read of an answer.
const mostAnswer = 64 << 10

// WebhookConfig says where a [Webhook] sends to.
type WebhookConfig struct {
	// Platform must be given.
	Platform Platform
	// URL must be given, with http or https. It is a secret: whoever has it can
	// write there.
	URL string
	// Method of the request. Zero: POST.
	Method string
	// Headers are added to the request; they are secrets too. Zero: none.
	Headers map[string]string
	// Secret signs, on the platforms that have it: DingTalk, Lark and plain
	// webhooks. Zero: nothing is signed.
	Secret string
	// Template is the path of a template of your own for the body. Zero: that of
	// the platform.
	Template string
}

// Validate reports every wrong field, without their secrets.
func (c WebhookConfig) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !slices.Contains(Platforms(), c.Platform) {
		wrong("type: %q is unknown; it is slack, lark, dingtalk, wecom, or webhook for plain JSON", c.Platform)
	}
	switch u, err := url.Parse(c.URL); {
	case c.URL == "":
		wrong("url: is missing; give the address of the webhook")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		wrong("url: is no address; give all of it, beginning with https://") // it may be a secret at the wrong place
	}
	if c.Method != "" && !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, c.Method) {
		wrong("method: %q cannot be used; use POST, PUT or PATCH", c.Method)
	}
	if c.Secret != "" && (c.Platform == Slack || c.Platform == WeCom) {
		wrong("secret: %s has no signature; leave it out", c.Platform)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !token(name) || strings.ContainsAny(c.Headers[name], "\r\n\x00") {
			wrong("headers: %q is no header; use letters, digits and -, and a value of one line", name)
		}
	}
	return errors.Join(errs...)
}

// token: RFC 9110 allows a few more characters, which nobody uses.
func token(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// Webhook is a [Sink] that sends messages over HTTP. Make one with
// [NewWebhook].
type Webhook struct {
	cfg    WebhookConfig
	url    *url.URL
	hide   *strings.Replacer // takes its secrets out of a text
	client *http.Client
	body   *template.Template // made by Open
}

// NewWebhook returns a webhook. It reads no template and connects to nobody.
// The error is that of [WebhookConfig.Validate].
func NewWebhook(cfg WebhookConfig) (*Webhook, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	u, _ := url.Parse(cfg.URL) // Validate has
	return &Webhook{cfg: cfg, url: u, hide: cfg.hider(u), client: &http.Client{
		Transport: transport(),
		// A POST would become a GET on the way, and a secret go elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// transport is that of net/http, unless the program has put another one, which
// traces requests, say, in its place: what is asked of that cannot be told, so
// it is used as it is.
func transport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	own := standard.Clone()
	// Alarms are rare: a connection that is kept would be a goroutine for nothing.
	own.DisableKeepAlives = true
	return own
}

// String says where it sends to, without its secrets.
func (w *Webhook) String() string {
	return fmt.Sprintf("%s at %s://%s/***", w.cfg.Platform, w.url.Scheme, w.url.Host)
}

// Open reads the template and tries it.
func (w *Webhook) Open(context.Context) error {
	body, err := loadTemplate(w.cfg.Platform, w.cfg.Template)
	if err != nil {
		return err
	}
	w.body = body
	return nil
}

// Send implements [Sink].
func (w *Webhook) Send(ctx context.Context, m Message) error {
	if w.body == nil {
		return Permanent(errors.New("the webhook was not opened"))
	}
	signed := w.sign(time.Now())
	body, err := render(w.body, view{Message: m, Timestamp: signed.timestamp, Sign: signed.inBody})
	if err != nil {
		return Permanent(err)
	}
	target := *w.url
	if len(signed.inQuery) > 0 {
		query := target.Query()
		for key, value := range signed.inQuery {
			query.Set(key, value)
		}
		target.RawQuery = query.Encode()
	}
	method := w.cfg.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return Permanent(w.masked(err))
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "lastcall-alarm")
	for name, value := range w.cfg.Headers {
		req.Header.Set(name, value)
	}
	if w.cfg.Platform == Plain && w.cfg.Secret != "" {
		signBody(req.Header, w.cfg.Secret, signed.timestamp, body)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return w.masked(err)
	}
	defer func() { _ = resp.Body.Close() }() // all that matters was read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("the answer could not be read: %w", w.masked(err))
	}
	return w.judge(resp, answer)
}

// judge says whether the platform has taken the message: some answer 200 and
// say in the body that they have not.
func (w *Webhook) judge(resp *http.Response, body []byte) error {
	said := clip(200, w.hide.Replace(string(body))) // a secret that is cut is found no more
	status := w.hide.Replace(resp.Status)
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests:
		return later(resp, fmt.Errorf("%s takes no more at present: %s", w, said))
	case code >= 500 || code == http.StatusRequestTimeout:
		return fmt.Errorf("%s answers %s: %s", w, status, said)
	case code < 200 || code > 299:
		return Permanent(fmt.Errorf("%s answers %s: %s", w, status, said))
	}
	if w.cfg.Platform == Plain {
		return nil
	}
	var answer struct {
		ErrCode    *int  `json:"errcode"`    // DingTalk, WeCom
		Code       *int  `json:"code"`       // Lark
		StatusCode *int  `json:"StatusCode"` // Lark's older answer
		OK         *bool `json:"ok"`         // Slack's API; its webhooks answer "ok"
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		if w.cfg.Platform == Slack {
			return nil
		}
		return Permanent(fmt.Errorf("%s does not answer as it should (is the address right?): %s", w, said))
	}
	for _, code := range []*int{answer.ErrCode, answer.Code, answer.StatusCode} {
		if code == nil || *code == 0 {
			continue
		}
		err := fmt.Errorf("%s refuses it: %s", w, said)
		if slices.Contains(busy, *code) {
			return err
		}
		return Permanent(err)
	}
	if answer.OK != nil && !*answer.OK {
		return Permanent(fmt.Errorf("%s refuses it: %s", w, said))
	}
	return nil
}

// busy are the codes of platforms that ask for patience: DingTalk (-1, 130101),
// WeCom (-1, 45009), Lark (11232, 11233).
var busy = []int{-1, 130101, 45009, 11232, 11233}

// later honours Retry-After, within bounds.
func later(resp *http.Response, err error) error {
	seconds, wrong := strconv.Atoi(resp.Header.Get("Retry-After"))
	if wrong != nil || seconds <= 0 {
		return err
	}
	return &laterError{err, &backoff.RetryAfterError{Duration: min(time.Duration(seconds)*time.Second, mostDelay)}}
}

// laterError is an error after which there is to be a certain delay.
type laterError struct {
	error
	after *backoff.RetryAfterError
}

func (e *laterError) Unwrap() []error { return []error{e.error, e.after} }
