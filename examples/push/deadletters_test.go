package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/lastcall-go/lastcall/examples/push/provider"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/deadletter"
	"github.com/lastcall-go/lastcall/journal/journaltest"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

// TestDeadLettersAreSentAgain: what the provider has refused goes into a CSV,
// a person mends the receivers there, and the platform sends it again. It is
// what lastcall deadletters export and import do.
func TestDeadLettersAreSentAgain(t *testing.T) {
	t.Parallel()
	p := newBench(t, 1000, provider.Behaviour{})
	var box *journal.DeadLetters
	a := p.start(t, fx.Populate(&box))
	require.Equal(t, p.expected, p.settle(t))
	require.Positive(t, p.expected.Failed)

	var key string // of one of them
	for letter, err := range box.All(t.Context()) {
		require.NoError(t, err)
		key = letter.Key
	}
	var file bytes.Buffer
	n, err := deadletter.Export(&file, deadletter.CSV, box.All(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, p.expected.Failed, n)
	assert.Contains(t, file.String(), "unknown receiver")

	mended := strings.NewReader(strings.ReplaceAll(file.String(), provider.Gone, "moved-"))
	sum, err := deadletter.SendBack(t.Context(), box, deadletter.Import(mended, deadletter.CSV), deadletter.Options{})
	require.NoError(t, err)
	assert.Equal(t, p.expected.Failed, sum.Done)

	tally := newTally(p.Settings)
	assert.Eventually(t, func() bool {
		s, err := tally.Sum()
		return err == nil && s.Failed == 0 && s.Delivered == p.expected.Delivered+p.expected.Failed
	}, time.Minute, tick)
	left, err := box.Len(t.Context())
	require.NoError(t, err)
	assert.Zero(t, left)
	a.RequireStop()
	assert.Zero(t, p.twice())

	var out bytes.Buffer
	require.NoError(t, where(&out, p.Settings, strings.Replace(key, provider.Gone, "moved-", 1)))
	assert.Contains(t, out.String(), "delivered")
}

// TestEachReceiverHasALetterOfHisOwn: also of a task that failed as a whole,
// so that it is found by his name.
func TestEachReceiverHasALetterOfHisOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		want   journal.DeadLetter // so much of each letter
		calls  int32
	}{
		{"CallThatIsRefused", http.StatusBadRequest, journal.DeadLetter{Reason: journal.ReasonPermanent, Attempts: 1}, 1},
		{"ProviderThatStaysDown", http.StatusServiceUnavailable, journal.DeadLetter{Reason: journal.ReasonRetries, Attempts: tries}, tries},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.WriteHeader(tt.status)
			}))
			defer server.Close()
			client := provider.NewClient(server.URL, 1)
			defer client.Close()
			records := &Records{path: filepath.Join(t.TempDir(), "records.jsonl")}
			require.NoError(t, records.open(t.Context()))
			box := journal.NewDeadLetters(journaltest.NewMemory(0))
			p, err := pool.New("p", pool.Config{Workers: 1})
			require.NoError(t, err)
			lane, err := pool.NewLane(p, "sms-code", newDelivery(client, records, box).send, pool.LaneConfig{
				Retry: pool.Retry{MaxAttempts: tries, InitialDelay: 1, MaxDelay: 1}})
			require.NoError(t, err)
			require.NoError(t, p.Start(t.Context()))
			require.NoError(t, lane.Submit(t.Context(), newTask("hello", []Row{
				{ID: "x:1", Receiver: "ada", Channel: "sms", Type: "code"},
				{ID: "x:2", Receiver: "bob", Channel: "sms", Type: "code"},
			})))
			_, err = p.Stop(t.Context())
			require.NoError(t, err)
			require.NoError(t, records.close(t.Context()))

			assert.Equal(t, tt.calls, calls.Load())
			byName := map[string]journal.DeadLetter{}
			for letter, err := range box.All(t.Context()) {
				require.NoError(t, err)
				byName[letter.Key] = letter
			}
			require.Len(t, byName, 2)
			for name, row := range map[string]string{"ada": "x:1", "bob": "x:2"} {
				letter := byName[name]
				assert.Equal(t, row, letter.ID)
				assert.Equal(t, tt.want, journal.DeadLetter{Reason: letter.Reason, Attempts: letter.Attempts})
				task, err := journal.JSON[Task]().Decode(letter.Payload, letter.Version)
				require.NoError(t, err)
				assert.Equal(t, []Receiver{{Row: row, To: name}}, task.To)
			}
			sum, err := newTally(Settings{Dir: filepath.Dir(records.path)}).Sum()
			require.NoError(t, err)
			assert.Equal(t, Sum{Failed: 2}, sum)
		})
	}
}
