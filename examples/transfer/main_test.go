package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
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
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/lifecycle/lifecycletest"
	"github.com/lastcall-go/lastcall/modules"
)

const (
	envChild = "TRANSFER_TEST_CHILD"
	envLong  = "LONG_TESTS" // many kills
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" { // the child of a test
		app.Run(service(), app.PrintReceipt(os.Stderr), fx.Invoke(sayAddress))
		return
	}
	goleak.VerifyTestMain(m)
}

var twoAccounts = map[string]int64{"alice": 1000, "bob": 1000}

// running is the service in this process.
type running struct {
	client
	app       *fxtest.App
	conductor *lifecycle.Conductor
	box       *journal.DeadLetters
}

// start starts the whole service, with what every test changes about it: no
// file, no environment, no log, a free port, its own directory.
func start(t *testing.T, dir string, pause time.Duration) *running {
	t.Helper()
	var srv *server.Server
	s := &running{}
	s.app = fxtest.New(t, lifecycle.Module(), service(),
		modules.Sources(config.Options{}),
		fx.Replace(
			Settings{Dir: dir, Accounts: twoAccounts, Pause: pause},
			server.Config{Addr: "127.0.0.1:0"},
			lifecycle.Config{Reserve: short / 2, Grace: short}, // a busy disk closes a database slowly
			zap.NewNop(),
		),
		fx.NopLogger,
		fx.Populate(&srv, &s.conductor, &s.box))
	s.app.RequireStart()
	s.client = client{t, "http://" + srv.Addr().String()}
	return s
}

const (
	enough = time.Minute
	short  = 6 * time.Second // half of it waits, half of it saves
)

func (s *running) stop(within time.Duration) *lifecycle.Receipt {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	require.NoError(s.t, s.app.Stop(ctx))
	return s.conductor.Receipt()
}

// client talks to a service, in this process or another.
type client struct {
	t   *testing.T
	url string
}

func (c client) post(transfer string) {
	c.t.Helper()
	status, answer := c.request(http.MethodPost, "/transfers", transfer)
	require.Equal(c.t, http.StatusAccepted, status, answer)
}

func (c client) audit() (a Audit) {
	c.t.Helper()
	status, answer := c.request(http.MethodGet, "/accounts", "")
	assert.Equal(c.t, http.StatusOK, status, answer)
	assert.NoError(c.t, json.Unmarshal([]byte(answer), &a))
	return a
}

func (c client) request(method, path, body string) (status int, answer string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	require.NoError(c.t, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, string(text)
}

// TestService starts the whole service, talks to it over HTTP, stops it and
// reads the receipt.
func TestService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, 0)
	for _, tt := range []struct {
		name, body string
		wantStatus int
		wantAnswer string
	}{
		{"Transfer", `{"id":"1","from":"alice","to":"bob","amount":300}`, http.StatusAccepted, `{"id":"1","from":"alice","to":"bob","amount":300}`},
		{"SentAgain", `{"id":"1","from":"alice","to":"bob","amount":300}`, http.StatusAccepted, `{"id":"1","from":"alice","to":"bob","amount":300}`},
		{"TooMuch", `{"id":"2","from":"bob","to":"alice","amount":9000}`, http.StatusAccepted, `"id":"2"`},
		{"WithoutAnID", `{"from":"bob","to":"alice","amount":1}`, http.StatusAccepted, `{"id":"`},
		{"UnknownAccount", `{"from":"alice","to":"eve","amount":1}`, http.StatusBadRequest, `there is no account "eve"`},
		{"ToItself", `{"from":"alice","to":"alice","amount":1}`, http.StatusBadRequest, "from and to are the same account"},
		{"Backwards", `{"from":"alice","to":"bob","amount":-1}`, http.StatusBadRequest, "amount: must be positive"},
		{"NoJSON", `alice, bob, 1`, http.StatusBadRequest, "invalid character"},
	} {
		status, answer := s.request(http.MethodPost, "/transfers", tt.body)
		assert.Equal(t, tt.wantStatus, status, tt.name)
		assert.Contains(t, answer, tt.wantAnswer, tt.name)
	}
	assert.True(t, s.audit().Conserved, "also while transfers are under way")

	receipt := s.stop(enough)
	lifecycletest.AssertClean(t, receipt)
	lifecycletest.AssertBalanced(t, receipt)
	lifecycletest.AssertStopOrder(t, receipt, "http", "lane:transfers", "pool:movers", "bank")
	assert.Equal(t, Audit{
		Balances: map[string]int64{"alice": 701, "bob": 1299},
		Sum:      2000, Opening: 2000, Whole: 2, Conserved: true,
	}, auditOf(t, dir))
}

