package crashtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// house is the directory of a service that lives several times.
type house struct {
	t        *testing.T
	dir      string
	receipts string // the receipt file
	accepted []string
}

func newHouse(t *testing.T) *house {
	dir := t.TempDir()
	return &house{t: t, dir: dir, receipts: receiptFile(dir)}
}

func (h *house) journals() string { return filepath.Join(h.dir, "journal") }

// life is one life of the service.
type life struct {
	*house
	child *drill.Child
	addr  string
	logs  logFile
}

// logFile is all that a life writes.
type logFile string

func (f logFile) String() string {
	text, err := os.ReadFile(string(f))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// start starts the service and waits until it listens. In cfg %q stands for
// the directory of the journals.
func (h *house) start(cfg string) *life {
	h.t.Helper()
	logs := h.t.TempDir()
	child, err := drill.Start(h.t.Context(), drill.Program{
		Path:      os.Args[0],
		Env:       []string{envDir + "=" + h.dir, envConfig + "=" + cfg, envReceipt + "=" + h.receipts, "GORACE=atexit_sleep_ms=0"},
		ReadyLine: "listening on ",
		Logs:      logs,
	})
	require.NoError(h.t, err)
	return &life{house: h, child: child, addr: child.Line, logs: logFile(filepath.Join(logs, "life-0001.log"))}
}

// post offers ids at once and remembers those that were accepted.
func (l *life) post(door string, ids ...string) (accepted int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	each := make(chan string)
	for range 16 {
		wg.Go(func() {
			for id := range each {
				resp, err := http.Post("http://"+l.addr+"/"+door+"/"+id, "", nil)
				if err != nil {
					continue
				}
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusAccepted {
					mu.Lock()
					l.accepted = append(l.accepted, id)
					accepted++
					mu.Unlock()
				}
			}
		})
	}
	for _, id := range ids {
		each <- id
	}
	close(each)
	wg.Wait()
	return accepted
}

// ids are n names that begin with a word.
func ids(word string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%04d", word, i)
	}
	return all
}

// large are ids of which a few hundred fill a disk of the tests.
func large(ids []string) []string {
	for i := range ids {
		ids[i] += strings.Repeat("-", 500)
	}
	return ids
}

func (l *life) signal(sig syscall.Signal) { require.NoError(l.t, l.child.Signal(sig)) }

// end waits for the end and returns the exit code, 128+n for a death by signal.
func (l *life) end() int { return l.child.Wait() }

// receipt is that of the last stop.
func (h *house) receipt() *lifecycle.Receipt {
	h.t.Helper()
	text, err := os.ReadFile(h.receipts)
	require.NoError(h.t, err)
	r := &lifecycle.Receipt{}
	require.NoError(h.t, json.Unmarshal(text, r))
	return r
}

// delivered is how often each id has arrived.
func (h *house) delivered() map[string]int {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, "delivered"))
	require.NoError(h.t, err)
	times := map[string]int{}
	for id := range strings.FieldsSeq(string(text)) {
		times[id]++
	}
	return times
}

// missing are the accepted ids that have not arrived.
func (h *house) missing() (ids []string) {
	times := h.delivered()
	for _, id := range h.accepted {
		if times[id] == 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// settle starts the service once more, waits until it has worked off what it
// finds in its journals, and stops it.
func (h *house) settle(cfg string) *life {
	h.t.Helper()
	l := h.start(cfg)
	want := h.missing()
	require.Eventually(h.t, func() bool { return len(want) == 0 || len(h.missing()) == 0 }, long, 10*time.Millisecond,
		"what was accepted does not arrive")
	l.signal(syscall.SIGTERM)
	require.Zero(h.t, l.end(), l.logs)
	return l
}

// letters are the dead letters, by the ids that are their payload.
func (h *house) letters() map[string]journal.DeadLetter {
	h.t.Helper()
	d, err := filejournal.Open(filejournal.Config{Dir: h.journals()})
	require.NoError(h.t, err)
	defer func() { require.NoError(h.t, d.Close()) }()
	found := map[string]journal.DeadLetter{}
	for l, err := range journal.NewDeadLetters(d).All(context.Background()) {
		require.NoError(h.t, err)
		var id string
		require.NoError(h.t, json.Unmarshal(l.Payload, &id))
		found[id] = l
	}
	return found
}
