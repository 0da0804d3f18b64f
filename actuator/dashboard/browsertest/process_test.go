package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience is how long anything may take on a machine that has much else to do.
const patience = 2 * time.Minute

// process is a shop that runs.
type process struct {
	t     *testing.T
	addr  string // of its management
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *output
	ended chan struct{} // closed when the process has ended
}

// freeAddress is one that nobody listens on. Somebody may, a moment later.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return ln.Addr().String()
}

// open starts a shop and waits until it is ready. settings are lines of YAML
// below "management".
func open(t *testing.T, s shop, settings ...string) *process {
	t.Helper()
	return openAt(t, freeAddress(t), t.TempDir(), s, settings...)
}

// openAt starts a shop at an address, with the journal of a directory, where
// another may have been before.
func openAt(t *testing.T, addr, dir string, s shop, settings ...string) *process {
	t.Helper()
	s.Config = fmt.Sprintf("http: {addr: '127.0.0.1:0'}\njournal: {dir: %s/journal}\nlifecycle: {receipt_file: %[1]s/receipt.json, stop_timeout: 30s}\nlog: {level: warn}\n"+
		"management:\n  address: %s\n  info: {build: {name: shop}}\n  %s\n", dir, addr, strings.Join(settings, "\n  "))
	text, err := json.Marshal(s)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	p := &process{t: t, addr: addr, cmd: exec.Command(self), out: &output{}, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), envShop+"="+string(text))
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go func() { // ends with the process
		_ = p.cmd.Wait() // what it ended with is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("the service said:\n%s", p.out)
		}
	})
	require.Eventually(t, func() bool {
		select {
		case <-p.ended:
			require.FailNow(t, "the service has ended", "%s", p.out)
		default:
		}
		resp, err := http.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // one word
		return resp.StatusCode == http.StatusOK
	}, patience, 10*time.Millisecond)
	return p
}

func (p *process) url() string { return "http://" + p.addr + "/" }

// order tells it to do something.
func (p *process) order(format string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.stdin, format+"\n", args...)
	require.NoError(p.t, err)
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// wait waits for its end.
func (p *process) wait() {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		require.FailNow(p.t, "the service does not end", "%s", p.out)
	}
}

// call asks the actuator; body may be nil. It returns the JSON of the answer.
func (p *process) call(method, path string, body any, header ...string) map[string]any {
	p.t.Helper()
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(p.t, err)
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url()+"actuator"+path, reader)
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	require.Less(p.t, resp.StatusCode, 300, "%s %s: %s", method, path, text)
	var answer map[string]any
	require.NoError(p.t, json.Unmarshal(text, &answer), "%s", text)
	return answer
}

// knob is the value of a knob as the service has it.
func (p *process) knob(component, name string) any {
	p.t.Helper()
	for _, k := range p.call(http.MethodGet, "/components/"+component+"/knobs", nil)["knobs"].([]any) {
		if knob := k.(map[string]any); knob["name"] == name {
			return knob["value"]
		}
	}
	assert.Fail(p.t, "there is no such knob", "%s of %s", name, component)
	return nil
}

// output is what a process has said.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
