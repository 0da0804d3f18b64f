package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/lastcall-go/lastcall/internal/secret"
)

func TestKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"password", "db.password", "DB_PASSWORD", "dbPassword", "dbpassword", "client_secret", "clientSecret", "api_key", "apiKey", "X-Api-Key",
		"apikey", "token", "accessToken", "accesstoken", "Authorization", "Proxy-Authorization", "Set-Cookie", "credentials", "aws_secret_access_key",
		"tls.privateKey", "dsn", "session_token", "jwt", "x-amz-signature", "AccountKey", "passwords",
	} {
		assert.True(t, secret.Key(key), key)
	}
	for _, key := range []string{"", "-", "max_tokens", "workers", "key", "keys", "partition_key", "tokenizer", "monkey", "idempotency_key", "compass", "design"} {
		assert.False(t, secret.Key(key), key)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const s = "Hunter2x" // the secret
	for _, give := range []string{
		"postgres://me:" + s + "@host/db", "dial amqp://:" + s + "@host: refused", "redis://me:p@" + s + "@host:1/0", `url "https://me:` + s + `@host"`,
		"https://ghp0123456789" + s + "@github.com/x", "me:" + s + "@tcp(host:3306)/x",
		"host=a password=" + s + " sslmode=off", "host=a password='" + s + " x'", `{"password":"` + s + `"}`, `{\"api_key\": \"` + s + `\"}`, "password: " + s,
		"map[password:" + s + " user:me]", "map[X-Api-Key:[" + s + "]]", "api_key = " + s, "apikey=" + s, "X-API-KEY: " + s, "AWS_SECRET_ACCESS_KEY=" + s,
		"https://host/x?access_token=" + s + "&y=1", "https://host/x?X-Amz-Signature=" + s, "https://host/x?sv=1&sig=" + s + "&se=2",
		"Authorization: Bearer " + s, "Authorization: Basic " + s, "map[Authorization:[Custom " + s + "]]", "Cookie: a=" + s + "; b=" + s, `"Set-Cookie": "sid=` + s + `"`,
		"Bearer " + s, "run --password " + s + " now", "run --db-password=" + s,
		"-----BEGIN RSA PRIVATE KEY-----\n" + s + "\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + s,
		"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx." + s + " instead", "eyJhbGciOiJIUzI1NiJ9." + s,
		"denied for AKIAIOSFODNN7" + strings.ToUpper(s), "ghp_0123456789" + s, "xoxb-1234-" + s, "sk_live_01234" + s,
		"AccountName=x;AccountKey=" + s + "==;EndpointSuffix=y",
	} {
		hidden := secret.Text(give)
		assert.NotContains(t, strings.ToLower(hidden), strings.ToLower(s), "%s", give)
		assert.Contains(t, hidden, secret.Hidden, "%s", give)
		assert.Equal(t, hidden, secret.Text(hidden), "twice is the same as once")
	}
	for _, give := range []string{
		"", "pool:sms", "it has 12 workers, at most 8", "http://127.0.0.1:9988/actuator", "postgres://me@host/db", "set management.token, or listen on 127.0.0.1:9988",
		"token: it has a space, a line end", "workers 4 → 8, by alice", "a key=value pair", "the token of the service",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "lane:texts: 3 inside", "basic auth is off", "12:30:45", "no such host: db.internal",
	} {
		assert.Equal(t, give, secret.Text(give))
	}
}

func FuzzText(f *testing.F) {
	f.Add("postgres://me:pw@host password=x eyJhbGciOiJIUzI1NiJ9.x Cookie: y")
	f.Add("-----BEGIN PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, s string) {
		secret.Text(s)
		secret.Key(s)
	})
}

func BenchmarkText(b *testing.B) {
	for name, text := range map[string]string{"name": "lane:texts", "sentence": "waiting until nothing is inside: lane:sms: 3 inside", "url": "postgres://me:pw@host/db?sslmode=off"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				secret.Text(text)
			}
		})
	}
}
