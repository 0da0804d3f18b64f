// Package secret takes secrets out of what a program says of itself. It goes by
// what keys are called ([Key]) and what texts look like ([Text]): a net, not a
// proof. The proof is who does not say its secrets.
package secret

import (
	"slices"
	"strings"
	"unicode"
)

// Hidden stands where a secret was.
const Hidden = "******"

// words make a key secret wherever they stand in it, ends where they are its
// end, or that of a word without a gap: "max_tokens" is none, "accessToken" and
// "accesstoken" are.
var (
	words = []string{"password", "passwords", "passwd", "pwd", "passphrase", "passcode", "secret", "secrets", "credential", "credentials", "authorization", "cookie", "jwt", "bearer"}
	ends  = []string{"token", "api key", "private key", "access key", "secret key", "account key", "signing key", "encryption key", "dsn", "signature"}
	tails = []string{"password", "passwd", "secret", "token", "apikey", "privatekey", "accesskey", "secretkey"}
)

// Key reports whether the value of a key is to be hidden.
func Key(key string) bool {
	ws := Words(key)
	if len(ws) == 0 {
		return false
	}
	joined, last := strings.Join(ws, " "), ws[len(ws)-1]
	return slices.ContainsFunc(ws, func(w string) bool { return slices.Contains(words, w) }) ||
		slices.ContainsFunc(ends, func(end string) bool { return joined == end || strings.HasSuffix(joined, " "+end) }) ||
		slices.ContainsFunc(tails, func(tail string) bool { return strings.HasSuffix(last, tail) })
}

// Words splits "db.apiKey", "DB_API_KEY" and "db-api-key" into the same words,
// in small letters.
func Words(key string) []string {
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
