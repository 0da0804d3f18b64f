package alarm

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// hidden is what stands for a secret.
const hidden = "***"

// leastSecret is how long a part of an address must be to be one: "hook" and
// "v1" are in many answers, and say nothing.
const leastSecret = 6

// hider takes the secrets of a webhook out of what others say: some servers
// repeat the address in their answer.
func (c WebhookConfig) hider(u *url.URL) *strings.Replacer {
	secrets := []string{c.Secret, c.URL}
	parts := slices.Concat(strings.Split(u.Path, "/"), strings.Split(u.EscapedPath(), "/"))
	for _, values := range u.Query() {
		for _, value := range values {
			parts = append(parts, value, url.QueryEscape(value))
		}
	}
	if password, ok := u.User.Password(); ok {
		secrets = append(secrets, password)
	}
	for _, value := range c.Headers {
		secrets = append(secrets, value)
		parts = append(parts, strings.Fields(value)...) // "Bearer TOKEN"
	}
	secrets = append(secrets, slices.DeleteFunc(parts, func(s string) bool { return len(s) < leastSecret })...)
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return s == "" })
	// The longest first: a part of one would leave the rest of it.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, s := range slices.Compact(secrets) {
		pairs = append(pairs, s, hidden)
	}
	return strings.NewReplacer(pairs...)
}

// masked takes the address out of an error of net/http.
func (w *Webhook) masked(err error) error {
	var wrapped *url.Error
	if !errors.As(err, &wrapped) {
		return err
	}
	said := wrapped.Err.Error()
	if clean := w.hide.Replace(said); clean != said {
		return fmt.Errorf("%s %s: %s", wrapped.Op, w, clean) // whoever unwrapped it would see it
	}
	return fmt.Errorf("%s %s: %w", wrapped.Op, w, wrapped.Err)
}
