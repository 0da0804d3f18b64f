package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/app"
	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/modules"
	"github.com/lastcall-go/lastcall/poolmodule"
	"github.com/lastcall-go/lastcall/poolmodule/pool"
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		main() // this binary is the child of a test
		return
	}
	goleak.VerifyTestMain(m)
}

// inTest is what every test of the service changes about it: no file, no
// environment, a free port, its own directory.
func inTest(t *testing.T, settings Settings) fx.Option {
	t.Helper()
	settings.Out = t.TempDir()
	return fx.Options(
		service(),
		modules.Sources(config.Options{}),
		fx.Replace(settings, server.Config{Addr: "127.0.0.1:0", MaxBodyBytes: 4 << 10}, zap.NewNop()),
	)
}

// withoutServer is the service as far as it needs no network, which does not
// go together with a bubble of testing/synctest.
func withoutServer(settings Settings) fx.Option {
	return fx.Options(
		modules.Default(modules.Without(modules.HTTP)),
		work(),
		modules.Sources(config.Options{}),
		fx.Replace(settings),
	)
}

// onlyHeading is an input without a row, for tests that bring their own.
func onlyHeading(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "empty.csv")
	require.NoError(t, os.WriteFile(name, []byte("receiver,channel,type,text\n"), 0o600))
	return name
}

// TestService starts the whole service on a free port, talks to it over HTTP,
// stops it and reads the receipt.
func TestService(t *testing.T) {
	t.Parallel()
	var (
		srv       *server.Server
		conductor *lifecycle.Conductor
		outbox    *Outbox
	)
	a := fxtest.New(t, lifecycle.Module(), inTest(t, Settings{Input: onlyHeading(t)}), fx.Populate(&srv, &conductor, &outbox))
	a.RequireStart()

	for _, tt := range []struct {
		name, contentType, body string
		wantStatus              int
		wantAnswer              string
	}{
		{"OneMessage", "application/json",
			`{"receiver":"+491510000001","channel":"sms","type":"hello","text":"Good evening"}`,
			http.StatusAccepted, `{"accepted":1}`},
		{"AnArray", "application/json",
			`[{"receiver":"a@example.com","channel":"email","type":"hello","text":"1"},{"receiver":"","channel":"sms","type":"hello","text":"2"}]`,
			http.StatusAccepted, `{"accepted":1,"bad":[{"line":2,"reason":"the receiver is missing"}]}`},
		{"CSVWithBadRows", "text/csv",
			"receiver,channel,type,text\n+491510000002,sms,order,\"Ends, here\nand here\"\ntoo,few\nx@example.com,pigeon,order,hi\nZoë@example.com,email,order,schön\n",
			http.StatusAccepted, `{"accepted":2,"bad":[
				{"line":4,"reason":"2 fields where receiver, channel, type, text are expected"},
				{"line":5,"reason":"channel \"pigeon\" is unknown; it is sms or email"}]}`},
		{"NothingGood", "application/json", `{"channel":"sms","text":"to nobody"}`,
			http.StatusBadRequest, `{"accepted":0,"bad":[{"line":1,"reason":"the receiver is missing"}],"error":"there was no message to accept"}`},
		{"Nothing", "application/json", `[]`,
			http.StatusBadRequest, `{"accepted":0,"error":"there was no message to accept"}`},
		{"SeveralValuesAndOneOfAWrongType", "application/json",
			`{"receiver":"b@example.com","channel":"email","type":"hello","text":"1"} [{"receiver":7}]`,
			http.StatusAccepted, `{"accepted":1,"bad":[{"line":2,"reason":"json: cannot unmarshal number into Go struct field Message.receiver of type string"}]}`},
		{"BodyThatBreaksOff", "application/json",
			`{"receiver":"c@example.com","channel":"email","type":"hello","text":"1"} {"receiver":`,
			http.StatusBadRequest, `{"accepted":1,"error":"unexpected EOF"}`},
		{"SpreadsheetWithAMark", "text/csv", "\ufeff\"receiver\",channel,type,text\nd@example.com,email,order,hi\n",
			http.StatusAccepted, `{"accepted":1}`},
		{"NotUTF8", "text/csv", "e@example.com,email,order,\xff\xfe\n",
			http.StatusBadRequest, `{"accepted":0,"bad":[{"line":1,"reason":"it is not UTF-8"}],"error":"there was no message to accept"}`},
		{"ReceiverThatIsGone", "application/json",
			`{"receiver":"gone@example.invalid","channel":"email","type":"hello","text":"?"}`,
			http.StatusAccepted, `{"accepted":1}`},
	} {
		status, answer := post(t, srv, tt.contentType, strings.NewReader(tt.body))
		assert.Equal(t, tt.wantStatus, status, tt.name)
		assert.JSONEq(t, tt.wantAnswer, answer, tt.name)
	}

	// A body of unknown length that turns out too large breaks off in a row.
	row := "x@example.com,email,order,hi\n"
	status, text := post(t, srv, "text/csv", io.MultiReader(strings.NewReader(strings.Repeat(row, 200))))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.JSONEq(t, fmt.Sprintf(`{"accepted":%d,"error":"http: request body too large"}`, (4<<10)/len(row)), text)

	a.RequireStop()
	receipt := conductor.Receipt()
	lifecycletest.AssertClean(t, receipt)
	lifecycletest.AssertBalanced(t, receipt)
	lifecycletest.AssertStopOrder(t, receipt, "http", "lane:sms", "batch:delivered", "outbox")
	assert.Equal(t, 8+(4<<10)/len(row), outbox.sum.accepted)
	assert.Equal(t, 7+(4<<10)/len(row), outbox.sum.delivered)
	assert.Equal(t, 1, outbox.sum.failed)
}

