package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/lastcall-go/lastcall/config"
	"github.com/lastcall-go/lastcall/examples/push/provider"
	"github.com/lastcall-go/lastcall/lifecycle"
	"github.com/lastcall-go/lastcall/modules"
)

func TestMain(m *testing.M) {
	if os.Getenv(envChild) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// bench is a platform in this process, with a provider of its own.
type bench struct {
	Settings
	provider *provider.Server
	expected Sum
	rows     int
}

func newBench(t *testing.T, rows int, b provider.Behaviour) *bench {
	t.Helper()
	b.Deduplicate = true
	dir := t.TempDir()
	p := &bench{provider: provider.New(b), rows: rows, Settings: Settings{
		Dir: dir, Input: filepath.Join(dir, "rows.csv"), Unsubscribed: filepath.Join(dir, "unsubscribed.txt"),
	}}
	server := httptest.NewServer(p.provider)
	t.Cleanup(server.Close)
	p.Provider = server.URL
	var err error
	p.expected, err = generate(rows, p.Input, p.Unsubscribed)
	require.NoError(t, err)
	return p
}

// start makes a life of the platform; it is stopped by its test.
func (p *bench) start(t *testing.T, more ...fx.Option) *fxtest.App {
	t.Helper()
	a := fxtest.New(t, lifecycle.Module(), platform(), modules.Sources(config.Options{}),
		fx.Replace(p.Settings, zap.NewNop()), fx.NopLogger, fx.Options(more...))
	a.RequireStart()
	return a
}

// settle waits until every row has come to an end, and returns the sum.
func (p *bench) settle(t *testing.T) (sum Sum) {
	t.Helper()
	tally := newTally(p.Settings)
	require.Eventually(t, func() bool {
		var err error
		sum, err = tally.Sum()
		return assert.NoError(t, err) && sum.Ended() == p.rows
	}, time.Minute, tick)
	return sum
}

// twice is how many messages came to their receiver more than once.
func (p *bench) twice() int { return p.provider.Sum().Duplicates }

// tick is how often a test looks whether what it waits for has come.
const tick = 20 * time.Millisecond

// waiting is how many receivers wait in which lane.
func (p *bench) waiting(t *testing.T) map[string]int {
	t.Helper()
	lanes, ended := map[Receiver]string{}, map[Receiver]bool{}
	records := Reader{path: p.records()}
	for e, err := range records.News() {
		require.NoError(t, err)
		for _, to := range e.To {
			if e.State == InLane {
				lanes[to] = e.Lane
			}
			ended[to] = ended[to] || e.State.Final()
		}
	}
	waiting := map[string]int{}
	for to, lane := range lanes {
		if !ended[to] {
			waiting[lane]++
		}
	}
	return waiting
}

// unfinished is how many rows have not come to an end.
func (p *bench) unfinished(t *testing.T) int {
	t.Helper()
	sum, err := newTally(p.Settings).Sum()
	require.NoError(t, err)
	return p.rows - sum.Ended()
}
