package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/fx"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/lastcall-go/lastcall/lifecycle"
)

// ErrRefused is matched by what is wrong with a transfer for good.
var ErrRefused = errors.New("refused")

const schema = `
CREATE TABLE IF NOT EXISTS accounts (
	name    TEXT PRIMARY KEY,
	opening INTEGER NOT NULL,
	balance INTEGER NOT NULL CHECK (balance >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS steps (
	transfer TEXT NOT NULL,
	step     TEXT NOT NULL CHECK (step IN ('debit', 'credit')),
	account  TEXT NOT NULL REFERENCES accounts,
	other    TEXT NOT NULL REFERENCES accounts,
	change   INTEGER NOT NULL,
	PRIMARY KEY (transfer, step)
) STRICT;`

// pragmas are set for every connection: a step is on the disk when it is committed,
// and transactions begin as writers, so that none fails half-way.
const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=busy_timeout(5000)&_txlock=immediate"

// Bank keeps the accounts in a database, together with the steps that were
// made to them: so it knows which it has made.
type Bank struct {
	settings Settings
	db       *sql.DB // since open
}

func newBank(lc fx.Lifecycle, s Settings) *Bank {
	b := &Bank{settings: s}
	lifecycle.Append(lc, lifecycle.Hook{
		Name:       "bank",
		Band:       lifecycle.Resource,
		OnStart:    b.open,
		PreDestroy: b.close,
	})
	return b
}

func (b *Bank) open(ctx context.Context) error {
	if err := os.MkdirAll(b.settings.Dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(b.settings.Dir, "bank.db")
	db, err := sql.Open("sqlite", file+pragmas)
	if err != nil {
		return err
	}
	b.db = db
	db.SetMaxOpenConns(1) // SQLite has one writer: wait for it here, in order
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("database %s: %w", file, err)
	}
	for name, cents := range b.settings.Accounts {
		if _, err := db.ExecContext(ctx, "INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO NOTHING", name, cents, cents); err != nil {
			return fmt.Errorf("open the account %s: %w", name, err)
		}
	}
	return nil
}

// Has says whether there is such an account.
func (b *Bank) Has(account string) bool {
	_, ok := b.settings.Accounts[account]
	return ok
}

// Debit makes the first step of t, unless it is made already. What is wrong
// for good matches [ErrRefused].
func (b *Bank) Debit(ctx context.Context, t Transfer) error {
	return b.step(ctx, t.ID, "debit", t.From, t.To, -t.Amount)
}

// Credit makes the second.
func (b *Bank) Credit(ctx context.Context, t Transfer) error {
	return b.step(ctx, t.ID, "credit", t.To, t.From, +t.Amount)
}

// step changes a balance and notes that it did, in one SQL transaction: both
// are there or none. The note is made first, as it tells a repetition.
func (b *Bank) step(ctx context.Context, transfer, step, account, other string, change int64) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	noted, err := affects(tx.ExecContext(ctx, "INSERT INTO steps VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		transfer, step, account, other, change))
	if err != nil {
		return err
	}
	if !noted {
		return repeated(ctx, tx, transfer, step, account, other, change)
	}
	changed, err := affects(tx.ExecContext(ctx, "UPDATE accounts SET balance = balance + ?1 WHERE name = ?2 AND balance + ?1 >= 0",
		change, account))
	if err != nil {
		return err
	}
	if !changed {
		return fmt.Errorf("%w: %s has less than %d cents", ErrRefused, account, -change)
	}
	return tx.Commit()
}

func affects(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// repeated is nil if the step that was made is the same.
func repeated(ctx context.Context, tx *sql.Tx, transfer, step, account, other string, change int64) error {
	var same bool
	err := tx.QueryRowContext(ctx, "SELECT account = ? AND other = ? AND change = ? FROM steps WHERE transfer = ? AND step = ?",
		account, other, change, transfer, step).Scan(&same)
	if err == nil && !same {
		err = fmt.Errorf("%w: another transfer has the id %s", ErrRefused, transfer)
	}
	return err
}

func (b *Bank) close(context.Context) error {
	if b.db == nil {
		return nil
	}
	return b.db.Close()
}
