package secret

import (
	"regexp"
	"strings"
)

// rule is one form that a secret has in a text.
type rule struct {
	// hints are what the text must have one of, in small letters: the
	// expression is not asked for nothing. nil: those of named.
	hints []string
	least int // bytes; a shorter text has none
	form  *regexp.Regexp
	with  string // what takes its place; groups of the form are kept
}

// named are keys as they stand in a text.
const named = `[\w.-]*(?:password|passwd|pwd|passphrase|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key|signature)[\w-]*`

var namedHints = []string{"passw", "pwd", "passphrase", "secret", "token", "credential", "key", "signature"}

// rules are tried in their order.
var rules = []rule{
	{ // a private key, whole or cut off
		[]string{"-----begin"}, 24,
		regexp.MustCompile(`(-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----)[\s\S]*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|$)`),
		"${1}" + Hidden + "${2}",
	},
	{ // scheme://user:password@host; a password may have an @ of its own
		[]string{"://"}, 8,
		regexp.MustCompile(`(://[^\s/:@"'<>]*:)[^\s/"'<>]*@`),
		"${1}" + Hidden + "@",
	},
	{ // scheme://token@host: so long is no user's name
		[]string{"://"}, 20,
		regexp.MustCompile(`(://)[^\s/:@"'<>]{16,}@`),
		"${1}" + Hidden + "@",
	},
	{ // user:password@tcp(host)
		[]string{"@tcp", "@unix"}, 8,
		regexp.MustCompile(`(\b[\w.-]+:)[^\s/:"]+@(tcp|unix)\b`),
		"${1}" + Hidden + "@${2}",
	},
	{ // a header: "Authorization: Bearer x", "Cookie: a=b; c=d", also as Go prints a map of them
		[]string{"authorization", "cookie"}, 10,
		regexp.MustCompile(`(?i)(\b(?:proxy-)?authorization["']?\s*[:=]\s*["'\[]?|\b(?:set-)?cookie["']?\s*[:=]\s*["'\[]?)[^"'\]\r\n]+`),
		"${1}" + Hidden,
	},
	{
		[]string{"bearer", "basic", "digest"}, 12,
		regexp.MustCompile(`(?i)(\b(?:bearer|basic|digest)\s+)[A-Za-z0-9._~+/=-]{8,}`),
		"${1}" + Hidden,
	},
	{ // "password": "x", password='x y', X-Api-Key: [x]
		nil, 8,
		regexp.MustCompile(`(?i)(\b` + named + `\\?["']?\s*[:=]\s*\[?)(\\"[^"]*\\"|"[^"]*"|'[^']*'|` + "`[^`]*`" + `)`),
		"${1}" + Hidden,
	},
	{ // password=x
		nil, 8,
		regexp.MustCompile(`(?i)(\b` + named + `\s?=\s?)[^\s&;"',)\]}]+`),
		"${1}" + Hidden,
	},
	{ // password: x7, as YAML has it. Without a digit it may be a sentence.
		nil, 8,
		regexp.MustCompile(`(?i)(\b` + named + `:\s?\[?)[^\s&;"',)\]}]*\d[^\s&;"',)\]}]*`),
		"${1}" + Hidden,
	},
	{ // --password x
		nil, 8,
		regexp.MustCompile(`(?i)(\s--?` + named + `\s+)[^\s-]\S*`),
		"${1}" + Hidden,
	},
	{ // ?sig=x, as storage signs its URLs
		[]string{"sig=", "auth=", "key=", "code=", "session="}, 8,
		regexp.MustCompile(`(?i)([?&](?:sig|auth|key|code|session)=)[^\s&"']+`),
		"${1}" + Hidden,
	},
	{ // JSON Web Tokens
		[]string{"eyj"}, 20,
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?`),
		Hidden,
	},
	{ // keys that say themselves whose they are: of AWS, GitHub, GitLab, Slack, Stripe, Google
		[]string{"akia", "asia", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "sk_live_", "sk_test_", "rk_live_", "aiza"}, 16,
		regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[A-Z0-9]{12,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{8,}|[sr]k_(?:live|test)_\w{8,}|AIza[\w-]{30,})`),
		Hidden,
	},
}

// shortest is less than what any rule finds something in.
const shortest = 8

// Text hides the secrets in a text.
func Text(s string) string {
	if len(s) < shortest {
		return s
	}
	small := strings.ToLower(s)
	key := hasAny(small, namedHints)
	for _, r := range rules {
		if len(s) >= r.least && (r.hints == nil && key || hasAny(small, r.hints)) {
			s = r.form.ReplaceAllString(s, r.with)
		}
	}
	return s
}

func hasAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}
