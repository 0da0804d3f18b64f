package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lastcall-go/lastcall/drill"
	"github.com/lastcall-go/lastcall/httpmodule/server"
	"github.com/lastcall-go/lastcall/journal"
	"github.com/lastcall-go/lastcall/journal/filejournal"
	"github.com/lastcall-go/lastcall/lifecycle"
)

// TestKilledAtAnyMoment runs the real program as a child under load, and kills
// it at random moments, also while it starts and replays. In the end the money
// is there, and what the program has promised was done, once.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	kills := 5
	if os.Getenv(envLong) != "" {
		kills = 200
	}
	var (
		dir    = t.TempDir()
		crowd  = &crowd{sent: map[string]Transfer{}}
		halves = 0
	)
	report, err := drill.Run(t.Context(), drill.Config{
		Program: drill.Program{
			Path:      os.Args[0],
			Env:       childEnv(dir, "LASTCALL_TRANSFER_PAUSE=5ms", "LASTCALL_POOLS_MOVERS_QUEUE=64"),
			ReadyLine: listening,
		},
		Load:    drill.Load{Offer: crowd.offer},
		Outcome: drill.Outcome{Delivered: credited(t, dir), Failed: refused(dir)},
		Kills: []drill.Kill{
			drill.Sigkill(kills).Between(0, 400*time.Millisecond).Under(1).AtMost(0),
			drill.SigkillInStart(1+kills/4).Between(0, 100*time.Millisecond).AtMost(0),
			drill.Sigterm(1 + kills/10).AtMost(0),
		},
		Settle: drill.Settle{Until: replayed},
		Progress: func(l drill.Life) {
			a := auditOf(t, dir)
			assert.True(t, a.Conserved, "after life %d: %+v", l.Number, a)
			halves += a.Half
		},
	})
	t.Logf("%s\nkilled between their two writes: %d transfers", report, halves)
	require.NoError(t, err)
	assert.Positive(t, halves, "no kill came between two writes: nothing was shown")

	a := auditOf(t, dir)
	assert.True(t, a.Conserved, "%+v", a)
	assert.Zero(t, a.Half)
	crowd.check(t, dir)
}

// listening comes before the address in what the child says.
const listening = "listening on "

// sayAddress is run in the child. It says so only when the start is over: a
// SIGTERM before would cancel it.
func sayAddress(c *lifecycle.Conductor, srv *server.Server) {
	go func() {
		select {
		case <-c.When(lifecycle.Started):
			fmt.Println(listening + srv.Addr().String())
		case <-c.When(lifecycle.Finished):
		}
	}()
}

func childEnv(dir string, more ...string) []string {
	return append([]string{
		envChild + "=1",
		"LASTCALL_HTTP_ADDR=127.0.0.1:0",
		"LASTCALL_TRANSFER_DIR=" + dir,
	}, more...)
}

// tooMuch is more than all accounts hold.
const tooMuch int64 = 1 << 40

// crowd sends transfers and remembers them.
type crowd struct {
	mu   sync.Mutex
	sent map[string]Transfer // by id
}

// offer sends a transfer, and, one time in ten, the same once more: for the
// bank they are one.
func (c *crowd) offer(ctx context.Context, child *drill.Child, id string) drill.Answer {
	transfer := c.invent(id)
	answer := send(ctx, child, transfer)
	if answer == drill.Accepted && rand.N(10) == 0 {
		send(ctx, child, transfer)
	}
	return answer
}

func (c *crowd) invent(id string) Transfer {
	who := []string{"alice", "bob", "carol"}
	rand.Shuffle(len(who), func(i, j int) { who[i], who[j] = who[j], who[i] })
	t := Transfer{ID: id, From: who[0], To: who[1], Amount: 1 + rand.Int64N(50)}
	if rand.N(20) == 0 {
		t.Amount = tooMuch
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[id] = t
	return t
}

func send(ctx context.Context, child *drill.Child, t Transfer) drill.Answer {
	body, _ := json.Marshal(t) // it can be
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+child.Line+"/transfers", bytes.NewReader(body))
	if err != nil {
		return drill.Refused
	}
	return drill.Send(nil, req)
}

// replayed: the lane takes new work only when what earlier lives have left is
// in it; the stop then waits until it is done.
func replayed(ctx context.Context, child *drill.Child) (bool, error) {
	return send(ctx, child, Transfer{ID: "last", From: "alice", To: "bob", Amount: 1}) == drill.Accepted, nil
}

// credited yields the transfers whose second step was made. A step has one row,
// so the drill can see none twice here: that none was applied twice is what the
// audit after each life shows, which holds every balance to the sum of its
// steps.
func credited(t *testing.T, dir string) drill.Source {
	t.Helper()
	return func(ctx context.Context, after int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			bank := openBank(t, dir)
			defer closeBank(t, bank)
			rows, err := bank.db.QueryContext(ctx,
				"SELECT transfer FROM steps WHERE step = 'credit' AND transfer <> 'last' ORDER BY rowid LIMIT -1 OFFSET ?", after)
			if err != nil {
				yield("", err)
				return
			}
			defer rows.Close()
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); !yield(id, err) {
					return
				}
			}
			if rows.Err() != nil {
				yield("", rows.Err())
			}
		}
	}
}

// refused yields the transfers in the box of dead letters, when the program
// does not hold it.
func refused(dir string) drill.Source {
	return func(ctx context.Context, after int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			letters, err := lettersIn(ctx, dir)
			if errors.Is(err, journal.ErrLocked) {
				return
			}
			if err != nil {
				yield("", err)
				return
			}
			for i, letter := range letters {
				if i >= after && !yield(letter.ID, nil) {
					return
				}
			}
		}
	}
}

// lettersIn are the dead letters of a service that is not running.
func lettersIn(ctx context.Context, dir string) (letters []journal.DeadLetter, err error) {
	view, err := filejournal.Look(filepath.Join(dir, "journal"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	for letter, err := range journal.NewDeadLetters(view).All(ctx) {
		if err != nil {
			return nil, err
		}
		letters = append(letters, letter)
	}
	return letters, nil
}

// check holds the steps in the database to what was sent. Whether there are
// enough of them is the drill's to say.
func (c *crowd) check(t *testing.T, dir string) {
	t.Helper()
	for id, got := range stepsOf(t, dir) {
		sent := c.sent[id]
		assert.Equal(t, []step{
			{sent.To, sent.From, +sent.Amount},
			{sent.From, sent.To, -sent.Amount},
		}, got, id)
		assert.NotEqual(t, tooMuch, sent.Amount, id)
	}
}

type step struct {
	account, other string
	change         int64
}

// stepsOf reads the steps by transfer, the credit first.
func stepsOf(t *testing.T, dir string) map[string][]step {
	t.Helper()
	bank := openBank(t, dir)
	defer closeBank(t, bank)
	rows, err := bank.db.QueryContext(t.Context(),
		"SELECT transfer, account, other, change FROM steps WHERE transfer <> 'last' ORDER BY transfer, step")
	require.NoError(t, err)
	defer rows.Close()
	steps := map[string][]step{}
	for rows.Next() {
		var id string
		var s step
		require.NoError(t, rows.Scan(&id, &s.account, &s.other, &s.change))
		steps[id] = append(steps[id], s)
	}
	require.NoError(t, rows.Err())
	return steps
}
