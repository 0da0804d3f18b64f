package modules_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/internal/openapitest"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
)

// canary is a secret that can be told from all others. It has the letters of
// every form that it takes.
func canary(n int) string { return fmt.Sprintf("CANARY%02dX7", n) }

// canaries are how many there are.
const canaries = 46

var anyCanary = regexp.MustCompile(`(?i)canary\d\dx7`)

// vaultSettings is a section of the service's own.
type vaultSettings struct {
	URL      string                       `yaml:"url" json:"url"`
	Mirror   string                       `yaml:"mirror" json:"mirror"`
	Password string                       `yaml:"password" json:"password"`
	APIKey   string                       `yaml:"api_key" json:"api_key"`
	Hidden   config.Secret                `yaml:"hidden" json:"hidden"`
	Env      string                       `yaml:"env_token" json:"env_token"`
	EnvURL   string                       `yaml:"env_url" json:"env_url"`
	Flag     string                       `yaml:"flag_secret" json:"flag_secret"`
	FlagURL  string                       `yaml:"flag_url" json:"flag_url"`
	Nested   map[string]map[string]string `yaml:"nested" json:"nested"`
	List     []string                     `yaml:"list" json:"list"`
	Headers  map[string]string            `yaml:"headers" json:"headers"`
}

func vaultFile() string {
	c := canary
	return fmt.Sprintf(`
vault:
  url: postgres://me:%s@db/x
  mirror: https://mirror/x?api_key=%s&page=1
  password: %s
  api_key: %s
  hidden: %s
  nested: {upstream: {client_secret: %s, url: "amqp://me:%s@mq"}}
  list: ["https://x?X-Amz-Signature=%s", "redis://:%s@r"]
  headers: {Authorization: "Bearer %s", Cookie: "sid=%s", X-Api-Key: "%s"}
management:
  token: %s
  info: {db: {password: %s, url: "mysql://me:%s@db"}}
`, c(1), c(2), c(3), c(4), c(5), c(6), c(7), c(8), c(9), c(10), c(11), c(12), c(13), c(14), c(15))
}

var vaultEnviron = []string{"LASTCALL_VAULT_ENV_TOKEN=" + canary(16), "LASTCALL_VAULT_ENV_URL=nats://me:" + canary(17) + "@n", "DATABASE_PASSWORD=" + canary(18)}

var vaultArgs = []string{"--set", "vault.flag_secret=" + canary(19), "--set", "vault.flag_url=https://" + strings.Repeat("t", 12) + canary(20) + "@git/x"}

// newVault is a component that says all it knows, wherever it can.
func newVault(lc fx.Lifecycle, log *zap.Logger, s vaultSettings) {
	dsn := "postgres://me:" + canary(21) + "@db/x"
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx." + canary(22)
	pem := "-----BEGIN RSA PRIVATE KEY-----\nMIIE" + canary(23) + "\n-----END RSA PRIVATE KEY-----"
	aws := "denied: AKIAIOSFODNN7" + canary(24) + ", secret aws_secret_access_key=" + canary(25)
	key := canary(26)
	log.Info("vault at "+dsn, zap.Any("settings", s), zap.String("password", canary(27)), zap.Error(errors.New(aws)), zap.Any("headers", http.Header{"X-Api-Key": {canary(28)}}))
	stats := map[string]any{
		"settings": s, "url": dsn, "jwt": jwt, "key_file": pem, "last_error": aws, "api_key": canary(29), "oldest_login": "password=" + canary(30),
		"nested": []any{map[string]any{"deep": map[string]any{"credentials": map[string]any{"user": canary(31), "n": 7}}}},
		"by_url": map[string]int{"redis://:" + canary(32) + "@r": 3}, "json": `{"password":"` + canary(33) + `","a":1}`,
	}
	gate := intake.New("vault of " + "postgres://me:" + canary(34) + "@db")
	_, _ = gate.Enter(context.Background()) // it stays inside, so that a drain tells of it
	fail := func(context.Context) error { return fmt.Errorf("vault: %w", errors.New("cannot close "+dsn)) }
	lifecycle.Append(lc, lifecycle.Hook{
		Name: "vault:postgres://me:" + canary(35) + "@db", Gate: gate, OnStop: fail,
		PreDestroy: func(context.Context) error { panic("token=" + canary(36)) },
		Describe:   func() []string { return []string{"it was at " + dsn} },
		Panel: &lifecycle.Panel{
			Kind: "vault", Stats: func() any { return stats }, Inspect: func(context.Context) any { return stats },
			Health: func(context.Context) lifecycle.Health {
				return lifecycle.Health{Status: lifecycle.Down, Reason: "cannot reach " + dsn, Details: stats}
			},
			Metrics: func() []lifecycle.Metric {
				return []lifecycle.Metric{{Name: "calls", Type: lifecycle.Counter, Value: 1, Labels: map[string]string{"url": "amqp://me:" + canary(37) + "@mq"}}}
			},
			Knobs: func() []lifecycle.Knob {
				return []lifecycle.Knob{{Name: "api_key", Type: lifecycle.TextKnob, Value: key}, {Name: "endpoint", Type: lifecycle.TextKnob, Value: dsn}, {Name: "secret_count", Type: lifecycle.IntKnob, Value: int64(1)}}
			},
			Turn: func(_ context.Context, values map[string]any) error {
				if text, ok := values["api_key"].(string); ok {
					key = text
				}
				if values["endpoint"] != nil {
					return fmt.Errorf("cannot reach %s", values["endpoint"])
				}
				return nil
			},
			Actions: []lifecycle.Action{{
				Name: "rotate", Help: "Takes another key.", Args: []lifecycle.Knob{{Name: "new_password", Type: lifecycle.TextKnob, Value: "x"}},
				Do: func(_ context.Context, args map[string]any) (any, error) {
					return map[string]any{"password": args["new_password"]}, errors.New("refused: password=" + fmt.Sprint(args["new_password"]))
				},
			}},
		},
	})
	lifecycle.Append(lc, lifecycle.Hook{Name: "broken panels", Panel: &lifecycle.Panel{
		Stats:  func() any { panic("dsn=x password=" + canary(38)) },
		Health: func(context.Context) lifecycle.Health { panic(errors.New("Authorization: Basic " + canary(39))) },
	}})
}