func post(t *testing.T, srv *server.Server, contentType string, body io.Reader) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+srv.Addr().String()+"/notify", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var raw json.RawMessage
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&raw))
	return resp.StatusCode, string(raw)
}

// TestPoolConfigIsReplaced: a test gives the pools what it needs.
func TestPoolConfigIsReplaced(t *testing.T) {
	t.Parallel()
	var registry *poolmodule.Registry
	a := fxtest.New(t, inTest(t, Settings{Input: onlyHeading(t)}),
		fx.Replace(poolmodule.Config{Pools: map[string]pool.Config{"sms": {Workers: 1, MinWorkers: 1, Queue: 16}}}),
		fx.Populate(&registry))
	a.RequireStart()
	defer a.RequireStop()
	sms, err := registry.Get("sms")
	require.NoError(t, err)
	assert.Equal(t, 16, sms.Stats().Capacity)
}

// TestProviderThatHangs: fifteen seconds of a stop pass in no time under
// testing/synctest. The provider never answers; what the lanes hold is saved.
func TestProviderThatHangs(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		const hour = time.Hour
		var (
			router *Router
			outbox *Outbox
		)
		a := app.New(
			withoutServer(Settings{Out: out, Latency: hour}),
			fx.Replace(zap.NewNop()),
			fx.Populate(&router, &outbox))
		ctx := context.Background()
		require.NoError(t, a.Start(ctx))
		for i := range 20 {
			require.NoError(t, router.Accept(ctx, Message{Receiver: fmt.Sprint(i), Channel: "sms", Type: "t", Text: "x"}))
		}
		ctx, cancel := context.WithTimeout(ctx, a.StopTimeout())
		defer cancel()
		require.NoError(t, a.Stop(ctx), "saved work is not an error")
		assert.Equal(t, lifecycle.ExitClean, a.Receipt().ExitCode())
		assert.Equal(t, 20, outbox.sum.leftover)
		assert.EqualValues(t, 20, a.Receipt().Total.Saved)
	})
	files, err := filepath.Glob(filepath.Join(out, "*", "leftover.csv"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.Equal(t, 20, strings.Count(string(text), "\n"))
}