// TestStep holds the bank to what makes a repetition harmless.
func TestStep(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	bank := newTestBank(t)
	transfer := Transfer{ID: "1", From: "alice", To: "bob", Amount: 300}

	for range 3 {
		require.NoError(t, bank.Debit(ctx, transfer))
	}
	a, err := bank.Audit(ctx)
	require.NoError(t, err)
	assert.Equal(t, Audit{
		Balances: map[string]int64{"alice": 700, "bob": 1000},
		Sum:      1700, InTransit: 300, Opening: 2000, Half: 1, Conserved: true,
	}, a)

	another := transfer
	another.Amount = 1
	require.ErrorIs(t, bank.Debit(ctx, another), ErrRefused, "the id is taken")
	another = Transfer{ID: "2", From: "alice", To: "bob", Amount: 701}
	require.ErrorIs(t, bank.Debit(ctx, another), ErrRefused, "alice has not so much")

	for range 3 {
		require.NoError(t, bank.Credit(ctx, transfer))
	}
	a, err = bank.Audit(ctx)
	require.NoError(t, err)
	assert.Equal(t, Audit{
		Balances: map[string]int64{"alice": 700, "bob": 1300},
		Sum:      2000, Opening: 2000, Whole: 1, Conserved: true,
	}, a, "what was refused has left nothing")
}

// TestAuditFindsWhatIsWrong: an audit that cannot fail proves nothing.
func TestAuditFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"MoneyFromNowhere":           "UPDATE accounts SET balance = balance + 1 WHERE name = 'bob'",
		"MovedBehindOurBack":         "UPDATE accounts SET balance = balance + CASE name WHEN 'bob' THEN 1 ELSE -1 END",
		"StepThatWasNotMade":         "INSERT INTO steps VALUES ('1', 'credit', 'bob', 'alice', 1)",
		"StepThatWasMadeWithoutNote": "DELETE FROM steps WHERE transfer = '0' AND step = 'credit'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bank := newTestBank(t)
			transfer := Transfer{ID: "0", From: "alice", To: "bob", Amount: 300}
			require.NoError(t, bank.Debit(t.Context(), transfer))
			require.NoError(t, bank.Credit(t.Context(), transfer))
			_, err := bank.db.ExecContext(t.Context(), change)
			require.NoError(t, err)
			a, err := bank.Audit(t.Context())
			require.NoError(t, err)
			assert.False(t, a.Conserved, "%+v", a)
		})
	}
}

// openBank opens the database of a directory without a service around it.
func openBank(t *testing.T, dir string) *Bank {
	t.Helper()
	bank := &Bank{settings: Settings{Dir: dir}}
	require.NoError(t, bank.open(t.Context()))
	return bank
}

func closeBank(t *testing.T, bank *Bank) {
	t.Helper()
	assert.NoError(t, bank.close(context.Background()))
}

// newTestBank has two accounts.
func newTestBank(t *testing.T) *Bank {
	t.Helper()
	bank := &Bank{settings: Settings{Dir: t.TempDir(), Accounts: twoAccounts}}
	require.NoError(t, bank.open(t.Context()))
	t.Cleanup(func() { closeBank(t, bank) })
	return bank
}

func auditOf(t *testing.T, dir string) Audit {
	t.Helper()
	bank := openBank(t, dir)
	defer closeBank(t, bank)
	a, err := bank.Audit(t.Context())
	require.NoError(t, err)
	return a
}