const vaultDir = "VAULT_TEST_DIR"

// TestVaultProcess is the service with the canaries, as a process of its own:
// its log is a real one.
func TestVaultProcess(t *testing.T) {
	dir := os.Getenv(vaultDir)
	if dir == "" {
		t.Skip("it is started by another test")
	}
	s := &sample{held: make(chan struct{})}
	file := filepath.Join(dir, "config.yaml")
	s.app = app.New(s.service(), modules.Section("vault", vaultSettings{}), fx.Invoke(newVault), modules.Sources(config.Options{
		Name: "vault", File: file, Environ: os.Environ(), Args: vaultArgs, ReadFile: os.ReadFile,
	}))
	require.NoError(t, s.app.Err())
	require.NoError(t, s.app.Start(t.Context()))
	require.NoError(t, s.texts.Submit(t.Context(), "fail password="+canary(40)))
	fmt.Printf("\naddress %s\n", s.srv.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other side has seen enough
	close(s.held)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = s.app.Stop(ctx) // it fails, as something stays inside, and says so
	fmt.Fprintln(os.Stderr, s.app.Receipt())
}

// TestCanariesAreFoundNowhere plants secrets wherever a service may have some,
// and looks for them in every answer of every endpoint, in the log, and in what
// is left on disk but for the journal.
func TestCanariesAreFoundNowhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := vaultFile() + fmt.Sprintf("\njournal: {dir: %s}\nhttp: {addr: '127.0.0.1:0'}\nlifecycle: {receipt_file: %s}\nlog: {level: debug}\n",
		filepath.Join(dir, "journal"), filepath.Join(dir, "receipt.json"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(file), 0o600))

	var log said
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVaultProcess$", "-test.v")
	cmd.Env = append(append(os.Environ(), vaultDir+"="+dir, "LASTCALL_MANAGEMENT_ADDRESS=127.0.0.1:0"), vaultEnviron...)
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var addr, told string
	for lines := bufio.NewScanner(stdout); addr == "" && lines.Scan(); told += lines.Text() + "\n" {
		if a, ok := strings.CutPrefix(lines.Text(), "address "); ok {
			addr = a
		}
	}
	require.NotEmpty(t, addr, "%s%s", told, &log)

	p := prey{t: t, addr: addr}
	p.hunt()
	require.NoError(t, stdin.Close())
	_, _ = io.Copy(io.Discard, stdout)
	require.NoError(t, cmd.Wait(), "%s", &log)
	p.look("the log", []byte(log.String()))
	assert.Contains(t, log.String(), "vault at postgres://me:******@db/x")
	assert.Contains(t, log.String(), "last call: ")
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "config.yaml" || strings.HasPrefix(path, filepath.Join(dir, "journal")) {
			return err // a journal has the work itself
		}
		text, err := os.ReadFile(path)
		p.look(d.Name(), text)
		p.files++
		return err
	}))
	assert.Positive(t, p.files, "the receipt")
	assert.Greater(t, p.answers, 200)
	assert.Greater(t, p.hidden, 40, "what was hidden shows where it was")
	t.Logf("%d canaries, %d answers, %d files, %d bytes of log; something was hidden %d times", canaries, p.answers, p.files, len(log.String()), p.hidden)
}

