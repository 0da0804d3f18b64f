package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/config"
)

// FuzzLoad feeds all three sources with anything. Whatever comes: no panic;
// either values or problems; a problem stands inside the file; on an error the
// sections are as they were; and what is printed can be loaded again.
func FuzzLoad(f *testing.F) {
	f.Add("pools: {sms: {workers: 8}}", "LASTCALL_POOLS_SMS_QUEUE=4", "pools.sms.idle_timeout=3s")
	f.Add("http:\n  routes:\n  - {path: /a}\n  extra: [1, {a: b}]\n", "LASTCALL_HTTP__LABELS__A=b", "lanes.x.tags=a,b")
	f.Add("x-a: &a {workers: 1}\npools: {a: {<<: *a}, b: *a, c: }", "LASTCALL_POOLS_C_WORKERS=1", "http.max_body=4MiB")
	f.Add("http: &a {tuning: *a}", "LASTCALL_=", "=")
	f.Add("a: b: c", "LASTCALL_HTTP_ADR=1", "http.addr.x=1")
	f.Add("? [a]\n: b\n---\n", "LASTCALL_POOLS__\xff__QUEUE=1", "pools.\xff.queue=1")
	f.Add("http: {addr: \"\\x00\\n\", labels: {<<: {a: b}, \"<<\": c}}", "LASTCALL_HTTP_ADDR=\xff", "http.labels.a.b=\x00")
	f.Fuzz(func(t *testing.T, yaml, variable, set string) {
		p, s, all := sections()
		wantP, wantS, _ := sections()
		opts := file(yaml)
		opts.Environ, opts.Args = []string{variable}, []string{"--set", set}
		v, err := config.Load(opts, all...)
		if err != nil {
			var typed *config.Error
			require.ErrorAs(t, err, &typed)
			require.Nil(t, v)
			assert.NotEmpty(t, typed.Problems)
			assert.Equal(t, wantP, p)
			assert.Equal(t, wantS, s)
			for _, problem := range typed.Problems {
				assert.LessOrEqual(t, problem.Line, 1+strings.Count(yaml, "\n")+strings.Count(yaml, "\r")+strings.Count(yaml, "\u0085")+strings.Count(yaml, "\u2028")+strings.Count(yaml, "\u2029"))
			}
			return
		}
		_, _, fresh := sections()
		again, err := config.Load(file(v.String()), fresh...)
		require.NoError(t, err, "%s", v)
		assert.Equal(t, withoutOrigins(v), withoutOrigins(again))
	})
}
