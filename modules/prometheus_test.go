package modules_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/intake"
	"github.com/lastcall-go/lastcall/internal/program"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestPrometheusScrapesAService has a real Prometheus look at a service under
// load, in both formats, and asks it.
func TestPrometheusScrapesAService(t *testing.T) {
	binary := program.Find(t, "prometheus", "prometheus")
	const crowd = 200
	s := newSample(t, t.TempDir(), "", nil, nil, fx.Invoke(func(lc fx.Lifecycle) {
		for i := range crowd {
			name := fmt.Sprintf("desk:%d", i)
			lifecycle.Append(lc, lifecycle.Hook{Name: name, Gate: intake.New(name), Panel: &lifecycle.Panel{
				Kind: "Desk", Metrics: func() []lifecycle.Metric {
					return []lifecycle.Metric{{Name: "wait_seconds", Type: lifecycle.Distribution, Count: 3, Sum: 0.3, Buckets: map[float64]uint64{0.1: 2}}}
				},
			}})
		}
	})).start(t)
	gates := 0
	for _, c := range s.conductor.Components() {
		if c.Gate != nil {
			gates++
		}
	}
	require.Greater(t, gates, crowd+2, "the lane, the batcher and the server have some too")

	text, om := newVia(t, s.srv.Addr().String(), true), newVia(t, s.srv.Addr().String(), false)
	p := startPrometheus(t, binary, map[string]string{"direct": s.srv.Addr().String(), "text": text.Addr(), "openmetrics": om.Addr()})

	submitted := map[string]float64{"done": 0, "failed": 0, "inside": 3}
	submit := func(item string) { require.NoError(t, s.texts.Submit(t.Context(), item)) }
	for range 3 {
		submit("hold")
	}
	p.await(t, `min(up) == 1 and count(up) == 3`, 1)
	scrapes := func() float64 { return p.value(t, `min(count_over_time(up[10m]))`) }
	for before := scrapes(); scrapes() < before+3; { // load between scrapes
		for range 50 {
			submit("text")
			submitted["done"]++
		}
		submit("fail")
		submitted["failed"]++
	}
	submitted["accepted"] = submitted["done"] + submitted["failed"] + submitted["inside"]
	for column, want := range submitted {
		name := "lastcall_gate_" + column
		if column != "inside" {
			name += "_total"
		}
		p.await(t, `sum(`+name+`{component="lane:texts"} == `+strconv.FormatFloat(want, 'f', -1, 64)+`)`, 3*want)
	}

	t.Run("BothEquationsHoldAtEveryMoment", func(t *testing.T) {
		for equation, terms := range map[string]string{
			"accepted": "lastcall_gate_done_total + lastcall_gate_failed_total + lastcall_gate_saved_total + lastcall_gate_dropped_total + lastcall_gate_lost_total + lastcall_gate_inside",
			"offered":  "lastcall_gate_accepted_total + lastcall_gate_rejected_total",
		} {
			difference := "lastcall_gate_" + equation + "_total - (" + terms + ")"
			p.await(t, "count("+difference+")", float64(3*gates)) // of three jobs
			assert.Zero(t, p.value(t, "max(max_over_time(abs("+difference+")[10m:1s]))"))
		}
		assert.Positive(t, p.value(t, `max(max_over_time(lastcall_gate_accepted_total{component="lane:texts"}[10m]) - min_over_time(lastcall_gate_accepted_total{component="lane:texts"}[10m]))`),
			"the ledger moved between scrapes")
	})
	t.Run("BothFormatsSayTheSame", func(t *testing.T) {
		assert.Contains(t, text.seen(), "text/plain; version=0.0.4")
		assert.Contains(t, om.seen(), "application/openmetrics-text")
		for _, job := range []string{"openmetrics", "direct"} {
			p.await(t, `count({job="text",__name__=~"lastcall_.*"}) - count({job="`+job+`",__name__=~"lastcall_.*"})`, 0)
		}
		p.await(t, fmt.Sprintf(`sum(lastcall_desk_wait_seconds_count) == %d`, 3*3*crowd), 3*3*crowd)
		p.await(t, fmt.Sprintf(`sum(lastcall_desk_wait_seconds_bucket{le="0.1"}) == %d`, 2*3*crowd), 2*3*crowd)
	})
	t.Run("NothingIsScrapedTwice", func(t *testing.T) {
		assert.Zero(t, p.value(t, `max(scrape_samples_scraped - scrape_samples_post_metric_relabeling)`))
		assert.NotContains(t, p.said.String(), "duplicate", "it warns of samples that come twice")
		assert.NotContains(t, p.said.String(), "out of order")
	})
}

// via is a way to the service on which one can see what is answered.
type via struct {
	*httptest.Server
	contentType atomic.Value
}

// newVia hides what formats the scraper knows, if plain.
func newVia(t *testing.T, to string, plain bool) *via {
	t.Helper()
	v := &via{}
	transport := &http.Transport{}
	v.Server = httptest.NewServer(&httputil.ReverseProxy{
		Transport:    transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }, // one of the two has gone
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: to})
			if plain {
				r.Out.Header.Del("Accept")
			}
		},
		ModifyResponse: func(r *http.Response) error {
			v.contentType.Store(r.Header.Get("Content-Type"))
			return nil
		},
	})
	t.Cleanup(func() { v.Close(); transport.CloseIdleConnections() })
	return v
}

func (v *via) Addr() string { return v.Listener.Addr().String() }

func (v *via) seen() string { s, _ := v.contentType.Load().(string); return s }

// prometheus is one that runs.
type prometheus struct {
	addr   string
	said   *said
	client *http.Client
}

// said is what a process has written so far.
type said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// startPrometheus starts one that scrapes each target all the time, until the
// test ends.
func startPrometheus(t *testing.T, binary string, targets map[string]string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	cfg := "global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs:\n"
	for job, target := range targets {
		cfg += fmt.Sprintf("- {job_name: %s, metrics_path: /actuator/prometheus, static_configs: [{targets: ['%s']}]}\n", job, target)
	}
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(cfg), 0o600))
	p := &prometheus{addr: freeAddr(t), said: &said{}, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	cmd := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.addr, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = p.said, p.said
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is told to end
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("Prometheus said:\n%s", p.said)
		}
	})
	require.Eventually(t, func() bool {
		_, err := p.get("/-/ready")
		return err == nil
	}, time.Minute, 50*time.Millisecond, "Prometheus is not ready")
	return p
}

// freeAddr is an address at which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

func (p *prometheus) get(path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+p.addr+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if resp.StatusCode != http.StatusOK {
		return body, fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return body, err
}

// ask evaluates PromQL to one sample; ok: there is one.
func (p *prometheus) ask(query string) (value float64, ok bool) {
	body, err := p.get("/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return 0, false
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Data.Result) != 1 {
		return 0, false
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	value, err = strconv.ParseFloat(text, 64)
	return value, err == nil
}

// value is what a query answers now.
func (p *prometheus) value(t *testing.T, query string) float64 {
	t.Helper()
	value, ok := p.ask(query)
	require.True(t, ok, "it is not one sample: %s", query)
	return value
}

// await asks until the answer is this.
func (p *prometheus) await(t *testing.T, query string, want float64) {
	t.Helper()
	var got atomic.Value
	if !assert.Eventually(t, func() bool {
		value, ok := p.ask(query)
		got.Store(fmt.Sprint(value, ok))
		return ok && value == want
	}, time.Minute, 100*time.Millisecond) {
		require.Fail(t, "the answer is another", "%s is %v, not %v", query, got.Load(), want)
	}
}