// prey is the service that is looked at.
type prey struct {
	t                      *testing.T
	addr                   string
	answers, files, hidden int
}

func (p *prey) look(where string, text []byte) {
	p.t.Helper()
	p.hidden += bytes.Count(text, []byte("******"))
	for _, at := range anyCanary.FindAllIndex(text, -1) {
		assert.Fail(p.t, "a secret was told", "%s: …%s…", where, text[max(0, at[0]-80):min(len(text), at[1]+20)])
	}
}

// streamed is for how long a stream is looked at: its beginning has the most.
const streamed = 500 * time.Millisecond

// ask sends one request and looks at its answer.
func (p *prey) ask(method, target, body string, header ...string) (status int, answer []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.addr+target, strings.NewReader(body))
	require.NoError(p.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }() // a stream is cut
	text := make([]byte, 1<<20)
	var n int
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		time.AfterFunc(streamed, cancel)
		n, _ = io.ReadFull(resp.Body, text)
	} else {
		n, _ = io.ReadFull(resp.Body, text)
	}
	var head bytes.Buffer
	require.NoError(p.t, resp.Header.Write(&head))
	p.look(method+" "+target+": header", head.Bytes())
	p.look(method+" "+target, text[:n])
	p.answers++
	return resp.StatusCode, text[:n]
}

// hunt asks for everything, as everybody.
func (p *prey) hunt() {
	p.t.Helper()
	p.change()
	token := "Bearer " + canary(13)
	_, raw := p.ask(http.MethodGet, "/actuator/openapi.json", "", "Authorization", token)
	d := openapitest.Parse(p.t, raw)
	_, raw = p.ask(http.MethodGet, "/actuator/components", "", "Authorization", token)
	require.Contains(p.t, string(raw), "vault:postgres://me:******@db", "it is there under a name without its secret")
	names := map[string][]string{
		"name":     {"vault:postgres:%2F%2Fme:%2A%2A%2A%2A%2A%2A@db", "broken%20panels", "lane:texts", "pool:sms", "ROOT", "readiness", "postgres:%2F%2Fme:" + canary(41) + "@db"},
		"property": {"vault.password", "vault.url", "vault.nested.upstream.url", "vault.list", "management.token", "management.info.db.password"}, "prefix": {"vault", "management"},
		"kind": {"vaults", "components"}, "requiredMetricName": {"lastcall_vault_calls_total", "lastcall_gate_inside"},
	}
	for _, path := range append(d.Gets(names), "/", "/no/such/path?token="+canary(42), "/actuator/components/password="+canary(42)) {
		for _, header := range [][]string{
			{"Authorization", token}, {"Authorization", token, "Accept", "text/plain, text/event-stream;q=0.9, */*;q=0.1"},
			{"Authorization", "Bearer " + canary(43), "Cookie", "sid=" + canary(44), "X-Api-Key", canary(45)}, {"X-Forwarded-For", "192.0.2.1", "X-Token", canary(46)},
		} {
			p.ask(http.MethodGet, path, "", header...)
		}
		p.ask(http.MethodGet, path+"?inspect=true&api_key="+canary(42), "", "Authorization", token)
		p.ask(http.MethodDelete, path, "", "Authorization", token, "Cookie", "sid="+canary(44))
	}
}

// change has changes made and refused, whose values are secrets.
func (p *prey) change() {
	p.t.Helper()
	const vault = "/actuator/vaults/vault:postgres:%2F%2Fme:%2A%2A%2A%2A%2A%2A@db"
	for _, body := range []string{
		`{"api_key":"` + canary(29) + `"}`, `{"api_key":["` + canary(29) + `"]}`, `{"endpoint":"postgres://me:` + canary(21) + `@other"}`,
		`{"secret_count":"` + canary(29) + `"}`, `{"password":"` + canary(29) + `"}`, `{"api_key":"` + canary(29), `"password=` + canary(29) + `"`,
	} {
		for _, query := range []string{"", "?dryRun=true", "?ttl=1h", "?persist=true"} {
			p.ask(http.MethodPatch, vault+"/knobs"+query, body, "Content-Type", "application/json")
		}
		p.ask(http.MethodPost, vault+"/actions/rotate", body, "Content-Type", "application/json")
		p.ask(http.MethodPost, "/actuator/loggers/ROOT", body, "Content-Type", "application/json")
	}
	status, text := p.ask(http.MethodPatch, vault+"/knobs", `{"api_key":"`+canary(29)+`"}`, "Content-Type", "application/json")
	require.Equal(p.t, http.StatusOK, status, "%s", text)
	p.ask(http.MethodPost, vault+"/actions/rotate", `{"new_password":"`+canary(29)+`"}`, "Content-Type", "application/json")
}
